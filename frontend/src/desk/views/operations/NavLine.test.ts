import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { question } from "@/shared/feedback";
import type { NavRow } from "@/shared/wealth";
import NavLine from "./NavLine.vue";

const row: NavRow = {
  change_bp: null, checker: null, date: "2026-11-24", maker: null, mine: false, nav_id: null, nav_scale: 10_000, previous_value: 10_222,
  product_code: "YSWJ90-12", product_id: "p1", product_name: "远山稳进", product_name_en: "Steady", status: "missing", value: null, waiting_orders: 1,
};
const sent: string[] = [];

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("fetch", (path: string, options: RequestInit) => {
    sent.push(`${path} ${String(options.body)}`);
    return Promise.resolve(new Response(JSON.stringify({ ...row, status: "draft" }), { status: 200 }));
  });
});
afterEach(() => {
  question.value?.resolve(false);
  vi.unstubAllGlobals();
});

async function enter(typed: string): Promise<void> {
  const line = mount(NavLine, { props: { row, mayEnter: true, mayApprove: false } });
  await line.get("input").setValue(typed);
  await line.get("form").trigger("submit");
  await flushPromises();
}

describe("a NAV that is entered", () => {
  it("goes out at once when it is near the last one", async () => {
    await enter("1.0230");
    expect(question.value).toBeNull();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain('"value":10230');
  });

  it("is asked for once more when it is far from it, and stays here without a yes", async () => {
    await enter("10.222");
    expect(question.value?.title).toContain("+900.00%");
    question.value?.resolve(false);
    await flushPromises();
    expect(sent).toEqual([]);
    await enter("10.222");
    question.value?.resolve(true);
    await flushPromises();
    expect(sent).toHaveLength(1);
  });

  it("is asked for once more of whoever publishes it", async () => {
    const line = mount(NavLine, { props: { row: { ...row, status: "draft", nav_id: "n1", value: 5_000, change_bp: -5_109 }, mayEnter: false, mayApprove: true } });
    await line.get("button").trigger("click");
    await flushPromises();
    expect(question.value?.text).toContain("0.5000");
    question.value?.resolve(false);
    await flushPromises();
    expect(sent).toEqual([]);
  });
});
