import { watch } from "vue";
import { useChat } from "./store";

/** Chat runs while somebody is signed in; the count of what is unread goes where the caller says. */
export function useChatLife(personId: () => string | null, onUnread: (count: number) => void): void {
  const chat = useChat();
  watch(personId, (id) => {
    if (id) chat.start(id);
    else chat.stop();
  }, { immediate: true });
  watch(() => chat.unread, onUnread, { immediate: true });
}
