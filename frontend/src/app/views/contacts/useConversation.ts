import { useRouter } from "vue-router";
import { api } from "@/shared/api";

/** Opens the conversation with a person, and its page. */
export function useConversation(): (personId: string) => Promise<void> {
  const router = useRouter();
  return async (personId) => {
    const answer = await api.post<{ conversation: { id: string } }>("/api/chat/conversations", { person_id: personId });
    await router.push(`/messages/${answer.conversation.id}`);
  };
}
