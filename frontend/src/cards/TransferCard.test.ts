import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import { question } from "@/shared/feedback";
import type { CardProps } from "./index";
import TransferCard from "./TransferCard.vue";

type Given = CardProps<{ amount_fen: number; memo: string; payer_id: string; payee_id: string }>;
const blank = { template: "<i />" };
const answers = new Map<string, object>();
const asked: { method: string; path: string; key: string | null }[] = [];

beforeEach(() => {
  answers.clear();
  asked.length = 0;
  vi.stubGlobal("fetch", (path: string, options: RequestInit) => {
    const method = options.method ?? "GET";
    asked.push({ method, path, key: new Headers(options.headers).get("Idempotency-Key") });
    return Promise.resolve(new Response(JSON.stringify(answers.get(`${method} ${path}`) ?? {}), { status: 200 }));
  });
});
afterEach(() => vi.unstubAllGlobals());

async function show(given: Partial<Given> & { state?: string } = {}) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: "/", name: "home", component: blank },
      { path: "/transfers/:id", name: "transfer", component: blank },
      { path: "/me/open-account", name: "open-account", component: blank },
    ],
  });
  const props: Given = {
    card: { kind: "transfer", ref: "t1", state: given.state ?? "pending", revision: 1, payload: { amount_fen: 32000, memo: "路费", payer_id: "a", payee_id: "b" } },
    mine: given.mine ?? false,
    conversationId: "c1",
    place: given.place ?? "app",
  };
  const card = mount(TransferCard, { props: props as never, global: { plugins: [router] } });
  await flushPromises();
  return { card, router };
}
const buttons = (card: Awaited<ReturnType<typeof show>>["card"]) => card.findAll("button").map((button) => button.text());

describe("a transfer's card", () => {
  it("offers the payee to return or to receive, and nothing else", async () => {
    const { card } = await show();
    expect(buttons(card)).toEqual(["退回", "收款"]);
    expect(card.text()).toContain("¥\u00a0320.00");
    expect(card.text()).toContain("路费");
  });

  it("offers the payer nothing and says when it comes back, without asking the server", async () => {
    const { card } = await show({ mine: true });
    expect(buttons(card)).toEqual([]);
    expect(card.text()).toContain("24 小时内未收会自动退回");
    expect(asked).toEqual([]);
  });

  it.each([["received", "已收款"], ["returned", "已退回"], ["expired", "过期退回"], ["reversed", "已冲正"]])("is quiet once %s", async (state, chip) => {
    const { card } = await show({ state });
    expect(buttons(card)).toEqual([]);
    expect(card.text()).toContain(chip);
    expect(card.get("article").classes()).toContain("is-done");
  });

  it.each([[true, "款项已退回您的付款账户"], [false, "款项已从您的账户退回对方"]])("says where reversed money went (payer: %s)", async (mine, said) => {
    const { card } = await show({ state: "reversed", mine });
    expect(card.text()).toContain(said);
    expect(card.text()).not.toContain("已存入");
  });

  it("leads somebody without an account to opening one", async () => {
    answers.set("GET /api/finance/transfers/t1", { blocked_code: "account_needed" });
    const { card, router } = await show();
    expect(card.text()).toContain("开户后可收");
    expect(buttons(card)).toEqual(["退回", "去开户"]);
    await card.findAll("button")[1]?.trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.name).toBe("open-account");
  });

  it("keeps the button under the finger when the card changes", async () => {
    answers.set("GET /api/finance/transfers/t1", { blocked_code: "account_needed" });
    const { card } = await show();
    const under = card.findAll("button")[1];
    await card.setProps({ card: { ...card.props("card"), revision: 2 } } as never);
    expect(under?.text()).toBe("去开户");
    answers.set("GET /api/finance/transfers/t1", { blocked_code: null });
    await card.setProps({ card: { ...card.props("card"), revision: 3 } } as never);
    await flushPromises();
    expect(under?.text()).toBe("收款");
    expect(under?.element).toBe(card.findAll("button")[1]?.element);
  });

  it("shows staff the facts without anything to press", async () => {
    const { card } = await show({ place: "desk" });
    expect(buttons(card)).toEqual([]);
    expect(card.find("a").exists()).toBe(false);
    expect(asked).toEqual([]);
  });

  it("returns only after a question, and a second tap carries the same key", async () => {
    const { card } = await show();
    const press = async (yes: boolean) => {
      await card.findAll("button")[0]?.trigger("click");
      question.value?.resolve(yes);
      await flushPromises();
    };
    await press(false);
    expect(asked.filter((call) => call.method === "POST")).toEqual([]);
    await press(true);
    await press(true);
    const posts = asked.filter((call) => call.method === "POST");
    expect(posts.map((call) => call.path)).toEqual(["/api/finance/transfers/t1/return", "/api/finance/transfers/t1/return"]);
    expect(new Set(posts.map((call) => call.key)).size).toBe(1);
  });
});
