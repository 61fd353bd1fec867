import { newId } from "@/shared/ids";
import { shownName, type Person } from "@/shared/people";
import type { ConversationItem, FrameOf, Message, Outgoing, Talk } from "./types";

const TYPING_HOLDS_MS = 5_000;

/** A conversation of which only the list's line is known. */
export function newTalk(item: ConversationItem): Talk {
  return { ...item, readTo: 0, messages: [], loaded: false, older: true, loadingOlder: false, outgoing: [], typing: null, error: null };
}

/** Something that goes out now, under an id that it keeps. */
export function newOutgoing(conversationId: string, what: { text: string } | { file: File }): Outgoing {
  const file = "file" in what ? what.file : null;
  return {
    clientId: newId(),
    conversationId,
    kind: file ? "picture" : "text",
    text: "text" in what ? what.text : "",
    file,
    preview: file ? URL.createObjectURL(file) : null,
    at: new Date().toISOString(),
    state: "sending",
    reason: "",
    tries: 0,
  };
}

/** What this device adds to a conversation. */
const OWN: ReadonlySet<string> = new Set<Exclude<keyof Talk, keyof ConversationItem>>(["readTo", "messages", "loaded", "older", "loadingOlder", "outgoing", "typing", "error"]);

/** What the server says of a conversation, as this device knows it. */
export function itemOf(talk: Talk): ConversationItem {
  return Object.fromEntries(Object.entries(talk).filter(([key]) => !OWN.has(key))) as unknown as ConversationItem;
}

/** The form that a picture travels in. */
export function pictureForm(clientId: string, file: File): FormData {
  const form = new FormData();
  form.set("client_id", clientId);
  form.set("picture", file);
  return form;
}

/** Somebody writes; it holds for a few seconds and is renewed while they go on. */
export function showTyping(talk: Talk, personId: string): void {
  talk.typing = { personId, until: Date.now() + TYPING_HOLDS_MS };
  setTimeout(() => {
    if (talk.typing && talk.typing.until <= Date.now()) talk.typing = null;
  }, TYPING_HOLDS_MS + 50);
}

/** What we said, as the server keeps it, out of its acknowledgement. */
export function acknowledgedMessage(frame: FrameOf<"ack">, text: string, meId: string | null): Message {
  const { id, conversation_id, seq, version, client_id, warning, at } = frame;
  return { id, conversation_id, seq, version, client_id, sender_id: meId, kind: "text", text, picture: null, card: null, notice: null, warning, at, recalled: false };
}

/** The person at the other end; null in a group. */
export function peerOf(talk: Talk, people: ReadonlyMap<string, Person>, meId: string | null): Person | null {
  if (talk.kind === "group") return null;
  const all = talk.peer_ids.map((id) => people.get(id)).filter((person) => person !== undefined);
  // In a service conversation the customer is who the staff talk to, and the service is whom the customer sees.
  const sought = people.get(meId ?? "")?.kind === "staff" ? "customer" : "official";
  return (talk.kind === "service" ? all.find((person) => person.kind === sought) : null) ?? all[0] ?? null;
}

/** What a conversation is called. */
export function talkName(talk: Talk, people: ReadonlyMap<string, Person>, meId: string | null): string {
  const other = peerOf(talk, people, meId);
  return other ? shownName(other) : talk.title;
}
