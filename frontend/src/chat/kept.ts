import type { Person } from "@/shared/people";
import { clearAll, openDatabase, STORES, type Database, type KeptOutgoing, type KeptTalk, type Writing } from "./keptDatabase";
import type { ConversationItem, Message } from "./types";

/** Messages kept of a conversation, and how many more there may be before the oldest go. */
export const KEPT_MESSAGES = 400;
const SLACK = 100;
/** Conversations whose messages are kept; of the others only the line in the list. */
const KEPT_TALKS = 100;

type Write = (tx: Writing) => Promise<void>;

export interface Stretch {
  messages: Message[];
  version: number;
  /** There are older messages, here or on the server. */
  older: boolean;
}

function messagesOf(id: string, from = 0, below = Infinity): IDBKeyRange {
  return IDBKeyRange.bound([id, from], [id, below], false, true);
}

/** Opens the store for a person; what somebody else left is emptied first. */
export async function openKept(personId: string): Promise<Kept> {
  const kept = new Kept(personId);
  await kept.begin();
  return kept;
}

/**
 * The device's own store: the list of conversations, the last messages of those that were read here, and what is
 * still to be sent. It serves a start without a network and saves reading again. It never holds anything of the bank
 * session, belongs to one person, and is emptied when they sign out or somebody else signs in.
 *
 * What it keeps of a conversation is one stretch without holes that ends with the newest message and holds every
 * change up to `version`. Each transaction keeps that true, so that a crash between two of them leaves no hole; what
 * is older than `from` is the gap that is still to be filled. Where the browser has no store, everything works
 * without one.
 */
export class Kept {
  private db: Database | null = null;
  private readonly pending: Write[] = [];
  private flushing: Promise<void> = Promise.resolve();
  private planned = false;
  private ended = false;

  constructor(private readonly personId: string) {}

  get works(): boolean {
    return this.db !== null;
  }

  async begin(): Promise<void> {
    this.db = await openDatabase(() => {
      this.db = null;
    });
    await this.write(async (tx) => {
      const owner = await tx.objectStore("owner").get("owner");
      if (owner?.id === this.personId) return;
      await clearAll(tx);
      await tx.objectStore("owner").put({ key: "owner", id: this.personId, me: null });
    }, { claiming: true });
  }

  /** Ends; what was to be written still is. */
  close(): void {
    this.ended = true;
    void this.flushing.finally(() => {
      this.db?.close();
      this.db = null;
    });
  }

  /** Writes that come together go into one transaction, in their order; it resolves when they are kept, or given up. */
  private write(change: Write, options: { claiming?: boolean } = {}): Promise<void> {
    if (!this.db || this.ended) return Promise.resolve();
    this.pending.push(change);
    if (!this.planned) {
      this.planned = true;
      this.flushing = this.flushing.then(() => this.flush(options.claiming ?? false));
    }
    return this.flushing;
  }

  private async flush(claiming: boolean): Promise<void> {
    this.planned = false;
    const changes = this.pending.splice(0);
    const { db } = this;
    if (!db) return;
    try {
      const tx = db.transaction(STORES, "readwrite");
      const done = tx.done;
      done.catch(() => undefined);
      const owner = await tx.objectStore("owner").get("owner");
      // Another tab signed out, or somebody else in: nothing of ours may get into the store again.
      if (!claiming && owner?.id !== this.personId) {
        tx.abort();
        throw new Error("the store is not ours any more");
      }
      for (const change of changes) await change(tx);
      await done;
    } catch {
      this.db = null;
      db.close();
    }
  }

  /** What is read after a write sees it. */
  private async read<T>(ask: (db: Database) => Promise<T>, without: T): Promise<T> {
    await this.flushing;
    if (!this.db || this.ended) return without;
    try {
      const owner = await this.db.get("owner", "owner");
      return owner?.id === this.personId ? await ask(this.db) : without;
    } catch {
      return without;
    }
  }

  /** Everything but messages. Conversations that have not been lively for long lose theirs. */
  async restore(): Promise<{ talks: KeptTalk[]; people: Person[] }> {
    const found = await this.read(
      async (db) => ({ talks: await db.getAll("talks"), people: await db.getAll("people") }),
      { talks: [], people: [] },
    );
    const held = found.talks.filter((talk) => talk.from !== null).sort((one, other) => other.item.active_at.localeCompare(one.item.active_at));
    for (const talk of held.slice(KEPT_TALKS)) {
      talk.from = null;
      this.forgetMessages(talk.id);
    }
    return found;
  }

  rememberMe(me: unknown): Promise<void> {
    return this.write(async (tx) => {
      await tx.objectStore("owner").put({ key: "owner", id: this.personId, me });
    });
  }

  keepPeople(people: readonly Person[]): void {
    if (people.length === 0) return;
    void this.write(async (tx) => {
      const store = tx.objectStore("people");
      await Promise.all(people.map((person) => store.put(person)));
    });
  }

  /** The line of a conversation in the list. Its messages are not touched. */
  keepLine(item: ConversationItem, readTo: number): void {
    void this.write(async (tx) => {
      const store = tx.objectStore("talks");
      const before = await store.get(item.id);
      const held = before && before.from !== null;
      await store.put({
        id: item.id,
        item,
        version: held ? before.version : item.version,
        from: before?.from ?? null,
        whole: before?.whole ?? false,
        readTo: Math.max(readTo, before?.readTo ?? 0),
      });
    });
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) {
      void this.write(async (tx) => {
        await tx.objectStore("talks").delete(id);
        await tx.objectStore("messages").delete(messagesOf(id));
      });
    }
  }

  private forgetMessages(id: string): void {
    void this.write((tx) => this.letGo(tx, id));
  }

  private async letGo(tx: Writing, id: string): Promise<void> {
    const talk = await tx.objectStore("talks").get(id);
    if (talk) await tx.objectStore("talks").put({ ...talk, from: null, whole: false });
    await tx.objectStore("messages").delete(messagesOf(id));
  }

  /** All changes of a conversation after version `base` up to `upto`: pushed ones, or a page of sync. */
  advance(id: string, base: number, upto: number, messages: readonly Message[]): void {
    void this.write(async (tx) => {
      await this.settleSent(tx, messages);
      const talk = await tx.objectStore("talks").get(id);
      if (!talk || talk.from === null) return;
      if (talk.version < base) {
        // What lies between was never kept (another tab was sent away): no stretch with a hole.
        await this.letGo(tx, id);
        return;
      }
      const from = talk.from;
      await this.put(tx, messages.filter((message) => message.seq >= from));
      const newest = Math.max(talk.item.seq, ...messages.map((message) => message.seq));
      const kept = { ...talk, version: Math.max(talk.version, upto) };
      if (newest - from + 1 > KEPT_MESSAGES + SLACK) {
        kept.from = newest - KEPT_MESSAGES + 1;
        kept.whole = false;
        await tx.objectStore("messages").delete(messagesOf(id, 0, kept.from));
      }
      await tx.objectStore("talks").put(kept);
    });
  }

  /** The newest page as the server gave it at `version`, instead of whatever was kept. */
  replace(id: string, version: number, page: readonly Message[], whole: boolean): void {
    const messages = [...page].sort((one, other) => one.seq - other.seq).slice(-KEPT_MESSAGES);
    void this.write(async (tx) => {
      await this.settleSent(tx, messages);
      const talk = await tx.objectStore("talks").get(id);
      if (!talk) return;
      await tx.objectStore("messages").delete(messagesOf(id));
      await this.put(tx, messages);
      const from = messages[0]?.seq ?? null;
      await tx.objectStore("talks").put({ ...talk, version, from, whole: whole && messages.length === page.length && from !== null });
    });
  }

  /** An older page that ends right before `before`, as it is now. Only where the stretch begins there. */
  extend(id: string, before: number, messages: readonly Message[], whole: boolean): void {
    void this.write(async (tx) => {
      const talk = await tx.objectStore("talks").get(id);
      if (!talk || talk.from !== before) return;
      const from = Math.min(before, ...messages.map((message) => message.seq));
      if (talk.item.seq - from + 1 > KEPT_MESSAGES) return;
      await this.put(tx, messages);
      await tx.objectStore("talks").put({ ...talk, from, whole });
    });
  }

  private async put(tx: Writing, messages: readonly Message[]): Promise<void> {
    const store = tx.objectStore("messages");
    for (const message of messages) {
      const there = await store.get([message.conversation_id, message.seq]);
      if (!there || message.version >= there.version) await store.put(message);
    }
  }

  /** What arrived of our own is not to be sent any more. */
  private async settleSent(tx: Writing, messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      if (message.sender_id !== this.personId) continue;
      const place = await tx.objectStore("outbox").index("clientId").getKey(message.client_id);
      if (place !== undefined) await tx.objectStore("outbox").delete(place);
    }
  }

  /** What is kept of a conversation without its messages: where the gap begins. */
  stretchOf(id: string): Promise<KeptTalk | null> {
    return this.read(async (db) => (await db.get("talks", id)) ?? null, null);
  }

  /** The newest messages, or null where none are kept. */
  newest(id: string, limit: number): Promise<Stretch | null> {
    return this.page(id, Infinity, limit);
  }

  /** Messages before a seq; null where they are not kept. */
  older(id: string, before: number, limit: number): Promise<Stretch | null> {
    return this.page(id, before, limit);
  }

  private page(id: string, below: number, limit: number): Promise<Stretch | null> {
    return this.read(async (db) => {
      const tx = db.transaction(["talks", "messages"]);
      const talk = await tx.objectStore("talks").get(id);
      if (!talk || talk.from === null || talk.from >= below) return null;
      const messages: Message[] = [];
      let cursor = await tx.objectStore("messages").openCursor(messagesOf(id, talk.from, below), "prev");
      while (cursor && messages.length < limit) {
        messages.push(cursor.value);
        cursor = await cursor.continue();
      }
      const first = messages.at(-1)?.seq ?? talk.from;
      return messages.length > 0 ? { messages, version: talk.version, older: first > talk.from || !talk.whole } : null;
    }, null);
  }

  /** Keeps what is to be sent; resolves when it is on the device. False where nothing can be kept. */
  async post(out: KeptOutgoing): Promise<boolean> {
    await this.write(async (tx) => {
      await tx.objectStore("outbox").add(out);
    });
    return this.works;
  }

  async change(clientId: string, what: Partial<Pick<KeptOutgoing, "state" | "reason">>): Promise<void> {
    await this.write(async (tx) => {
      const store = tx.objectStore("outbox");
      const there = await store.index("clientId").get(clientId);
      if (there) await store.put({ ...there, ...what });
    });
  }

  async settle(clientId: string): Promise<void> {
    await this.write(async (tx) => {
      const place = await tx.objectStore("outbox").index("clientId").getKey(clientId);
      if (place !== undefined) await tx.objectStore("outbox").delete(place);
    });
  }

  /** Everything that is still to be sent, in order; null where it cannot be known. */
  waiting(): Promise<KeptOutgoing[] | null> {
    return this.read<KeptOutgoing[] | null>((db) => db.getAll("outbox"), null);
  }
}
