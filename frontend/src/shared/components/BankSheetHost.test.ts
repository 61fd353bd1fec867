import { mount, type VueWrapper } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { dismissBankSheet, openBankSheet, openSheet } from "../bankSheet";
import BankSheetHost from "./BankSheetHost.vue";

const BANK = "http://localhost:8443";
const INTENT = "0190c7a0-0000-7000-8000-000000000001";
const PREPARED = { intent_id: INTENT, confirm_url: `${BANK}/sheet/` };
let desktop = false;
let host: VueWrapper;
const popup = { closed: false, document: { documentElement: { style: {} }, body: {}, title: "" }, location: { replace: vi.fn() }, postMessage: vi.fn(), focus: vi.fn(), close: vi.fn() };

beforeEach(() => {
  desktop = false;
  vi.stubGlobal("matchMedia", () => ({ matches: desktop }));
  vi.stubGlobal("open", () => popup);
  host = mount(BankSheetHost, { attachTo: document.body });
});
afterEach(() => {
  dismissBankSheet();
  host.unmount();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function button(words: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll<HTMLButtonElement>("[role=dialog] button")].find((one) => one.textContent?.includes(words));
}

describe("where the bank's page stands", () => {
  it("is a frame whose own window is heard", async () => {
    // As in a browser: a frame has a window once it stands in the page, and not before.
    const source = {};
    vi.spyOn(HTMLIFrameElement.prototype, "contentWindow", "get").mockImplementation(function (this: HTMLIFrameElement) {
      return this.isConnected ? (source as Window) : null;
    });
    const answer = openBankSheet(Promise.resolve(PREPARED));
    await vi.waitFor(() => expect(document.querySelector("iframe")).not.toBeNull());
    dispatchEvent(Object.assign(new Event("message"), { data: { type: "rongliao.bank", outcome: "done", intent_id: INTENT }, origin: BANK, source }));
    expect(await answer).toEqual({ outcome: "done", intent_id: INTENT });
    await vi.waitFor(() => expect(document.querySelector("iframe")).toBeNull());
  });

  it("is a window that one gets back to or gives up", async () => {
    desktop = true;
    void openBankSheet(Promise.resolve(PREPARED));
    await vi.waitFor(() => expect(openSheet.value?.way).toBe("window"));
    await nextTick();
    expect(document.querySelector("iframe")).toBeNull();
    expect(document.querySelector("[role=dialog] h2")?.textContent).toBe("请在银行窗口中确认");
    button("回到银行窗口")?.click();
    expect(popup.focus).toHaveBeenCalledOnce();
    button("取消")?.click();
    await nextTick();
    expect(popup.postMessage).toHaveBeenCalledExactlyOnceWith({ type: "rongliao.bank.cancel", intent_id: INTENT }, BANK);
    expect(document.querySelector("[role=status]")?.textContent).toBe("正在取消");
  });
});
