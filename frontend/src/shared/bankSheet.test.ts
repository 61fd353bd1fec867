import { afterEach, describe, expect, it } from "vitest";
import { dismissBankSheet, openBankSheet, openSheet, type BankResult } from "./bankSheet";

const BANK = "http://localhost:8443";
const INTENT = "0190c7a0-0000-7000-8000-000000000001";

function say(data: unknown, origin = BANK): void {
  dispatchEvent(new MessageEvent("message", { data, origin }));
}

async function settled(promise: Promise<BankResult>): Promise<BankResult | null> {
  return Promise.race([promise, new Promise<null>((resolve) => setTimeout(() => resolve(null), 5))]);
}

afterEach(() => dismissBankSheet());

describe("the bank sheet", () => {
  it("shows the page with this page's language and palette, the code untouched", () => {
    void openBankSheet(`${BANK}/sheet/?code=abc#x=1`);
    expect(openSheet.value?.url).toBe(`${BANK}/sheet/?code=abc#x=1&lang=zh-CN&theme=light`);
  });

  it("gives the bank's answer and closes", async () => {
    const answer = openBankSheet(`${BANK}/sheet/`);
    say({ type: "rongliao.bank", outcome: "done", intent_id: INTENT });
    expect(await settled(answer)).toEqual({ outcome: "done", intent_id: INTENT });
    expect(openSheet.value).toBeNull();
  });

  it.each([
    ["another origin", { type: "rongliao.bank", outcome: "done", intent_id: INTENT }, "http://localhost:3000"],
    ["this very page", { type: "rongliao.bank", outcome: "done", intent_id: INTENT }, "http://localhost:8000"],
    ["another outcome", { type: "rongliao.bank", outcome: "paid", intent_id: INTENT }, BANK],
    ["another type", { type: "done", outcome: "done", intent_id: INTENT }, BANK],
    ["no object", "done", BANK],
    ["another intent", { type: "rongliao.bank", outcome: "done", intent_id: "other" }, BANK],
  ])("is deaf to %s", async (_, data, origin) => {
    const answer = openBankSheet(`${BANK}/sheet/`, INTENT);
    say(data, origin);
    expect(await settled(answer)).toBeNull();
    expect(openSheet.value).not.toBeNull();
  });

  it("is as tall as the bank's page says, within bounds and from the bank alone", () => {
    void openBankSheet(`${BANK}/sheet/`);
    const url = openSheet.value?.url;
    say({ type: "rongliao.bank.height", height: 603.2 });
    expect(openSheet.value?.height).toBe(604);
    for (const height of [-1, 0, 1e9, NaN, "500"]) say({ type: "rongliao.bank.height", height });
    say({ type: "rongliao.bank.height", height: 10 }, "http://localhost:3000");
    expect(openSheet.value?.height).toBe(604);
    expect(openSheet.value?.url).toBe(url);
  });

  it("answers cancelled when closed from here or replaced by another", async () => {
    const first = openBankSheet(`${BANK}/sheet/`, INTENT);
    const second = openBankSheet(`${BANK}/sheet/?code=2`);
    expect(await settled(first)).toEqual({ outcome: "cancelled", intent_id: INTENT });
    dismissBankSheet();
    expect((await settled(second))?.outcome).toBe("cancelled");
  });

  it("refuses an address on this origin or of another protocol", () => {
    expect(() => openBankSheet(`${location.origin}/sheet/`)).toThrow(TypeError);
    expect(() => openBankSheet("javascript:alert(1)")).toThrow(TypeError);
  });
});
