import { useRouter } from "vue-router";
import { api, ApiError } from "@/shared/api";
import type { Relation } from "../accounts/types";

interface Opened {
  conversation_id: string;
}

/** The code of a service account; null for the service desk, whose face is no account that one finds or follows. */
async function codeOf(personId: string): Promise<string | null> {
  try {
    return (await api.get<{ code: string }>(`/api/officials/persons/${personId}`)).code;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

async function conversationOf(personId: string, relation: Relation): Promise<string> {
  if (relation !== "official") {
    return (await api.post<{ conversation: { id: string } }>("/api/chat/conversations", { person_id: personId })).conversation.id;
  }
  const code = await codeOf(personId);
  const opened = code === null ? api.post<Opened>("/api/desk/service/conversation") : api.put<Opened>(`/api/officials/${code}/follow`);
  return (await opened).conversation_id;
}

/** Opens the conversation with a person, a service account or the service desk, and its page. */
export function useConversation(): (personId: string, relation: Relation) => Promise<void> {
  const router = useRouter();
  return async (personId, relation) => {
    await router.push({ name: "conversation", params: { id: await conversationOf(personId, relation) } });
  };
}
