import { api, ApiError, messageOf } from "@/shared/api";
import type { Outcome } from "./outbox";
import { socket } from "./socket";
import { pictureForm } from "./talks";
import type { FrameOf, Message, Outgoing } from "./types";

const ACK_LIMIT_MS = 12_000;

/**
 * Hands messages over and finds out what became of them: texts over the socket, pictures over HTTP. The same client id
 * again gives the same message, so that whatever is unsure is simply sent once more.
 */
export function useCourier(arrived: (message: Message) => void) {
  /** Texts that the socket took and nobody has answered, by client id. */
  const answers = new Map<string, (outcome: Outcome) => void>();

  function transmit(out: Outgoing): Promise<Outcome> {
    if (out.kind === "picture") return upload(out);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        answer({ kind: "again", reason: "" });
        socket.renew();
      }, ACK_LIMIT_MS);
      function answer(outcome: Outcome): void {
        clearTimeout(timer);
        answers.delete(out.clientId);
        resolve(outcome);
      }
      answers.set(out.clientId, answer);
      if (!socket.send({ type: "send", conversation_id: out.conversationId, client_id: out.clientId, text: out.text })) answer({ kind: "later" });
    });
  }

  async function upload(out: Outgoing): Promise<Outcome> {
    if (!out.file) return { kind: "failed", reason: "" };
    if (socket.status.value !== "open") return { kind: "later" };
    try {
      arrived(await api.upload<Message>(`/api/chat/conversations/${out.conversationId}/pictures`, pictureForm(out.clientId, out.file)));
      return { kind: "done" };
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || !thrown.passing) return { kind: "failed", reason: messageOf(thrown) };
      return socket.status.value === "open" ? { kind: "again", reason: thrown.message } : { kind: "later" };
    }
  }

  function confirmed(clientId: string): void {
    answers.get(clientId)?.({ kind: "done" });
  }

  function refused(frame: FrameOf<"error">): void {
    if (frame.client_id) answers.get(frame.client_id)?.({ kind: frame.retry ? "again" : "failed", reason: frame.message });
  }

  /** The connection is gone: what was handed to it waits for another. */
  function interrupt(): void {
    for (const answer of [...answers.values()]) answer({ kind: "later" });
  }

  return { transmit, confirmed, refused, interrupt };
}
