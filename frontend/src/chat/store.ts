import { defineStore } from "pinia";
import { computed, ref, shallowReactive } from "vue";
import { api, ApiError, messageOf } from "@/shared/api";
import type { Person } from "@/shared/people";
import { merge } from "./log";
import { previewOf } from "./preview";
import { socket } from "./socket";
import { acknowledgedMessage, newOutgoing, newTalk, peerOf, pictureForm, showTyping, talkName } from "./talks";
import type { ConversationDetail, ConversationItem, FrameOf, Message, MessagePage, Outgoing, SyncAnswer, Talk, TalkSummary } from "./types";

const PAGE = 40;
const ACK_LIMIT_MS = 12_000;
const MAX_TRIES = 3;
const TYPING_EVERY_MS = 2_500;
const GAP_WAIT_MS = 150;
const MAX_SYNC_ROUNDS = 50;

export const useChat = defineStore("chat", () => {
  const meId = ref<string | null>(null);
  const talks = shallowReactive(new Map<string, Talk>());
  const people = shallowReactive(new Map<string, Person>());
  const ready = ref(false);
  const error = ref<unknown>(null);
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  const uploading = new Set<string>();
  const typedAt = new Map<string, number>();
  let syncing: Promise<void> | null = null;
  let again = false;
  let gap: ReturnType<typeof setTimeout> | undefined;
  let looking: string | null = null;

  const list = computed(() =>
    [...talks.values()]
      .filter((talk) => !talk.hidden)
      .sort((one, other) => Number(other.pinned) - Number(one.pinned) || other.active_at.localeCompare(one.active_at)),
  );
  const unread = computed(() => list.value.reduce((sum, talk) => sum + (talk.muted ? 0 : talk.unread), 0));

  function know(found: readonly Person[]): void {
    for (const person of found) people.set(person.id, person);
  }

  /** Takes over what the server says of a conversation; what it holds of messages stays. */
  function put(item: ConversationItem): Talk {
    const known = talks.get(item.id);
    if (known) {
      Object.assign(known, { ...item, version: known.version });
      return known;
    }
    const talk = shallowReactive(newTalk(item));
    talks.set(item.id, talk);
    return talk;
  }

  function learn(found: ConversationDetail): Talk {
    know(found.people);
    return put(found.conversation);
  }

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
    for (let round = 0; round < MAX_SYNC_ROUNDS; round += 1) {
      const have = Object.fromEntries([...talks.values()].map((talk) => [talk.id, talk.version]));
      const answer = await api.post<SyncAnswer>("/api/chat/sync", { have });
      take(answer);
      if (!answer.changes.some((change) => change.more)) return;
    }
  }

  function take(answer: SyncAnswer): void {
    know(answer.people);
    for (const item of answer.conversations) put(item);
    for (const mark of answer.marks) {
      const talk = talks.get(mark.id);
      if (talk && talk.version === mark.version) Object.assign(talk, mark);
    }
    for (const change of answer.changes) {
      const talk = talks.get(change.conversation_id);
      if (!talk) continue;
      if (change.reset) {
        if (talk.loaded) {
          talk.messages = merge([], change.messages, { older: true });
          talk.older = (talk.messages[0]?.seq ?? 1) > 1;
        }
        talk.version = change.upto;
      } else {
        if (talk.loaded) talk.messages = merge(talk.messages, change.messages);
        talk.version = Math.max(talk.version, change.upto);
      }
      for (const message of change.messages) confirm(talk, message);
    }
    for (const id of answer.gone) talks.delete(id);
    if (looking) markRead(looking);
  }

  /** Our own message is there: what stood for it goes. */
  function confirm(talk: Talk, message: Message): void {
    if (message.sender_id !== meId.value) return;
    settle(talk, message.client_id);
  }

  function settle(talk: Talk, clientId: string): void {
    clearTimeout(waiting.get(clientId));
    waiting.delete(clientId);
    const there = talk.outgoing.find((one) => one.clientId === clientId);
    if (!there) return;
    if (there.preview) URL.revokeObjectURL(there.preview);
    talk.outgoing = talk.outgoing.filter((one) => one.clientId !== clientId);
  }

  /** A message, or a new version of one, from the socket or from our own sending. */
  function apply(message: Message): void {
    const talk = talks.get(message.conversation_id);
    if (!talk) {
      scheduleSync();
      return;
    }
    if (message.version === talk.version + 1) talk.version = message.version;
    else if (message.version > talk.version) scheduleSync();
    confirm(talk, message);
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
    if (fresh && theirs) {
      if (!people.has(message.sender_id ?? "")) void refresh(talk.id);
      talk.unread += 1;
      if (looking === talk.id) markRead(talk.id);
    }
  }

  function scheduleSync(): void {
    clearTimeout(gap);
    gap = setTimeout(() => void sync(), GAP_WAIT_MS);
  }

  /** Asks for one conversation again: its members, its marks. */
  async function refresh(id: string): Promise<Talk | null> {
    try {
      return learn(await api.get<ConversationDetail>(`/api/chat/conversations/${id}`));
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) talks.delete(id);
      return null;
    }
  }

  /** The newest page of a conversation, unless it is here. */
  async function open(id: string): Promise<void> {
    const talk = talks.get(id) ?? (await refresh(id));
    if (!talk || talk.loaded) return;
    talk.error = null;
    try {
      const page = await api.get<MessagePage>(`/api/chat/conversations/${id}/messages`, { query: { limit: PAGE } });
      know(page.people);
      talk.messages = merge([], page.items, { older: true });
      talk.older = page.next !== null;
      talk.loaded = true;
      // What was pushed while the page was on its way is in neither, or in both: sync says.
      if (page.version !== talk.version) scheduleSync();
      talk.version = page.version;
      const newest = page.items[0];
      if (newest && newest.seq >= talk.seq) Object.assign(talk, { seq: newest.seq, last: newest });
    } catch (thrown) {
      talk.error = thrown;
    }
  }

  async function loadOlder(id: string): Promise<void> {
    const talk = talks.get(id);
    const first = talk?.messages[0];
    if (!talk || !first || !talk.older || talk.loadingOlder) return;
    talk.loadingOlder = true;
    try {
      const page = await api.get<MessagePage>(`/api/chat/conversations/${id}/messages`, { query: { limit: PAGE, before: first.seq } });
      know(page.people);
      talk.messages = merge(talk.messages, page.items, { older: true });
      talk.older = page.next !== null;
    } finally {
      talk.loadingOlder = false;
    }
  }

  function change(talk: Talk, clientId: string, what: Partial<Outgoing>): void {
    talk.outgoing = talk.outgoing.map((one) => (one.clientId === clientId ? { ...one, ...what } : one));
  }

  /** Says something: shown at once, sent when there is a connection, in order. */
  function say(id: string, text: string): void {
    const talk = talks.get(id);
    if (!talk) return;
    const out = newOutgoing({ text });
    talk.outgoing = [...talk.outgoing, out];
    talk.active_at = out.at;
    transmit(talk, out.clientId);
  }

  function transmit(talk: Talk, clientId: string): void {
    const out = talk.outgoing.find((one) => one.clientId === clientId);
    if (!out || out.state !== "sending" || waiting.has(clientId) || uploading.has(clientId)) return;
    if (out.kind === "picture") {
      void upload(talk, out);
      return;
    }
    if (!socket.send({ type: "send", conversation_id: talk.id, client_id: clientId, text: out.text })) return;
    waiting.set(clientId, setTimeout(() => unanswered(talk, clientId), ACK_LIMIT_MS));
  }

  /** No answer: the same id is sent again over another connection, which cannot double it; then the person decides. */
  function unanswered(talk: Talk, clientId: string): void {
    waiting.delete(clientId);
    const out = talk.outgoing.find((one) => one.clientId === clientId);
    if (!out) return;
    if (out.tries + 1 >= MAX_TRIES) change(talk, clientId, { state: "failed" });
    else {
      change(talk, clientId, { tries: out.tries + 1 });
      socket.renew();
    }
  }

  async function upload(talk: Talk, out: Outgoing): Promise<void> {
    if (!out.file) return;
    uploading.add(out.clientId);
    try {
      apply(await api.upload<Message>(`/api/chat/conversations/${talk.id}/pictures`, pictureForm(out.clientId, out.file)));
      settle(talk, out.clientId);
    } catch (thrown) {
      change(talk, out.clientId, { state: "failed", reason: messageOf(thrown) });
    } finally {
      uploading.delete(out.clientId);
    }
  }

  function showPicture(id: string, file: File): void {
    const talk = talks.get(id);
    if (!talk) return;
    const out = newOutgoing({ file });
    talk.outgoing = [...talk.outgoing, out];
    transmit(talk, out.clientId);
  }

  /** Tries a failed message again, under its old id. */
  function retry(id: string, clientId: string): void {
    const talk = talks.get(id);
    if (!talk) return;
    change(talk, clientId, { state: "sending", reason: "", tries: 0 });
    transmit(talk, clientId);
  }

  /** Gives a failed message up. */
  function discard(id: string, clientId: string): void {
    const talk = talks.get(id);
    if (talk) settle(talk, clientId);
  }

  const recall = async (message: Message): Promise<void> => apply(await api.post<Message>(`/api/chat/messages/${message.id}/recall`));

  /** Everything in the conversation has been seen. */
  function markRead(id: string): void {
    const talk = talks.get(id);
    if (!talk) return;
    talk.unread = 0;
    if (talk.seq <= talk.read_seq) return;
    if (socket.send({ type: "read", conversation_id: id, seq: talk.seq })) talk.read_seq = talk.seq;
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
    learn(await api.patch<ConversationDetail>(`/api/chat/conversations/${id}`, marks));
  }

  async function opened(path: string, body: object): Promise<string> {
    return learn(await api.post<ConversationDetail>(path, body)).id;
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

  /** Begins for a person; for another one than before, from nothing. */
  function start(personId: string): void {
    if (meId.value === personId) return;
    stop();
    meId.value = personId;
    stops.push(
      socket.on("ready", () => {
        for (const timer of waiting.values()) clearTimeout(timer);
        waiting.clear();
        void sync().then(() => {
          for (const talk of talks.values()) for (const out of talk.outgoing) transmit(talk, out.clientId);
        });
      }),
      socket.on("message", (frame) => apply(frame.message)),
      socket.on("ack", (frame) => acknowledged(frame)),
      socket.on("error", (frame) => refused(frame)),
      socket.on("read", (frame) => {
        const talk = talks.get(frame.conversation_id);
        if (talk && frame.seq >= talk.read_seq) Object.assign(talk, { read_seq: frame.seq, unread: frame.unread });
      }),
      socket.on("typing", (frame) => {
        const talk = talks.get(frame.conversation_id);
        if (talk) showTyping(talk, frame.person_id);
      }),
      socket.on("conversation", (frame) => {
        if (frame.gone) talks.delete(frame.conversation_id);
        else void refresh(frame.conversation_id);
      }),
    );
    socket.start();
    void sync();
  }

  function acknowledged(frame: FrameOf<"ack">): void {
    const talk = talks.get(frame.conversation_id);
    const out = talk?.outgoing.find((one) => one.clientId === frame.client_id);
    if (talk && out) apply(acknowledgedMessage(frame, out.text, meId.value));
  }

  function refused(frame: FrameOf<"error">): void {
    const talk = talks.get(frame.conversation_id ?? "");
    if (!talk || !frame.client_id) return;
    clearTimeout(waiting.get(frame.client_id));
    waiting.delete(frame.client_id);
    const out = talk.outgoing.find((one) => one.clientId === frame.client_id);
    if (frame.retry && out && out.tries + 1 < MAX_TRIES) {
      change(talk, frame.client_id, { tries: out.tries + 1 });
      setTimeout(() => transmit(talk, out.clientId), 1_500);
    } else {
      change(talk, frame.client_id, { state: "failed", reason: frame.message });
    }
  }

  function stop(): void {
    for (const end of stops.splice(0)) end();
    for (const timer of waiting.values()) clearTimeout(timer);
    waiting.clear();
    clearTimeout(gap);
    socket.stop();
    talks.clear();
    people.clear();
    ready.value = false;
    error.value = null;
    looking = null;
    meId.value = null;
  }

  return {
    meId, talks, people, list, unread, ready, error,
    start, stop, sync, open, loadOlder, refresh, say, showPicture, retry, discard, recall, markRead, lookAt, typing, mark, openWith, openGroup,
    peer, nameOf, conversation,
  };
});
