import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bank, LIN, SU } from "../../tests/support/bank";
import { previewOf } from "./preview";
import type { useChat } from "./store";
import type { Talk } from "./types";

type Chat = ReturnType<typeof useChat>;
interface Tab {
  chat: Chat;
  close: () => void;
  kill: () => void;
  talk: (id?: string) => Talk;
}

let bank: Bank;
const channel = BroadcastChannel;
const tabs: Tab[] = [];
const connections: IDBDatabase[] = [];

/** The browser's store; it knows who has it open. */
function store(): IDBFactory {
  const factory = new IDBFactory();
  const open = factory.open.bind(factory);
  factory.open = (name, version) => {
    const request = open(name, version);
    request.addEventListener("success", () => connections.push(request.result as unknown as IDBDatabase));
    return request;
  };
  return factory;
}

/** Locks between the tabs of one browser. */
function locks(): { request: (name: string, work: () => Promise<unknown>) => Promise<unknown> } {
  const tails = new Map<string, Promise<unknown>>();
  return {
    request(name, work) {
      const turn = (tails.get(name) ?? Promise.resolve()).then(work, work);
      tails.set(name, turn.catch(() => undefined));
      return turn;
    },
  };
}

/** The page in a tab of its own: its own modules and memory, the browser's one store. */
async function openTab(personId = SU): Promise<Tab> {
  vi.resetModules();
  const [{ useChat: use }, { useLanguage }, pinia] = [await import("./store"), await import("@/shared/i18n"), createPinia()];
  await useLanguage("zh-CN");
  setActivePinia(pinia);
  const chat = use(pinia);
  chat.start(personId, true);
  const tab = {
    chat,
    close: () => chat.stop(),
    /** Nothing that is not yet on the device gets there. */
    kill: () => {
      for (const connection of connections.splice(0)) connection.close();
      chat.stop();
    },
    talk: (id = "c1") => {
      const talk = chat.talks.get(id);
      if (!talk) throw new Error(`no conversation ${id}`);
      return talk;
    },
  };
  tabs.push(tab);
  return tab;
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 4_000, interval: 5 });
const texts = (talk: Talk) => talk.messages.map((message) => (message.recalled ? "(recalled)" : message.text));
const told = (id = "c1") => bank.log(id).messages.map((message) => (message.recalled ? "(recalled)" : message.text));
const connected = () => settled(() => expect(bank.sockets.size).toBeGreaterThan(0));

async function reopen(options: { killed?: boolean } = {}): Promise<Tab> {
  for (const tab of tabs.splice(0)) {
    if (options.killed) tab.kill();
    else tab.close();
  }
  return openTab();
}

beforeEach(() => {
  vi.stubGlobal("indexedDB", store());
  Object.defineProperty(navigator, "locks", { value: locks(), configurable: true });
  bank = new Bank();
  bank.install();
  bank.online = true;
});
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.close();
});

describe("without a network", () => {
  it("shows the conversations and messages that were read here before", async () => {
    for (let n = 1; n <= 30; n += 1) bank.say("c1", `m${n}`);
    const first = await openTab();
    await settled(() => expect(first.chat.ready).toBe(true));
    await first.chat.open("c1");
    bank.say("c1", "pushed");
    bank.recall("c1", 3);
    await settled(() => expect(texts(first.talk())).toEqual(told()));
    bank.cut();
    const second = await reopen();
    await settled(() => expect(second.chat.ready).toBe(true));
    await second.chat.open("c1");
    expect(texts(second.talk())).toEqual(told());
    expect(second.talk().last?.text).toBe("pushed");
  });

  it("keeps nothing of a person who signed out, nor shows it to the next", async () => {
    bank.say("c1", "secret");
    const first = await openTab();
    await settled(() => expect(first.chat.ready).toBe(true));
    await first.chat.open("c1");
    const { openKept } = await import("./kept");
    const { emptyKept } = await import("./keptDatabase");
    await emptyKept();
    bank.say("c1", "late");
    await settled(() => expect(texts(first.talk())).toContain("late"));
    const mine = await openKept(SU);
    expect((await mine.restore()).talks).toEqual([]);
    expect(await mine.newest("c1", 10)).toBe(null);
    mine.close();
  });

  it("is empty for another person who signs in over the first", async () => {
    bank.say("c1", "secret");
    const first = await openTab();
    await settled(() => expect(first.chat.ready).toBe(true));
    await first.chat.open("c1");
    const { openKept } = await import("./kept");
    const other = await openKept(LIN);
    expect(await other.restore()).toEqual({ talks: [], people: [] });
    bank.say("c1", "for su alone");
    await settled(() => expect(texts(first.talk())).toContain("for su alone"));
    expect(await other.restore()).toEqual({ talks: [], people: [] });
    other.close();
  });

  it("lets messages go where it missed changes, instead of keeping a hole", async () => {
    for (let n = 1; n <= 3; n += 1) bank.say("c1", `m${n}`);
    const { openKept } = await import("./kept");
    const kept = await openKept(SU);
    kept.keepLine(bank.item("c1"), 0);
    kept.replace("c1", 3, bank.log("c1").messages, true);
    expect((await kept.newest("c1", 10))?.messages).toHaveLength(3);
    for (let n = 4; n <= 9; n += 1) bank.say("c1", `m${n}`);
    kept.advance("c1", 8, 9, bank.log("c1").messages.slice(8));
    expect(await kept.newest("c1", 10)).toBe(null);
    kept.close();
  });

  it("works without a store, as in a private window", async () => {
    vi.stubGlobal("indexedDB", undefined);
    bank.say("c1", "hello");
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.ready).toBe(true));
    await tab.chat.open("c1");
    expect(texts(tab.talk())).toEqual(["hello"]);
    void tab.chat.say("c1", "and back");
    await settled(() => expect(told()).toEqual(["hello", "and back"]));
    await settled(() => expect(tab.talk().outgoing).toEqual([]));
  });
});

describe("the outbox", () => {
  it("survives a reload and goes out in order, each message once", async () => {
    const first = await openTab();
    await connected();
    await settled(() => expect(first.chat.ready).toBe(true));
    bank.cut();
    for (const text of ["one", "two", "three"]) void first.chat.say("c1", text);
    await settled(() => expect(first.talk().outgoing.map((out) => out.text)).toEqual(["one", "two", "three"]));
    const second = await reopen();
    await settled(() => expect(second.talk().outgoing.map((out) => [out.text, out.state])).toEqual([["one", "sending"], ["two", "sending"], ["three", "sending"]]));
    bank.online = true;
    await settled(() => expect(told()).toEqual(["one", "two", "three"]));
    await settled(() => expect(second.talk().outgoing).toEqual([]));
    const third = await reopen();
    await connected();
    await settled(() => expect(third.chat.ready).toBe(true));
    expect(third.talk().outgoing).toEqual([]);
    expect(told()).toEqual(["one", "two", "three"]);
  });

  it("sends again under the same id what was committed and never acknowledged", async () => {
    bank.answer = () => "silence";
    bank.dropped = (frame) => "message" in frame;
    const first = await openTab();
    await connected();
    await settled(() => expect(first.chat.ready).toBe(true));
    void first.chat.say("c1", "once");
    await settled(() => expect(bank.sent).toHaveLength(1));
    bank.answer = () => "ack";
    bank.dropped = () => false;
    const second = await reopen();
    await settled(() => expect(second.talk().outgoing).toEqual([]));
    await settled(() => expect(told()).toEqual(["once"]));
    expect(new Set(bank.sent).size).toBe(1);
  });

  it("keeps a refused message, red, over a reload, until it is tried again or deleted", async () => {
    bank.answer = (text) => (text.startsWith("bad") ? "refuse" : "ack");
    const first = await openTab();
    await connected();
    await settled(() => expect(first.chat.ready).toBe(true));
    for (const text of ["good", "bad one", "bad two", "better"]) void first.chat.say("c1", text);
    await settled(() => expect(told()).toEqual(["good", "better"]));
    const second = await reopen();
    await settled(() => expect(second.talk().outgoing.map((out) => [out.text, out.state, out.reason])).toEqual([["bad one", "failed", "no"], ["bad two", "failed", "no"]]));
    await connected();
    bank.answer = () => "ack";
    const [one, two] = second.talk().outgoing.map((out) => out.clientId);
    second.chat.retry(one ?? "");
    await settled(() => expect(told()).toEqual(["good", "better", "bad one"]));
    second.chat.discard(two ?? "");
    await settled(() => expect(second.talk().outgoing).toEqual([]));
    const third = await reopen();
    await settled(() => expect(third.chat.ready).toBe(true));
    expect(third.talk().outgoing).toEqual([]);
  });

  it("is sent by one of two tabs alone", async () => {
    const one = await openTab();
    const two = await openTab();
    await settled(() => expect(bank.sockets.size).toBe(2));
    for (const tab of [one, two]) await settled(() => expect(tab.chat.ready).toBe(true));
    bank.cut();
    for (let n = 0; n < 5; n += 1) {
      void one.chat.say("c1", `a${n}`);
      void two.chat.say("c1", `b${n}`);
    }
    for (const tab of [one, two]) await settled(() => expect(tab.talk().outgoing).toHaveLength(10));
    bank.online = true;
    await settled(() => expect(told()).toHaveLength(10));
    for (const tab of [one, two]) await settled(() => expect(tab.talk().outgoing).toEqual([]));
    expect(bank.sent).toHaveLength(10);
    expect(told().filter((text) => text.startsWith("a"))).toEqual(["a0", "a1", "a2", "a3", "a4"]);
    expect(told().filter((text) => text.startsWith("b"))).toEqual(["b0", "b1", "b2", "b3", "b4"]);
  });

  it("that two tabs found on the device is sent by one of them, though neither hears of the other", async () => {
    vi.stubGlobal("BroadcastChannel", undefined);
    const first = await openTab();
    await connected();
    await settled(() => expect(first.chat.ready).toBe(true));
    bank.cut();
    for (const text of ["one", "two", "three"]) void first.chat.say("c1", text);
    await settled(() => expect(first.talk().outgoing).toHaveLength(3));
    const one = await reopen();
    const two = await openTab();
    for (const tab of [one, two]) await settled(() => expect(tab.talk().outgoing).toHaveLength(3));
    bank.dropped = (frame) => "message" in frame;
    bank.online = true;
    for (const tab of [one, two]) await settled(() => expect(tab.talk().outgoing).toEqual([]));
    expect(bank.sent).toHaveLength(3);
    expect(told()).toEqual(["one", "two", "three"]);
    vi.stubGlobal("BroadcastChannel", channel);
  });

  it("sends pictures in their place between texts, also after a reload", async () => {
    const first = await openTab();
    await connected();
    await settled(() => expect(first.chat.ready).toBe(true));
    bank.cut();
    void first.chat.say("c1", "before");
    void first.chat.showPicture("c1", new File(["x"], "x.jpg", { type: "image/jpeg" }));
    void first.chat.say("c1", "after");
    await settled(() => expect(first.talk().outgoing).toHaveLength(3));
    const second = await reopen();
    bank.online = true;
    await settled(() => expect(told()).toEqual(["before", "", "after"]));
    await settled(() => expect(second.talk().outgoing).toEqual([]));
  });
});

describe("what was read", () => {
  it("without a network counts as read, and is told when it is back", async () => {
    bank.say("c1", "a");
    bank.say("c1", "b");
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.unread).toBe(2));
    bank.cut();
    tab.chat.markRead("c1");
    expect(tab.chat.unread).toBe(0);
    const again = await reopen();
    await settled(() => expect(again.chat.ready).toBe(true));
    expect(again.chat.unread).toBe(0);
    bank.say("c1", "c");
    bank.online = true;
    await settled(() => expect(bank.item("c1").read_seq).toBe(2));
    await settled(() => expect(again.chat.unread).toBe(1));
  });
});

describe("what the network loses", () => {
  it("is asked for when the server says that something may be missing", async () => {
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.ready).toBe(true));
    bank.dropped = (frame) => "message" in frame;
    bank.say("c1", "lost on the way");
    await new Promise((resolve) => {
      setTimeout(resolve, 400);
    });
    expect(tab.chat.unread).toBe(0);
    bank.push({ type: "behind" });
    await settled(() => expect(tab.chat.unread).toBe(1));
  });
});

describe("answers that were overtaken", () => {
  async function beginning(): Promise<Tab> {
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.ready).toBe(true));
    // Who writes is known: nothing is asked because of them.
    tab.chat.people.set(LIN, { id: LIN, name: "林晓舟", name_en: "", remark: null, hue: 0, avatar_url: null, seal: null, kind: "customer" });
    return tab;
  }
  const asking = (path: string) => settled(() => expect(bank.asked.at(-1)).toContain(path));

  it("do not take back what was pushed while they were on their way", async () => {
    const tab = await beginning();
    bank.dropped = () => true;
    bank.say("c1", "lost");
    bank.dropped = () => false;
    bank.latencyMs = 60;
    const answer = tab.chat.sync();
    await asking("/sync");
    bank.say("c1", "heard");
    await answer;
    await settled(() => expect([tab.talk().unread, tab.talk().seq, tab.talk().last?.text]).toEqual([2, 2, "heard"]));

    const detail = tab.chat.refresh("c1");
    await asking("GET /api/chat/conversations/c1");
    bank.say("c1", "heard too");
    await detail;
    expect([tab.talk().unread, tab.talk().seq, tab.talk().last?.text]).toEqual([3, 3, "heard too"]);
  });

  it("are counted to a hundred, as every other device counts them", async () => {
    const tab = await beginning();
    for (let said = 0; said < 130; said += 1) bank.say("c1", `no. ${said}`);
    await settled(() => expect([tab.talk().seq, tab.talk().unread]).toEqual([130, 100]));
    await tab.chat.sync();
    expect(tab.chat.unread).toBe(100);
  });

  it("do not make unread again what another device read meanwhile", async () => {
    bank.say("c1", "a");
    const tab = await beginning();
    expect(tab.talk().unread).toBe(1);
    bank.dropped = () => true;
    bank.say("c1", "b");
    bank.dropped = () => false;
    bank.latencyMs = 60;
    const answer = tab.chat.sync();
    await asking("/sync");
    bank.markRead("c1", 2);
    await settled(() => expect(tab.talk().unread).toBe(0));
    await answer;
    await settled(() => expect([tab.talk().unread, tab.talk().read_seq]).toEqual([0, 2]));
  });

  it("do not count what another device had read before it came here", async () => {
    const tab = await beginning();
    bank.dropped = (frame) => "message" in frame;
    const message = bank.say("c1", "read over there first");
    bank.dropped = () => false;
    bank.markRead("c1", 1);
    await settled(() => expect(tab.talk().read_seq).toBe(1));
    bank.latencyMs = 300;
    bank.push({ type: "message", message });
    await settled(() => expect(tab.talk().seq).toBe(1));
    expect(tab.chat.unread).toBe(0);
  });
});

describe("what changes in the list", () => {
  it("is heard of by the line of the house alone, when the other frame is lost", async () => {
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.ready).toBe(true));
    bank.join("c1");
    await settled(() => expect(tab.talk().member_count).toBe(3));
    expect(tab.chat.unread).toBe(0);
  });

  it("no longer counts what was recalled before it was read", async () => {
    bank.say("c1", "a");
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.unread).toBe(1));
    bank.say("c1", "b");
    await settled(() => expect(tab.chat.unread).toBe(2));
    bank.recall("c1", 1);
    await settled(() => expect(tab.chat.unread).toBe(1));
    bank.recall("c1", 2);
    await settled(() => expect(tab.chat.unread).toBe(0));
  });
});

describe("a newer server", () => {
  it("says things that this version does not know, and does no harm", async () => {
    bank.say("c1", "before");
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.ready).toBe(true));
    await tab.chat.open("c1");
    bank.push({ type: "weather", city: "杭州", v: 7 });
    bank.push({ type: "hint", topic: "tomorrow", data: {}, mood: "fine" });
    const message = { ...bank.say("c1", "quiet", LIN), text: "a song" };
    Object.assign(bank.log("c1").messages[1] as object, { kind: "song", text: "a song", song: { title: "x" }, version: 3 });
    bank.log("c1").item.version = 3;
    bank.push({ type: "message", v: 7, message: { ...message, kind: "song", song: { title: "x" }, version: 3 } });
    bank.say("c1", "after");
    await settled(() => expect(texts(tab.talk())).toEqual(["before", "a song", "after"]));
    expect(previewOf(tab.talk(), tab.chat.people, SU)).toBe("after");
    expect(tab.talk().version).toBe(4);
  });
});

describe("after a long absence", () => {
  async function readTo(count: number): Promise<Tab> {
    for (let n = 1; n <= count; n += 1) bank.say("c1", `m${n}`);
    const tab = await openTab();
    await connected();
    await settled(() => expect(tab.chat.ready).toBe(true));
    await tab.chat.open("c1");
    return tab;
  }
  async function toTheBeginning(tab: Tab): Promise<void> {
    for (let page = 0; page < 60 && tab.talk().older; page += 1) await tab.chat.loadOlder("c1");
  }

  it("begins with the newest page, and has no hole down to the first message", async () => {
    await readTo(60);
    bank.cut();
    for (let n = 61; n <= 1_400; n += 1) bank.say("c1", `m${n}`);
    for (const seq of [5, 40, 700, 1_390]) bank.recall("c1", seq);
    bank.online = true;
    const tab = await reopen();
    await tab.chat.open("c1");
    await settled(() => expect(tab.talk().messages.at(-1)?.text).toBe("m1400"));
    expect(tab.talk().messages.length).toBeLessThan(200);
    await toTheBeginning(tab);
    expect(texts(tab.talk())).toEqual(told());
  });

  it("fills the gap on the device while the person reads, and goes on after a crash where it was", { timeout: 15_000 }, async () => {
    const first = await readTo(30);
    first.chat.lookAt("c1");
    bank.cut();
    for (let n = 31; n <= 900; n += 1) bank.say("c1", `m${n}`);
    bank.online = true;
    const second = await reopen();
    second.chat.lookAt("c1");
    await second.chat.open("c1");
    const { openKept } = await import("./kept");
    const look = await openKept(SU);
    await settled(async () => expect((await look.stretchOf("c1"))?.from).toBeLessThanOrEqual(751));
    const from = (await look.stretchOf("c1"))?.from ?? 0;
    expect(from).toBeGreaterThan(601);
    const third = await reopen({ killed: true });
    third.chat.lookAt("c1");
    await third.chat.open("c1");
    const again = await openKept(SU);
    await settled(async () => expect((await again.stretchOf("c1"))?.from).toBeLessThanOrEqual(601));
    again.close();
    bank.cut();
    const fourth = await reopen();
    await fourth.chat.open("c1");
    await expect(toTheBeginning(fourth)).rejects.toThrow();
    const shown = texts(fourth.talk());
    expect(shown.length).toBeGreaterThanOrEqual(300);
    expect(shown).toEqual(told().slice(-shown.length));
  });

  it("in pages of changes, from a server that tells them so: killed between two of them it loses none", async () => {
    await readTo(20);
    bank.old = true;
    bank.cut();
    for (let n = 21; n <= 420; n += 1) bank.say("c1", `m${n}`);
    bank.recall("c1", 7);
    bank.online = true;
    bank.latencyMs = 30;
    const second = await reopen();
    await settled(() => expect(bank.asked.filter((one) => one.endsWith("/sync")).length).toBeGreaterThan(3));
    expect(second.talk().version).toBeLessThan(421);
    const third = await reopen({ killed: true });
    await third.chat.open("c1");
    await settled(() => expect(third.talk().version).toBe(421));
    await toTheBeginning(third);
    expect(texts(third.talk())).toEqual(told());
  });

  it("shows a change of an older message that happened while its page was on its way", async () => {
    const tab = await readTo(100);
    bank.latencyMs = 40;
    const page = tab.chat.loadOlder("c1");
    await settled(() => expect(bank.asked.at(-1)).toContain("before="));
    bank.recall("c1", 50);
    await page;
    expect(tab.talk().messages.find((message) => message.seq === 50)?.recalled).toBe(true);
    bank.cut();
    const offline = await reopen();
    await offline.chat.open("c1");
    await offline.chat.loadOlder("c1");
    expect(offline.talk().messages.find((message) => message.seq === 50)?.recalled).toBe(true);
  });
});

describe("after a day away", () => {
  const syncs = () => bank.asked.filter((asked) => asked.endsWith("/sync")).length;
  const all = (count: number) => Array.from({ length: count }, (_, n) => `c${n + 1}`);

  async function away(count: number, told: number): Promise<Tab> {
    bank = new Bank(all(count));
    bank.install();
    bank.online = true;
    for (const id of all(count)) for (let n = 1; n <= 60; n += 1) bank.say(id, `${id} before ${n}`);
    const before = await openTab();
    await settled(() => expect(before.chat.talks.size).toBe(count));
    for (const id of ["c1", `c${count}`]) await before.chat.open(id);
    before.chat.lookAt(`c${count}`);
    bank.cut();
    for (const id of all(count)) for (let n = 1; n <= 60; n += 1) bank.say(id, `${id} after ${n}`);
    bank.told = told;
    bank.asked.splice(0);
    return before;
  }

  const shown = (tab: Tab) => all(tab.chat.talks.size).map((id) => [tab.talk(id).version, tab.talk(id).last?.text, tab.talk(id).seq]);
  const true_ = (count: number) => all(count).map((id) => [bank.log(id).item.version, bank.log(id).item.last?.text, 120]);

  it("shows every conversation as it is with one request, and the rest of each when it is opened", async () => {
    const tab = await away(40, 200);
    bank.online = true;
    await settled(() => expect(shown(tab)).toEqual(true_(40)));
    for (const id of all(39)) expect(tab.talk(id).unread).toBe(bank.item(id).unread);
    // The one that the person is looking at fills itself; one that was told whole needs nothing more.
    await settled(() => expect(texts(tab.talk("c40")).slice(-40)).toEqual(told("c40").slice(-40)));
    expect(syncs()).toBe(1);
    for (const id of ["c1", "c3", "c7", "c40"]) {
      await tab.chat.open(id);
      expect(tab.talk(id).messages.length).toBeGreaterThanOrEqual(40);
      for (let page = 0; page < 9 && tab.talk(id).older; page += 1) await tab.chat.loadOlder(id);
      expect(tab.talk(id).messages).toEqual(bank.log(id).messages);
    }
    await settled(() => expect(syncs()).toBe(1));
  });

  it("has at least the newest message of each without a network, and no hole in any", async () => {
    const first = await away(40, 200);
    bank.online = true;
    await settled(() => expect(shown(first)).toEqual(true_(40)));
    await settled(() => expect(texts(first.talk("c40")).length).toBeGreaterThanOrEqual(40));
    bank.say("c9", "pushed");
    await settled(() => expect(first.talk("c9").last?.text).toBe("pushed"));
    bank.cut();
    const offline = await reopen();
    await settled(() => expect(offline.chat.ready).toBe(true));
    for (const id of ["c1", "c9", "c40"]) {
      await offline.chat.open(id);
      for (let page = 0; page < 9 && offline.talk(id).older; page += 1) await offline.chat.loadOlder(id).catch(() => page = 9);
      const held = texts(offline.talk(id));
      expect(held.length).toBeGreaterThan(id === "c9" ? 1 : 39);
      expect(held).toEqual(told(id).slice(-held.length));
    }
  });

  it.each([false, true])("goes on to the last however many answers that takes (a server from before pages: %s)", async (old) => {
    bank = new Bank(all(120));
    bank.install();
    bank.online = true;
    for (const id of all(120)) bank.say(id, "hello");
    Object.assign(bank, { listed: 1, old });
    const tab = await openTab();
    await settled(() => expect(tab.chat.talks.size).toBe(120));
    expect(all(120).map((id) => tab.talk(id).version)).toEqual(all(120).map(() => 1));
  });

  it("counts what was read elsewhere in conversations beyond the first answer", async () => {
    bank = new Bank(all(10));
    bank.install();
    bank.online = true;
    for (const id of all(10)) bank.say(id, "hello");
    const tab = await openTab();
    await settled(() => expect(tab.chat.talks.size).toBe(10));
    bank.listed = 4;
    bank.dropped = (frame) => "unread" in frame;
    for (const id of all(10)) bank.markRead(id, 1);
    bank.push({ type: "behind" });
    await settled(() => expect(tab.chat.unread).toBe(0));
  });
});

/** A small random source that repeats. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("old state and events", () => {
  it.each([1, 2, 3, 4, 5, 6])("make the fresh state, whatever is lost, cut or killed (seed %i)", async (seed) => {
    const roll = dice(seed);
    bank = new Bank(["c1", "c2"]);
    bank.install();
    bank.dropped = (frame) => "message" in frame && roll(5) === 0;
    let tab = await openTab();
    const said: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      bank.told = [2_000, 60, 5, 0][roll(4)] ?? 0;
      const id = roll(2) ? "c1" : "c2";
      const what = roll(9);
      if (what < 3) for (let n = roll(30); n >= 0; n -= 1) bank.say(id, `s${step}.${n}`);
      else if (what === 3) {
        const theirs = bank.log(id).messages.filter((message) => message.sender_id === LIN);
        if (theirs.length > 0) bank.recall(id, theirs[roll(theirs.length)]?.seq ?? 1);
      }
      else if (what === 4) {
        said.push(`mine ${step}`);
        await tab.chat.say("c1", `mine ${step}`);
      } else if (what === 5) await tab.chat.open(id).catch(() => undefined);
      else if (what === 6) await tab.chat.loadOlder(id).catch(() => undefined);
      else if (what === 7 && bank.online) bank.cut();
      else if (what === 7) bank.online = true;
      else if (step % 3 === 0) tab = await reopen({ killed: roll(2) === 0 });
      else bank.markRead(id, roll(bank.log(id).item.seq + 1));
      bank.latencyMs = roll(3) * 4;
      await new Promise((resolve) => {
        setTimeout(resolve, roll(4));
      });
    }
    bank.dropped = () => false;
    bank.online = true;
    await connected();
    bank.push({ type: "behind" });
    // The device that was there all the time counts as the server does, and as one that begins afresh.
    for (const id of ["c1", "c2"]) {
      await settled(() => expect([tab.talk(id).version, tab.talk(id).unread]).toEqual([bank.log(id).item.version, bank.item(id).unread]));
    }
    tab = await reopen();
    await settled(() => expect(told().filter((text) => text.startsWith("mine"))).toEqual(said));
    for (const id of ["c1", "c2"]) {
      await settled(() => expect(tab.talk(id).version).toBe(bank.log(id).item.version));
      await tab.chat.open(id);
      await settled(() => expect(tab.talk(id).version).toBe(bank.log(id).item.version));
      for (let page = 0; page < 60 && tab.talk(id).older; page += 1) await tab.chat.loadOlder(id);
      expect(tab.talk(id).messages).toEqual(bank.log(id).messages);
      expect(tab.talk(id).unread).toBe(bank.item(id).unread);
    }
    expect(new Set(said).size).toBe(told().filter((text) => text.startsWith("mine")).length);
  }, 20_000);
});

describe("people", () => {
  const TAO = "tao";
  const names = (tab: Tab) => [...tab.chat.people.values()].map((person) => person.name);

  it("who took another name while this device was away are called so after a reload, though nobody said a word", async () => {
    bank.call(LIN, "Lin");
    bank.say("c1", "hello");
    const first = await openTab();
    await settled(() => expect(names(first)).toEqual(["Lin"]));
    bank.cut();
    bank.call(LIN, "Lin Xiaoman");
    bank.online = true;
    const second = await reopen();
    await settled(() => expect(names(second)).toEqual(["Lin Xiaoman"]));
    bank.cut();
    const third = await reopen();
    await settled(() => expect(names(third)).toEqual(["Lin Xiaoman"]));
  });

  it("who take another name are asked for once by a device that is open", async () => {
    bank.call(LIN, "Lin");
    const tab = await openTab();
    await settled(() => expect(names(tab)).toEqual(["Lin"]));
    await connected();
    for (const name of ["Li", "Lim", "Lin Xiaoman"]) bank.call(LIN, name);
    await settled(() => expect(names(tab)).toEqual(["Lin Xiaoman"]));
    expect(bank.asked.filter((request) => request === `GET /api/persons/${LIN}`)).toHaveLength(1);
  });

  it("whom the list does not name are met when their large group is opened", async () => {
    bank.call(LIN, "Lin");
    bank.call(TAO, "Tao");
    const group = bank.log("c1");
    group.members.push(TAO);
    group.item.member_count = 3;
    bank.say("c1", "hello", TAO);
    const first = await openTab();
    await settled(() => expect(first.chat.ready).toBe(true));
    await first.chat.open("c1");
    expect(names(first)).toEqual(["Lin", "Tao"]);
    bank.cut();
    bank.call(TAO, "Tao Ran");
    bank.online = true;
    const second = await reopen();
    await settled(() => expect(second.chat.ready).toBe(true));
    await second.chat.open("c1");
    await settled(() => expect(names(second)).toContain("Tao Ran"));
    await second.chat.open("c1");
    expect(bank.asked.slice(-2).filter((request) => request === "GET /api/chat/conversations/c1")).toHaveLength(1);
  });
});
