import { onBeforeUnmount, watch } from "vue";
import { onHint } from "@/chat/socket";
import { useMomentsNews } from "./news";

/** Keeps the tab's mark true while somebody is signed in: asked once, then after every hint. */
export function useMomentsLife(personId: () => string | null): void {
  const news = useMomentsNews();
  watch(personId, (id) => {
    if (id) void news.load();
  }, { immediate: true });
  onBeforeUnmount(onHint("moments", news.hear));
}
