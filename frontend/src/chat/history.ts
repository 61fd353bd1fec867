import { api } from "@/shared/api";
import type { Person } from "@/shared/people";
import type { Kept, Stretch } from "./kept";
import { KEPT_MESSAGES } from "./kept";
import { merge } from "./log";
import type { Message, MessagePage, Talk } from "./types";

export const PAGE = 40;
/** A gap is filled while the person reads the newest: a page, then a pause for whoever else wants the server. */
const FILL_PAGE = 100;
const FILL_PAUSE_MS = 400;

export interface HistoryPort {
  kept: () => Kept | null;
  know: (people: readonly Person[]) => void;
  scheduleSync: () => void;
  /** Whether the person still reads that conversation over a connection. */
  reading: (id: string) => boolean;
}

/**
 * The pages of conversations: from the device where they are kept and not behind, else from the server. A page is as
 * old as its request; what changes while it is on its way is noticed and laid over it.
 */
export function useHistory(port: HistoryPort) {
  const noticing = new Map<string, Set<Message[]>>();
  const filling = new Set<string>();
  const opening = new Map<string, Promise<void>>();

  /** Something of the conversation arrived: whoever waits for one of its pages has to know. */
  function notice(id: string, messages: readonly Message[]): void {
    for (const noticed of noticing.get(id) ?? []) noticed.push(...messages);
  }

  /** Runs a request for a page; its messages come in the newest version that was seen meanwhile. */
  async function current<P extends { items: Message[] } | { messages: Message[] }>(id: string, request: () => Promise<P | null>): Promise<{ page: P; messages: Message[] } | null> {
    const noticed: Message[] = [];
    const all = noticing.get(id) ?? new Set();
    noticing.set(id, all.add(noticed));
    try {
      const page = await request();
      if (!page) return null;
      const newer = new Map<number, Message>();
      for (const message of noticed) if (message.version > (newer.get(message.seq)?.version ?? 0)) newer.set(message.seq, message);
      const read = "items" in page ? page.items : page.messages;
      const messages = read.map((message) => {
        const other = newer.get(message.seq);
        return other && other.version > message.version ? other : message;
      });
      return { page, messages };
    } finally {
      all.delete(noticed);
      if (all.size === 0) noticing.delete(id);
    }
  }

  const fetchPage = (id: string, limit: number, before?: number): Promise<MessagePage> =>
    api.get<MessagePage>(`/api/chat/conversations/${id}/messages`, { query: { limit, before } });

  /** Shows a newest page that was complete at `version`. What came after it is brought by sync. */
  function show(talk: Talk, messages: readonly Message[], version: number, older: boolean): void {
    talk.messages = merge([], messages, { older: true });
    talk.older = older;
    talk.loaded = true;
    if (version !== talk.version) port.scheduleSync();
    talk.version = version;
    const newest = talk.messages.at(-1);
    if (newest && newest.seq >= talk.seq) Object.assign(talk, { seq: newest.seq, last: newest });
  }

  /** The newest page of a conversation, unless it is here. */
  function open(talk: Talk): Promise<void> {
    if (talk.loaded) return Promise.resolve();
    const running = opening.get(talk.id) ?? load(talk).finally(() => opening.delete(talk.id));
    opening.set(talk.id, running);
    return running;
  }

  async function load(talk: Talk): Promise<void> {
    talk.error = null;
    try {
      const kept = (await port.kept()?.newest(talk.id, PAGE)) ?? null;
      // Of a conversation that went on for long without this device, only the newest message may be here.
      const scant = !kept || (kept.older && kept.messages.length < PAGE);
      if (!scant || !(await showNewest(talk, kept !== null))) {
        if (kept) show(talk, kept.messages, kept.version, kept.older);
      }
    } catch (thrown) {
      talk.error = thrown;
      return;
    }
    void fill(talk);
  }

  /** Shows the newest page as the server has it. False where it does not answer; throws then unless it `may` fail. */
  async function showNewest(talk: Talk, may: boolean): Promise<boolean> {
    const found = await current(talk.id, () => fetchPage(talk.id, PAGE)).catch((thrown: unknown) => {
      if (!may) throw thrown;
      return null;
    });
    if (!found) return false;
    port.know(found.page.people);
    show(talk, found.messages, found.page.version, found.page.next !== null);
    port.kept()?.replace(talk.id, found.page.version, found.messages, found.page.next === null);
    return true;
  }

  async function loadOlder(talk: Talk): Promise<void> {
    const first = talk.messages[0]?.seq;
    if (first === undefined || !talk.older || talk.loadingOlder) return;
    talk.loadingOlder = true;
    try {
      const kept = await current<Stretch>(talk.id, async () => (await port.kept()?.older(talk.id, first, PAGE)) ?? null);
      if (kept && kept.page.version >= talk.version) {
        if (talk.messages[0]?.seq !== first) return;
        talk.messages = merge(talk.messages, kept.messages, { older: true });
        talk.older = kept.page.older;
        return;
      }
      const found = await current(talk.id, () => fetchPage(talk.id, PAGE, first));
      // A reset meanwhile began another stretch; this page does not touch it.
      if (!found || talk.messages[0]?.seq !== first) return;
      port.know(found.page.people);
      talk.messages = merge(talk.messages, found.messages, { older: true });
      talk.older = found.page.next !== null;
      port.kept()?.extend(talk.id, first, found.messages, !talk.older);
    } finally {
      talk.loadingOlder = false;
    }
  }

  /**
   * Fills the gap below what the device keeps, newest first, while the person reads. Where it begins stands in the
   * store, so that after a crash it goes on from there.
   */
  async function fill(talk: Talk): Promise<void> {
    if (filling.has(talk.id)) return;
    filling.add(talk.id);
    try {
      for (;;) {
        await new Promise((resolve) => {
          setTimeout(resolve, FILL_PAUSE_MS);
        });
        const kept = port.kept();
        const stretch = await kept?.stretchOf(talk.id);
        if (!kept || !stretch || stretch.from === null || stretch.whole || !port.reading(talk.id)) return;
        if (stretch.item.seq - stretch.from + 1 + FILL_PAGE > KEPT_MESSAGES) return;
        const before = stretch.from;
        const found = await current(talk.id, () => fetchPage(talk.id, FILL_PAGE, before));
        if (!found) return;
        port.know(found.page.people);
        kept.extend(talk.id, before, found.messages, found.page.next === null);
        const now = await kept.stretchOf(talk.id);
        if (now?.from === before) return;
      }
    } catch {
      // Without a connection the gap stays; it is filled at the next visit.
    } finally {
      filling.delete(talk.id);
    }
  }

  /** Keeps the newest page of a conversation that was never read on this device, for a time without a network. */
  async function prefetch(talk: Talk): Promise<void> {
    const kept = port.kept();
    if (!kept?.works || talk.loaded || talk.seq === 0 || opening.has(talk.id)) return;
    const stretch = await kept.stretchOf(talk.id);
    if (!stretch || (stretch.from !== null && (stretch.whole || stretch.from < stretch.item.seq))) return;
    const found = await current(talk.id, () => fetchPage(talk.id, PAGE));
    if (!found || talk.loaded || opening.has(talk.id)) return;
    port.know(found.page.people);
    kept.replace(talk.id, found.page.version, found.messages, found.page.next === null);
    if (talk.version > found.page.version) {
      talk.version = found.page.version;
      port.scheduleSync();
    }
  }

  return { notice, open, loadOlder, fill, prefetch };
}
