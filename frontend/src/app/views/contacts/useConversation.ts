import { useRouter } from "vue-router";
import { api } from "@/shared/api";
import { officials } from "@/shared/officials/officials";
import type { Relation } from "../accounts/types";

interface Opened {
  conversation_id: string;
}

async function conversationOf(personId: string, relation: Relation): Promise<string> {
  if (relation !== "official") {
    return (await api.post<{ conversation: { id: string } }>("/api/chat/conversations", { person_id: personId })).conversation.id;
  }
  const account = await officials.ofPerson(personId);
  const opened = account ? api.put<Opened>(`/api/officials/${account.code}/follow`) : api.post<Opened>("/api/desk/service/conversation");
  return (await opened).conversation_id;
}

/** Opens the conversation with a person, a service account or the service desk, and its page. */
export function useConversation(): (personId: string, relation: Relation) => Promise<void> {
  const router = useRouter();
  return async (personId, relation) => {
    await router.push({ name: "conversation", params: { id: await conversationOf(personId, relation) } });
  };
}
