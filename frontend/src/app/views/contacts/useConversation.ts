import { useRouter } from "vue-router";
import { api } from "@/shared/api";
import type { Relation } from "../accounts/types";

/** The code of the service desk among the bank's identities: its conversation is the desk's, not a follower's. */
const DESK = "desk";

async function conversationOf(personId: string, relation: Relation): Promise<string> {
  if (relation !== "official") {
    return (await api.post<{ conversation: { id: string } }>("/api/chat/conversations", { person_id: personId })).conversation.id;
  }
  const { code } = await api.get<{ code: string }>(`/api/officials/persons/${personId}`);
  const opened = code === DESK ? api.post<{ conversation_id: string }>("/api/desk/service/conversation") : api.put<{ conversation_id: string }>(`/api/officials/${code}/follow`);
  return (await opened).conversation_id;
}

/** Opens the conversation with a person, a service account or the service desk, and its page. */
export function useConversation(): (personId: string, relation: Relation) => Promise<void> {
  const router = useRouter();
  return async (personId, relation) => {
    await router.push({ name: "conversation", params: { id: await conversationOf(personId, relation) } });
  };
}
