import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import { useLanguage } from "@/shared/i18n";
import AlertCard from "./AlertCard.vue";

const payload = { direction: "out" as const, account_id: "a1", account_name: "储蓄卡", tail: "8823", amount_fen: 128_000, kind: "card_payment", memo: "远山商城", at: "2026-11-23T06:05:00Z" };

function card(direction: "in" | "out" | "held" | "free" = "out", place: "app" | "desk" = "app", more: object = {}) {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/:rest(.*)*", component: { template: "<i />" } }] });
  return mount(AlertCard, {
    props: { card: { kind: "alert", ref: "r1", state: "told", payload: { ...payload, direction, ...more }, revision: 0 }, mine: false, conversationId: "c", place },
    global: { plugins: [router] },
  });
}

afterEach(() => vi.unstubAllGlobals());

describe("AlertCard", () => {
  it("writes the sign of what came in and went out, and none of what is held", () => {
    expect(card("in").text()).toContain("+1,280.00");
    expect(card("out").text()).toContain("\u22121,280.00");
    expect(card("held").text()).not.toMatch(/[+\u2212]1,280/);
  });

  it("calls the account by its name in the reader's language, or by the one that it has", async () => {
    await useLanguage("en");
    expect(card("in", "app", { account_name_en: "Debit card" }).text()).toContain("Debit card");
    expect(card("in").text()).toContain("储蓄卡");
    await useLanguage("zh-CN");
    expect(card("in", "app", { account_name_en: "Debit card" }).text()).toContain("储蓄卡");
  });

  it("asks for the balance when tapped, and hides it again", async () => {
    const fetched = vi.fn(() => Promise.resolve(new Response(JSON.stringify({ balance_fen: 1_132_000, available_fen: null, after: true }), { status: 200 })));
    vi.stubGlobal("fetch", fetched);
    const shown = card();
    expect(fetched).not.toHaveBeenCalled();
    await shown.get(".reveal").trigger("click");
    await flushPromises();
    expect(shown.text()).toContain("11,320.00");
    await shown.get(".reveal").trigger("click");
    expect(shown.text()).not.toContain("11,320.00");
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it("offers staff neither balance nor actions", () => {
    const shown = card("out", "desk");
    expect(shown.find(".reveal").exists()).toBe(false);
    expect(shown.findAll("footer button")).toHaveLength(0);
  });
});
