import type { AnyClientFrame, AnyServerFrame, MessageEnvelope } from "@/shared/generated/frames";
import type { Person } from "@/shared/people";

export type Message = MessageEnvelope;
export type ClientFrame = AnyClientFrame;
export type ServerFrame = AnyServerFrame;
export type FrameOf<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

export type ConversationKind = "direct" | "group" | "advisor" | "service" | "official";

/** A conversation as the server lists it. */
export interface ConversationItem {
  id: string;
  kind: ConversationKind;
  title: string;
  seq: number;
  version: number;
  archived: boolean;
  notice_version: string;
  active_at: string;
  /** Why one may read and not write here, as a code; empty where one may. */
  barred: string;
  read_seq: number;
  unread: number;
  muted: boolean;
  pinned: boolean;
  hidden: boolean;
  member_count: number;
  peer_ids: string[];
  last: Message | null;
}

export interface ConversationPage {
  items: ConversationItem[];
  people: Person[];
  next: string | null;
}

export interface ConversationDetail {
  conversation: ConversationItem;
  people: Person[];
}

export interface MessagePage {
  items: Message[];
  people: Person[];
  next: string | null;
  version: number;
}

export interface SyncAnswer {
  conversations: ConversationItem[];
  marks: Pick<ConversationItem, "id" | "version" | "barred" | "read_seq" | "unread" | "muted" | "pinned" | "hidden">[];
  /** `reset`: the newest page instead of every change; and with `more`, the newest message alone. */
  changes: { conversation_id: string; reset: boolean; upto: number; more: boolean; messages: Message[] }[];
  gone: string[];
  people: Person[];
  more: boolean;
  /** Where the list goes on. A server from before pages does not say it: it is asked again with what came. */
  next?: string | null;
}

/** What the person sent and the server has not confirmed. */
export interface Outgoing {
  clientId: string;
  conversationId: string;
  kind: "text" | "picture";
  text: string;
  /** A picture that is on its way: the file, and an address to show it by. */
  file: File | null;
  preview: string | null;
  at: string;
  state: "sending" | "failed";
  /** Why it failed, in words. */
  reason: string;
  tries: number;
}

/** A conversation as this device knows it. */
export interface Talk extends Omit<ConversationItem, "version"> {
  /** Everything up to this version is in what we hold. */
  version: number;
  /** Read up to here on this device; the server may not know yet. */
  readTo: number;
  /** A stretch without holes, oldest first, that ends with the newest message. */
  messages: readonly Message[];
  loaded: boolean;
  /** There are older messages on the server. */
  older: boolean;
  loadingOlder: boolean;
  outgoing: readonly Outgoing[];
  typing: { personId: string; until: number } | null;
  error: unknown;
}

/** What a list needs to know of a conversation. */
export interface TalkSummary {
  unread: number;
  preview: string;
  at: string;
}
