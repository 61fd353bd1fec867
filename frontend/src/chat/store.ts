import { defineStore } from "pinia";
import { computed, ref, shallowReactive, watch } from "vue";
import { api, ApiError } from "@/shared/api";
import type { Person } from "@/shared/people";
import { useCourier } from "./courier";
import { drafts } from "./drafts";
import { useHistory } from "./history";
import { Kept, openKept } from "./kept";
import { emptyKept } from "./keptDatabase";
import { merge } from "./log";
import { Outbox } from "./outbox";
import { usePeople } from "./people";
import { previewOf } from "./preview";
import { onHint, socket } from "./socket";
import { acknowledgedMessage, itemOf, newTalk, peerOf, showTyping, talkName } from "./talks";
import type { ConversationDetail, ConversationItem, FrameOf, Message, Outgoing, SyncAnswer, Talk, TalkSummary } from "./types";

const TYPING_EVERY_MS = 2_500;
/** The server counts what is unread to here and no further; all devices say the same. */
const UNREAD_COUNTED = 100;
const GAP_WAIT_MS = 150;
const REFRESH_WAIT_MS = 100;
const MAX_SYNC_ROUNDS = 50;
/** Lively conversations whose newest page is fetched ahead, so that they open without a network. */
const AHEAD = 12;
const AHEAD_AFTER_MS = 2_000;
/** A push may be lost without a trace: whoever looks at the app asks now and then. */
const ASK_EVERY_MS = 5 * 60_000;

export const useChat = defineStore("chat", () => {
  const meId = ref<string | null>(null);
  const talks = shallowReactive(new Map<string, Talk>());
  const ready = ref(false);
  const error = ref<unknown>(null);
  const known = usePeople(() => kept);
  const { all: people, know } = known;
  /** Large groups whose members were asked for since everybody was: the list names only the first of them. */
  const met = new Set<string>();
  const typedAt = new Map<string, number>();
  const refreshing = new Map<string, ReturnType<typeof setTimeout>>();
  let syncing: Promise<void> | null = null;
  let again = false;
  let gap: ReturnType<typeof setTimeout> | undefined;
  let ahead: ReturnType<typeof setTimeout> | undefined;
  let asking: ReturnType<typeof setInterval> | undefined;
  /** Where a sync that took too many rounds goes on. */
  let rest: string | null = null;
  let looking: string | null = null;
  let kept: Kept | null = null;
  let outbox: Outbox | null = null;
  let restored: Promise<void> = Promise.resolve();
  const unsent = ref(0);

  const courier = useCourier(apply);
  const history = useHistory({
    kept: () => kept,
    know,
    scheduleSync,
    reading: (id) => looking === id && socket.status.value === "open",
  });

  const list = computed(() =>
    [...talks.values()]
      .filter((talk) => !talk.hidden)
      .sort((one, other) => Number(other.pinned) - Number(one.pinned) || other.active_at.localeCompare(one.active_at)),
  );
  const unread = computed(() => list.value.reduce((sum, talk) => sum + (talk.muted ? 0 : talk.unread), 0));

  /** What the list shows of a conversation goes to the device. */
  function note(talk: Talk): void {
    kept?.keepLine(itemOf(talk), talk.readTo);
  }

  /**
   * Takes over what the server says of a conversation; what it holds of messages stays. `asked` is the version that we
   * had when we asked: an answer that pushes have overtaken is older than what we show, and is asked for again. (One
   * that is older than the question comes from a restored database, and is the truth.)
   */
  function put(item: ConversationItem, asked: number): Talk {
    let talk = talks.get(item.id);
    if (talk && item.version < talk.version && asked <= item.version) {
      scheduleSync();
    } else if (talk) {
      Object.assign(talk, { ...item, version: talk.version });
    } else {
      talk = shallowReactive(newTalk(item));
      talk.outgoing = outbox?.of(item.id) ?? [];
      talks.set(item.id, talk);
    }
    settleUnread(talk);
    note(talk);
    return talk;
  }

  /** What was read here while there was no network counts as read, before the server hears of it. */
  function settleUnread(talk: Talk): void {
    if (talk.readTo >= talk.seq) talk.unread = 0;
  }

  function learn(found: ConversationDetail, asked: number): Talk {
    know(found.people);
    return put(found.conversation, asked);
  }
  const versionOf = (id: string): number => talks.get(id)?.version ?? 0;

  /** From what we have to the present; a second call while one runs runs once more after it. */
  function sync(): Promise<void> {
    if (syncing) {
      again = true;
      return syncing;
    }
    syncing = (async () => {
      try {
        do {
          again = false;
          await rounds();
        } while (again);
        ready.value = true;
        error.value = null;
      } catch (thrown) {
        error.value = thrown;
      } finally {
        syncing = null;
      }
    })();
    return syncing;
  }

  async function rounds(): Promise<void> {
    await restored;
    let after = rest;
    let more = true;
    const everybody = known.due();
    rest = null;
    for (let round = 0; more && round < MAX_SYNC_ROUNDS; round += 1) {
      const have = Object.fromEntries([...talks.values()].map((talk) => [talk.id, talk.version]));
      const answer = await api.post<SyncAnswer>("/api/chat/sync", { have, after, people: everybody });
      take(answer, have);
      after = answer.next ?? null;
      more = answer.more;
    }
    if (more) {
      rest = after;
      scheduleSync();
    } else if (everybody) {
      known.caughtUp();
      met.clear();
    }
    await tellRead();
  }

  /** What was read without a network, or over a connection that broke, so that every device counts the same. */
  async function tellRead(): Promise<void> {
    for (const talk of talks.values()) {
      if (talk.readTo <= talk.read_seq) continue;
      try {
        const told = await api.post<{ seq: number; unread: number }>(`/api/chat/conversations/${talk.id}/read`, { seq: talk.readTo });
        Object.assign(talk, { read_seq: told.seq, readTo: told.seq, unread: told.unread });
      } catch (thrown) {
        // The conversation is no longer theirs: sync says so.
        if (!(thrown instanceof ApiError) || thrown.passing) throw thrown;
        talk.readTo = talk.read_seq;
      }
      note(talk);
    }
  }

  function take(answer: SyncAnswer, have: Readonly<Record<string, number>>): void {
    know(answer.people);
    for (const item of answer.conversations) put(item, have[item.id] ?? 0);
    for (const mark of answer.marks) {
      const talk = talks.get(mark.id);
      if (!talk || talk.version !== mark.version) continue;
      if ((Object.keys(mark) as (keyof typeof mark)[]).every((key) => mark[key] === talk[key])) continue;
      Object.assign(talk, mark);
      settleUnread(talk);
      note(talk);
    }
    for (const change of answer.changes) {
      const talk = talks.get(change.conversation_id);
      if (!talk) continue;
      history.notice(talk.id, change.messages);
      if (change.reset) restart(talk, change);
      else {
        if (talk.loaded) talk.messages = merge(talk.messages, change.messages);
        talk.version = Math.max(talk.version, change.upto);
        kept?.advance(talk.id, have[talk.id] ?? 0, change.upto, change.messages);
      }
      for (const message of change.messages) confirm(message);
      note(talk);
    }
    forget(answer.gone);
    if (looking) markRead(looking);
  }

  /** Too much has changed to tell it all: the newest page, and whatever was pushed after it. */
  function restart(talk: Talk, change: SyncAnswer["changes"][number]): void {
    const whole = Math.min(...change.messages.map((message) => message.seq)) <= 1;
    if (change.more) {
      // The newest message alone: its page is read when somebody opens it.
      Object.assign(talk, { messages: [], loaded: false, older: true });
    } else if (talk.loaded) {
      const later = talk.messages.filter((message) => message.version > change.upto);
      talk.messages = merge(merge([], change.messages, { older: true }), later);
      talk.older = !whole;
    }
    if (talk.version > change.upto) scheduleSync();
    talk.version = change.upto;
    kept?.replace(talk.id, change.upto, change.messages, whole);
    if (looking === talk.id) void (change.more ? history.open(talk) : history.fill(talk));
  }

  function forget(ids: readonly string[]): void {
    for (const id of ids) talks.delete(id);
    kept?.forget(ids);
  }

  /** Our own message is there: what stood for it goes. */
  function confirm(message: Message): void {
    if (message.sender_id !== meId.value) return;
    courier.confirmed(message.client_id);
    void outbox?.settle(message.client_id);
  }

  /** A message, or a new version of one, from the socket or from our own sending. */
  function apply(message: Message): void {
    const talk = talks.get(message.conversation_id);
    if (!talk) {
      scheduleSync();
      return;
    }
    history.notice(talk.id, [message]);
    if (message.version === talk.version + 1) {
      talk.version = message.version;
      kept?.advance(talk.id, message.version - 1, message.version, [message]);
    } else if (message.version > talk.version) {
      scheduleSync();
    }
    confirm(message);
    if (talk.loaded) talk.messages = merge(talk.messages, [message]);
    const fresh = message.seq > talk.seq;
    if (fresh) {
      talk.seq = message.seq;
      talk.active_at = message.at;
      talk.hidden = false;
    }
    if (!talk.last || message.seq > talk.last.seq || (message.seq === talk.last.seq && message.version >= talk.last.version)) talk.last = message;
    if (talk.typing && talk.typing.personId === message.sender_id) talk.typing = null;
    const theirs = message.sender_id !== null && message.sender_id !== meId.value && message.kind !== "notice";
    // A line of the house may say who came or went; a recalled message is not unread any more.
    if (message.kind === "notice" || (theirs && message.recalled && message.seq > talk.read_seq)) refreshSoon(talk.id);
    if (fresh && theirs && !message.recalled && message.seq > talk.read_seq) {
      if (!people.has(message.sender_id ?? "")) void refresh(talk.id);
      talk.unread = Math.min(talk.unread + 1, UNREAD_COUNTED);
      if (looking === talk.id) markRead(talk.id);
    }
    note(talk);
  }

  function scheduleSync(): void {
    clearTimeout(gap);
    gap = setTimeout(() => void sync(), GAP_WAIT_MS);
  }

  /** Asks for one conversation: its members, its marks. Null where it is not the person's. */
  async function find(id: string): Promise<Talk | null> {
    const asked = versionOf(id);
    try {
      return learn(await api.get<ConversationDetail>(`/api/chat/conversations/${id}`), asked);
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 404) throw thrown;
      forget([id]);
      return null;
    }
  }
  const refresh = (id: string): Promise<Talk | null> => find(id).catch(() => null);

  /** What comes together about a conversation is asked for once. */
  function refreshSoon(id: string): void {
    if (refreshing.has(id)) return;
    refreshing.set(
      id,
      setTimeout(() => {
        refreshing.delete(id);
        void refresh(id);
      }, REFRESH_WAIT_MS),
    );
  }

  /** The newest page of a conversation, unless it is here. Throws where it cannot be known whether there is one. */
  async function open(id: string): Promise<void> {
    await restored;
    const talk = talks.get(id) ?? (await find(id));
    if (!talk) return;
    await history.open(talk);
    if (talk.member_count - 1 <= talk.peer_ids.length || met.has(id)) return;
    met.add(id);
    if (!(await refresh(id))) met.delete(id);
  }

  async function loadOlder(id: string): Promise<void> {
    const talk = talks.get(id);
    if (talk) await history.loadOlder(talk);
  }

  /** What waits to be sent has changed. */
  function showOutgoing(id: string, waiting: readonly Outgoing[]): void {
    unsent.value = outbox?.size ?? 0;
    const talk = talks.get(id);
    if (!talk) return;
    talk.outgoing = waiting;
    const newest = waiting.at(-1);
    if (newest && newest.at > talk.active_at) talk.active_at = newest.at;
  }

  /** Says something: shown at once, sent in order when there is a connection. Resolves when the device has it. */
  const say = (id: string, text: string): Promise<void> => restored.then(() => outbox?.say(id, { text }));
  const showPicture = (id: string, file: File): Promise<void> => restored.then(() => outbox?.say(id, { file }));
  const retry = (clientId: string): void => void outbox?.retry(clientId);
  const discard = (clientId: string): void => void outbox?.settle(clientId);

  const recall = async (message: Message): Promise<void> => apply(await api.post<Message>(`/api/chat/messages/${message.id}/recall`));

  /** Everything in the conversation has been seen. */
  function markRead(id: string): void {
    const talk = talks.get(id);
    if (!talk) return;
    talk.unread = 0;
    if (talk.seq <= talk.read_seq) return;
    talk.readTo = Math.max(talk.readTo, talk.seq);
    if (socket.send({ type: "read", conversation_id: id, seq: talk.seq })) talk.read_seq = talk.seq;
    note(talk);
  }

  /** The conversation that the person is looking at, or null. */
  function lookAt(id: string | null): void {
    looking = id;
    if (id) markRead(id);
  }

  function typing(id: string): void {
    if (Date.now() - (typedAt.get(id) ?? 0) < TYPING_EVERY_MS) return;
    typedAt.set(id, Date.now());
    socket.send({ type: "typing", conversation_id: id });
  }

  async function mark(id: string, marks: { muted?: boolean; pinned?: boolean; hidden?: boolean }): Promise<void> {
    const asked = versionOf(id);
    const talk = learn(await api.patch<ConversationDetail>(`/api/chat/conversations/${id}`, marks), asked);
    Object.assign(talk, marks);
  }

  async function opened(path: string, body: object): Promise<string> {
    const found = await api.post<ConversationDetail>(path, body);
    return learn(found, versionOf(found.conversation.id)).id;
  }
  /** The conversation with a friend, opened if need be. */
  const openWith = (personId: string): Promise<string> => opened("/api/chat/conversations", { person_id: personId });
  const openGroup = (id: string, title: string, memberIds: readonly string[]): Promise<string> =>
    opened("/api/chat/groups", { id, title, member_ids: memberIds });

  const peer = (talk: Talk): Person | null => peerOf(talk, people, meId.value);
  const nameOf = (talk: Talk): string => talkName(talk, people, meId.value);

  function conversation(id: string): TalkSummary | undefined {
    const talk = talks.get(id);
    return talk && { unread: talk.unread, preview: previewOf(talk, people, meId.value), at: talk.active_at };
  }

  const stops: (() => void)[] = [];

  /** Begins for a person; for another one than before, from nothing. `keep`: this is the person's own device. */
  function start(personId: string, keep: boolean): void {
    if (meId.value === personId) return;
    stop();
    meId.value = personId;
    restored = restore(personId, keep);
    stops.push(
      socket.on("ready", () => {
        courier.interrupt();
        void sync().then(() => outbox?.resume());
      }),
      watch(socket.status, (status) => {
        if (status !== "open") courier.interrupt();
      }),
      socket.on("message", (frame) => apply(frame.message)),
      socket.on("ack", (frame) => acknowledged(frame)),
      socket.on("error", (frame) => courier.refused(frame)),
      socket.on("read", (frame) => {
        const talk = talks.get(frame.conversation_id);
        if (!talk || frame.seq < talk.read_seq) return;
        // An answer that was on its way meanwhile does not know of it: what was read stays read (see settleUnread).
        Object.assign(talk, { read_seq: frame.seq, unread: frame.unread, readTo: Math.max(talk.readTo, frame.seq) });
        settleUnread(talk);
        note(talk);
      }),
      socket.on("typing", (frame) => {
        const talk = talks.get(frame.conversation_id);
        if (talk) showTyping(talk, frame.person_id);
      }),
      socket.on("behind", scheduleSync),
      onHint("people", (data) => known.changed(data["person_id"])),
      socket.on("conversation", (frame) => {
        if (frame.gone) forget([frame.conversation_id]);
        else refreshSoon(frame.conversation_id);
      }),
    );
    asking = setInterval(() => {
      if (document.visibilityState === "visible" && socket.status.value === "open") scheduleSync();
    }, ASK_EVERY_MS);
    socket.start();
    void sync().then(() => {
      ahead = setTimeout(() => void fetchAhead(), AHEAD_AFTER_MS);
    });
  }

  /** What the device has is there before the server answers. */
  async function restore(personId: string, keep: boolean): Promise<void> {
    const found = keep ? await openKept(personId) : new Kept(personId);
    if (!keep) void emptyKept(personId);
    if (meId.value !== personId) {
      found.close();
      return;
    }
    const { talks: lines, people: cards } = await found.restore();
    if (meId.value !== personId) {
      found.close();
      return;
    }
    for (const line of lines) {
      if (talks.has(line.id)) continue;
      talks.set(line.id, shallowReactive({ ...newTalk(line.item), version: line.version, readTo: line.readTo }));
    }
    kept = found;
    known.restore(cards);
    outbox = new Outbox({ personId, kept: found, transmit: courier.transmit, show: showOutgoing });
    await outbox.look();
    if (talks.size > 0) ready.value = true;
  }

  /** Who this is, for a start without a network. */
  const rememberMe = (me: object): void => void restored.then(() => kept?.rememberMe(me));

  /** The newest page of what is most lively, for a time without a network. */
  async function fetchAhead(): Promise<void> {
    for (const talk of list.value.slice(0, AHEAD)) {
      if (socket.status.value !== "open") return;
      await history.prefetch(talk).catch(() => undefined);
    }
  }

  function acknowledged(frame: FrameOf<"ack">): void {
    const out = outbox?.find(frame.client_id);
    if (out) apply(acknowledgedMessage(frame, out.text, meId.value));
  }

  function stop(): void {
    for (const end of stops.splice(0)) end();
    outbox?.close();
    courier.interrupt();
    clearTimeout(gap);
    clearTimeout(ahead);
    clearInterval(asking);
    for (const waiting of refreshing.values()) clearTimeout(waiting);
    refreshing.clear();
    socket.stop();
    kept?.close();
    kept = null;
    outbox = null;
    talks.clear();
    known.forget();
    met.clear();
    drafts.clear();
    unsent.value = 0;
    ready.value = false;
    error.value = null;
    looking = rest = null;
    meId.value = null;
  }

  return {
    meId, talks, people, list, unread, unsent, ready, error,
    start, stop, sync, rememberMe, open, loadOlder, refresh, say, showPicture, retry, discard, recall, markRead, lookAt, typing, mark, openWith, openGroup,
    peer, nameOf, conversation,
  };
});
