import { vi } from "vitest";
import type { Person } from "@/shared/people";
import type { ConversationItem, Message, MessagePage, SyncAnswer } from "@/chat/types";

/** The bank's side of chat, small and in memory: the same promises as the server's, on the network's own doors. */

const RESET_AFTER = 500;
const NEWEST_PAGE = 50;
const OLD_CHANGES_PAGE = 100;

export const SU = "su";
export const LIN = "lin";

interface Log {
  item: ConversationItem;
  messages: Message[];
  /** Everybody in it but SU; the list names the first of them. */
  members: string[];
  /** How far each has read. */
  read: Map<string, number>;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export class Bank {
  readonly logs = new Map<string, Log>();
  /** Who is who today, for those who are named. */
  readonly people = new Map<string, Person>();
  readonly sockets = new Set<FakeSocket>();
  /** Client ids in the order in which they came, every time that they came. */
  readonly sent: string[] = [];
  readonly asked: string[] = [];
  private connected = true;
  /** How a text is answered: by an acknowledgement, a refusal, or not at all. */
  answer: (text: string) => "ack" | "refuse" | "silence" = () => "ack";
  /** Frames on their way to the clients that get lost. */
  dropped: (frame: object) => boolean = () => false;
  latencyMs = 0;
  /** Conversations in an answer of sync, and messages among its changes. */
  listed = 1_000;
  told = 2_000;
  /** A server from before pages: it tells changes a hundred at a time, and is asked again with what one has. */
  old = false;

  constructor(conversations: readonly string[] = ["c1"]) {
    for (const id of conversations) this.open(id);
  }

  open(id: string): Log {
    const item: ConversationItem = {
      id, kind: "direct", title: "", seq: 0, version: 0, archived: false, notice_version: "", active_at: "2026-11-23T10:00:00Z", read_seq: 0, unread: 0,
      barred: "", muted: false, pinned: false, hidden: false, member_count: 2, peer_ids: [LIN], last: null,
    };
    const log: Log = { item, messages: [], members: [LIN], read: new Map() };
    this.logs.set(id, log);
    return log;
  }

  log(id: string): Log {
    const log = this.logs.get(id);
    if (!log) throw new Error(`no conversation ${id}`);
    return log;
  }

  /** Somebody says something; the same client id again gives the same message. */
  say(id: string, text: string, sender = LIN, clientId = `k-${id}-${sender}-${this.log(id).item.seq + 1}`): Message {
    const log = this.log(id);
    const twin = log.messages.find((one) => one.client_id === clientId);
    if (twin) return twin;
    const seq = log.item.seq + 1;
    const version = log.item.version + 1;
    const message: Message = {
      id: `${id}-${seq}`, conversation_id: id, seq, version, client_id: clientId, sender_id: sender, kind: "text", text, picture: null, card: null,
      notice: null, warning: null, at: new Date(Date.UTC(2026, 10, 23, 10, 0, seq)).toISOString(), recalled: false,
    };
    log.messages.push(message);
    Object.assign(log.item, { seq, version, last: message, active_at: message.at });
    this.push({ type: "message", message });
    return message;
  }

  /** Somebody joins; the frame that says so is for the test to push or to lose. */
  join(id: string): void {
    const { item, messages } = this.log(id);
    const [seq, version] = [item.seq + 1, item.version + 1];
    const message: Message = {
      id: `${id}-${seq}`, conversation_id: id, seq, version, client_id: `k-${id}-${seq}`, sender_id: null, kind: "notice", text: "joined", picture: null,
      card: null, notice: null, warning: null, at: new Date(Date.UTC(2026, 10, 23, 10, 0, seq)).toISOString(), recalled: false,
    };
    messages.push(message);
    Object.assign(item, { seq, version, last: message, active_at: message.at, member_count: item.member_count + 1 });
    this.push({ type: "message", message });
  }

  /** Somebody takes another name. */
  call(id: string, name: string): void {
    this.people.set(id, { id, name, name_en: "", remark: null, hue: 1, avatar_url: null, seal: null, kind: "customer" });
    this.push({ type: "hint", topic: "people", data: { person_id: id } });
  }

  private named(ids: Iterable<string>): Person[] {
    return [...new Set(ids)].flatMap((id) => this.people.get(id) ?? []);
  }

  /** An old message changes. */
  recall(id: string, seq: number): void {
    const log = this.log(id);
    log.item.version += 1;
    const message = { ...(log.messages[seq - 1] as Message), text: "", recalled: true, version: log.item.version };
    log.messages[seq - 1] = message;
    if (log.item.last?.seq === seq) log.item.last = message;
    this.push({ type: "message", message });
  }

  push(frame: object): void {
    if (!this.online || this.dropped(frame)) return;
    for (const socket of this.sockets) socket.hear(frame);
  }

  /** Without a network nothing gets through, and the browser knows. */
  get online(): boolean {
    return this.connected;
  }

  set online(yes: boolean) {
    this.connected = yes;
    Object.defineProperty(navigator, "onLine", { value: yes, configurable: true });
    dispatchEvent(new Event(yes ? "online" : "offline"));
  }

  cut(): void {
    this.online = false;
    for (const socket of [...this.sockets]) socket.close();
  }

  item(id: string): ConversationItem {
    const { item, messages, read } = this.log(id);
    const upTo = read.get(SU) ?? 0;
    const left = messages.filter((message) => message.seq > upTo && message.sender_id !== SU && message.kind !== "notice" && !message.recalled);
    return { ...item, read_seq: upTo, unread: Math.min(left.length, 100) };
  }

  markRead(id: string, seq: number): { seq: number; unread: number } {
    const log = this.log(id);
    log.read.set(SU, Math.max(log.read.get(SU) ?? 0, seq));
    const { read_seq, unread } = this.item(id);
    this.push({ type: "read", conversation_id: id, seq: read_seq, unread });
    return { seq: read_seq, unread };
  }

  private sync(have: Record<string, number>, after: string | null, everybody: boolean): SyncAnswer {
    const answer: SyncAnswer = { conversations: [], marks: [], changes: [], gone: after ? [] : Object.keys(have).filter((id) => !this.logs.has(id)), people: [], more: false };
    const ids = [...this.logs.keys()];
    if (this.old) ids.sort((one, other) => Number(have[one] === this.item(one).version) - Number(have[other] === this.item(other).version));
    const from = after ? ids.indexOf(after) + 1 : 0;
    const page = ids.slice(from, from + this.listed);
    const following = ids[from + this.listed];
    answer.more = following !== undefined && (!this.old || have[following] !== this.item(following).version);
    if (!this.old) answer.next = answer.more ? (page.at(-1) ?? null) : null;
    let left = this.told;
    for (const id of page) {
      const item = this.item(id);
      const before = have[id];
      if (before === item.version) {
        const { version, barred, read_seq, unread, muted, pinned, hidden } = item;
        answer.marks.push({ id, version, barred, read_seq, unread, muted, pinned, hidden });
        continue;
      }
      answer.conversations.push(item);
      if (before === undefined) continue;
      const { messages } = this.log(id);
      const missing = item.version - before;
      const reset = missing < 0 || missing > RESET_AFTER || missing > left;
      const more = (reset ? NEWEST_PAGE : missing) > left;
      const told = reset ? messages.slice(more ? -1 : -NEWEST_PAGE) : messages.filter((message) => message.version > before);
      if (!more) left -= reset ? NEWEST_PAGE : missing;
      told.sort((one, other) => one.version - other.version);
      const part = told.slice(0, OLD_CHANGES_PAGE);
      if (this.old && !reset && part.length < told.length) {
        answer.changes.push({ conversation_id: id, reset, upto: part.at(-1)?.version ?? before, more: true, messages: part });
        answer.more = true;
        continue;
      }
      answer.changes.push({ conversation_id: id, reset, upto: item.version, more, messages: told });
    }
    answer.people = this.named((everybody ? page.map((id) => this.item(id)) : answer.conversations).flatMap((item) => item.peer_ids));
    return answer;
  }

  private page(id: string, query: URLSearchParams): MessagePage {
    const before = Number(query.get("before") ?? Infinity);
    const limit = Number(query.get("limit") ?? 50);
    const older = this.log(id).messages.filter((message) => message.seq < before);
    const items = older.slice(-limit).reverse();
    return { items, people: [], next: older.length > items.length ? String(items.at(-1)?.seq) : null, version: this.log(id).item.version };
  }

  async handle(path: string, init: RequestInit | undefined): Promise<Response> {
    if (!this.online) throw new TypeError("no network");
    const { pathname, searchParams } = new URL(path, "http://localhost");
    this.asked.push(`${init?.method ?? "GET"} ${pathname}${searchParams.size ? `?${searchParams.toString()}` : ""}`);
    const body = typeof init?.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const [, id = "", what] = /^\/api\/chat\/conversations\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    const person = /^\/api\/persons\/([^/]+)$/.exec(pathname)?.[1];
    let answer: unknown;
    if (pathname === "/api/chat/sync") answer = this.sync(body["have"] as Record<string, number>, (body["after"] as string | null | undefined) ?? null, body["people"] === true);
    else if (person) answer = { person: this.people.get(person), relation: "friend", request_id: null };
    else if (what === "messages") answer = this.page(id, searchParams);
    else if (what === "read") answer = this.markRead(id, Number(body["seq"]));
    else if (what === "pictures") answer = this.take(id, "", (init?.body as FormData).get("client_id") as string);
    else if (this.logs.has(id)) answer = { conversation: this.item(id), people: this.named(this.log(id).members) };
    else return new Response(JSON.stringify({ error: { code: "not_found", message: "" } }), { status: 404 });
    // What was true when the request was handled travels; it may be old when it arrives.
    const text = JSON.stringify(answer);
    if (this.latencyMs) await wait(this.latencyMs);
    if (!this.online) throw new TypeError("the network went away");
    return new Response(text, { status: 200 });
  }

  take(id: string, text: string, clientId: string): Message {
    this.sent.push(clientId);
    return this.say(id, text, SU, clientId);
  }

  /** Puts itself where the browser's network is. */
  install(): void {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const bank = this;
    vi.stubGlobal("fetch", (path: string, init?: RequestInit) => this.handle(path, init));
    vi.stubGlobal("WebSocket", class extends FakeSocket {
      constructor() {
        super(bank);
      }
    });
  }
}

class FakeSocket {
  static readonly OPEN = 1;
  readyState = 0;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(private readonly bank: Bank) {
    setTimeout(() => {
      if (!bank.online) {
        this.close();
        return;
      }
      this.readyState = 1;
      bank.sockets.add(this);
      this.hear({ type: "ready", v: 1, connection_id: "x", max_frame_bytes: 65_536, max_text: 4_000, now: "", person_id: SU });
    }, 0);
  }

  hear(frame: object): void {
    const data = JSON.stringify(frame);
    queueMicrotask(() => {
      if (this.readyState === 1) this.onmessage?.({ data });
    });
  }

  send(data: string): void {
    const frame = JSON.parse(data) as { type: string; conversation_id: string; client_id: string; text: string; seq: number };
    const { bank } = this;
    if (!bank.online) return;
    if (frame.type === "read") bank.markRead(frame.conversation_id, frame.seq);
    if (frame.type !== "send") return;
    const kind = bank.answer(frame.text);
    if (kind === "refuse") {
      bank.sent.push(frame.client_id);
      this.hear({ type: "error", code: "no", message: "no", params: {}, client_id: frame.client_id, conversation_id: frame.conversation_id, retry: false });
      return;
    }
    const again = bank.log(frame.conversation_id).messages.some((one) => one.client_id === frame.client_id);
    const message = bank.take(frame.conversation_id, frame.text, frame.client_id);
    const { id, conversation_id, seq, version, client_id, at } = message;
    if (kind === "ack") this.hear({ type: "ack", id, conversation_id, seq, version, client_id, at, again, warning: null });
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.bank.sockets.delete(this);
    queueMicrotask(() => this.onclose?.({ code: 1006 }));
  }
}
