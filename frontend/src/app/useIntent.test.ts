import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { defineComponent, h, nextTick, ref, type Ref } from "vue";
import { createMemoryHistory, createRouter, RouterView, type Router } from "vue-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "@/shared/api";
import type { Action } from "@/shared/useAction";
import { emptyDrafts } from "./drafts";
import { useIntent } from "./useIntent";

type Outcome = "done" | "cancelled" | "failed";
const sheet = vi.hoisted(() => ({ answer: (): Promise<{ outcome: string }> => Promise.resolve({ outcome: "done" }) }));
vi.mock("@/shared/bankSheet", () => ({
  openBankSheet: async (preparing: Promise<unknown>) => {
    await preparing;
    return sheet.answer();
  },
}));

/** What the server has, and what it was asked. */
const server = { asked: [] as string[], executed: new Set<string>(), over: new Set<string>(), gone: false };
function known(id: string): Promise<string> {
  if (server.gone) return Promise.reject(new ApiError("unanswered", "", 0));
  return server.executed.has(id) ? Promise.resolve(id) : Promise.reject(new ApiError("not_found", "", 404));
}

interface Page {
  amount: Ref<number | null>;
  memo: Ref<string>;
  send: Action<[{ amount: number }], void>;
}
let page: Page;
let router: Router;
let wrapper: VueWrapper;
const done = vi.fn();
const ended = vi.fn();

const Paying = defineComponent(() => {
  const [amount, memo] = [ref<number | null>(null), ref("")];
  const send = useIntent({
    name: "test",
    typed: { amount, memo },
    through: ["terms"],
    prepare: (id: string) => {
      server.asked.push(id);
      if (server.over.has(id)) return Promise.reject(new ApiError("intent_over", "", 409));
      if (server.executed.has(id)) return Promise.reject(new ApiError("conflict", "", 409));
      return Promise.resolve({ intent_id: id, confirm_url: "http://bank/" });
    },
    find: known,
    done,
    ended,
  });
  page = { amount, memo, send };
  return () => h("p");
});

async function open(): Promise<void> {
  const component = { render: () => h("p") };
  router = createRouter({
    history: createMemoryHistory(),
    routes: [{ name: "pay", path: "/", component: Paying }, { name: "terms", path: "/terms", component }, { name: "other", path: "/other", component }],
  });
  await router.push("/");
  wrapper = mount(RouterView, { global: { plugins: [router] } });
  await nextTick();
}

/** The tab comes back as if it had been loaded anew: nothing of the page was told that it ends. */
async function reload(): Promise<void> {
  const left = Object.entries(sessionStorage);
  wrapper.unmount();
  for (const [key, value] of left) sessionStorage.setItem(key, String(value));
  await open();
  await flushPromises();
}

function answers(outcome: Outcome, executes = outcome === "done"): void {
  sheet.answer = () => {
    if (executes) server.executed.add(server.asked.at(-1) ?? "");
    return Promise.resolve({ outcome });
  };
}

beforeEach(async () => {
  vi.clearAllMocks();
  sessionStorage.clear();
  Object.assign(server, { asked: [], executed: new Set(), over: new Set(), gone: false });
  answers("done");
  await open();
});
afterEach(() => wrapper.unmount());

describe("what is confirmed on the bank's page", () => {
  it("has one id for the same words and another for others", async () => {
    answers("cancelled");
    for (const amount of [1, 1, 2]) await page.send.run({ amount });
    const [first, second, third] = server.asked;
    expect([second === first, third === first]).toEqual([true, false]);
    expect(ended).toHaveBeenCalledTimes(3);
  });

  it("gets a new id where the bank had ended the old one", async () => {
    answers("cancelled");
    await page.send.run({ amount: 1 });
    server.over.add(server.asked[0] ?? "");
    answers("done");
    await page.send.run({ amount: 1 });
    expect(new Set(server.asked).size).toBe(2);
    expect(done).toHaveBeenCalledExactlyOnceWith(server.asked[2]);
  });

  it("is done if the server says so, whatever the sheet said", async () => {
    answers("cancelled", true);
    await page.send.run({ amount: 1 });
    expect([done.mock.calls.length, ended.mock.calls.length]).toEqual([1, 0]);
  });

  it("is not done twice after an answer that was lost", async () => {
    answers("cancelled", true);
    server.gone = true;
    await page.send.run({ amount: 1 });
    expect(page.send.error.value).toBeInstanceOf(ApiError);
    server.gone = false;
    await page.send.run({ amount: 1 });
    expect(server.executed.size).toBe(1);
    expect(done).toHaveBeenCalledOnce();
  });

  it("comes back typed after a reload, and under the same id", async () => {
    [page.amount.value, page.memo.value] = [1200, "午饭"];
    sheet.answer = () => new Promise(() => undefined);
    void page.send.run({ amount: 1200 });
    await flushPromises();
    await reload();
    expect([page.amount.value, page.memo.value]).toEqual([1200, "午饭"]);
    answers("done");
    await page.send.run({ amount: 1200 });
    expect(new Set(server.asked).size).toBe(1);
    await reload();
    expect(page.amount.value).toBeNull();
  });

  it("is found done when the page was reloaded while the bank did it", async () => {
    page.amount.value = 5;
    sheet.answer = () => new Promise(() => undefined);
    void page.send.run({ amount: 5 });
    await flushPromises();
    server.executed.add(server.asked[0] ?? "");
    await reload();
    expect(done).toHaveBeenCalledExactlyOnceWith(server.asked[0]);
  });

  it.each([["cancelled"], ["failed"]] as const)("is not kept once it was %s", async (outcome) => {
    page.amount.value = 5;
    answers(outcome);
    await page.send.run({ amount: 5 });
    expect(page.amount.value).toBe(5);
    await reload();
    expect(page.amount.value).toBeNull();
  });

  it("is given up by leaving, not by reading the terms on the way", async () => {
    page.amount.value = 5;
    await router.push("/terms");
    await router.push("/");
    expect(page.amount.value).toBe(5);
    await router.push("/other");
    await router.push("/");
    expect(page.amount.value).toBeNull();
  });

  it("is gone when somebody else signs in, and unharmed by what cannot be read", async () => {
    page.amount.value = 5;
    emptyDrafts();
    await reload();
    expect(page.amount.value).toBeNull();
    sessionStorage.setItem("rl.draft.test", "{not json");
    await reload();
    expect(page.amount.value).toBeNull();
  });
});
