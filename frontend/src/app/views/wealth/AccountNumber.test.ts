import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import AccountNumber from "./AccountNumber.vue";

const asked: string[] = [];
const copied: string[] = [];

beforeEach(() => {
  asked.length = copied.length = 0;
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return Promise.resolve(new Response(JSON.stringify({ number: "6222801234567890123" }), { status: 200 }));
  });
  vi.stubGlobal("navigator", { clipboard: { writeText: (text: string) => Promise.resolve(copied.push(text)) } });
});
afterEach(() => vi.unstubAllGlobals());

describe("an account's number", () => {
  it("is not asked for and not on the page until its owner wants it, and can be hidden again", async () => {
    const page = mount(AccountNumber, { props: { accountId: "a1", tail: "0123" } });
    await flushPromises();
    expect(asked).toEqual([]);
    expect(page.text()).toContain("•••• •••• •••• 0123");
    expect(page.findAll("button").length).toBe(1);

    await page.get("button").trigger("click");
    await flushPromises();
    expect(asked).toEqual(["/api/finance/accounts/a1/number"]);
    expect(page.text()).toContain("6222 8012 3456 7890 123");

    await page.findAll("button")[1]?.trigger("click");
    await flushPromises();
    expect(copied).toEqual(["6222801234567890123"]);

    await page.get("button").trigger("click");
    await flushPromises();
    expect(page.text()).not.toContain("6222");
    expect(asked.length).toBe(1);
  });
});
