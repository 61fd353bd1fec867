import { watch } from "vue";
import { useChat } from "./store";

/**
 * Chat runs while somebody is signed in; the count of what is unread goes where the caller says. `keep`: this is the
 * person's own device and remembers conversations; the bank's desks do not.
 */
export function useChatLife(personId: () => string | null, onUnread: (count: number) => void, options: { keep: boolean }): void {
  const chat = useChat();
  watch(personId, (id) => {
    if (id) chat.start(id, options.keep);
    else chat.stop();
  }, { immediate: true });
  watch(() => chat.unread, onUnread, { immediate: true });
}
