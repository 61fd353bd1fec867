import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dismissBankSheet, openBankSheet, openSheet, type BankResult, type PreparedIntent } from "./bankSheet";

const BANK = "http://localhost:8443";
const INTENT = "0190c7a0-0000-7000-8000-000000000001";
const DONE = { type: "rongliao.bank", outcome: "done", intent_id: INTENT };
const CANCELLED = { outcome: "cancelled", intent_id: INTENT };
const frame = {} as Window;
let desktop = false;

function say(data: unknown, origin = BANK, source: unknown = frame): void {
  dispatchEvent(Object.assign(new Event("message"), { data, origin, source }));
}

function prepared(path = "/sheet/", intentId = INTENT): Promise<PreparedIntent> {
  return Promise.resolve({ intent_id: intentId, confirm_url: path.startsWith("/") ? BANK + path : path });
}

async function settled(promise: Promise<BankResult>): Promise<BankResult | null> {
  return Promise.race([promise, new Promise<null>((resolve) => setTimeout(() => resolve(null), 5))]);
}

/** The sheet stands open, and its frame is known. */
async function shown(path?: string): Promise<{ answer: Promise<BankResult>; url: string }> {
  const answer = openBankSheet(prepared(path));
  await vi.waitFor(() => expect(openSheet.value?.way).toBe("sheet"));
  if (openSheet.value?.way !== "sheet") throw new Error("no sheet");
  openSheet.value.standsIn({ contentWindow: frame });
  return { answer, url: openSheet.value.url };
}

beforeEach(() => {
  desktop = false;
  vi.stubGlobal("matchMedia", () => ({ matches: desktop }));
});
afterEach(() => {
  dismissBankSheet();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the bank sheet", () => {
  it("shows the page with this page's language and palette, the code untouched", async () => {
    expect((await shown("/sheet/?code=abc#x=1")).url).toBe(`${BANK}/sheet/?code=abc#x=1&lang=zh-CN&theme=light`);
  });

  it("gives the bank's answer and closes", async () => {
    const { answer } = await shown();
    say(DONE);
    expect(await settled(answer)).toEqual({ outcome: "done", intent_id: INTENT });
    expect(openSheet.value).toBeNull();
  });

  it.each([
    ["another origin", DONE, "http://localhost:3000"],
    ["this very page", DONE, "http://localhost:8000"],
    ["another window of the bank", DONE, BANK, {}],
    ["no window", DONE, BANK, null],
    ["another outcome", { ...DONE, outcome: "paid" }, BANK],
    ["another type", { ...DONE, type: "done" }, BANK],
    ["no object", "done", BANK],
    ["another intent", { ...DONE, intent_id: "other" }, BANK],
    ["no intent", { ...DONE, intent_id: "" }, BANK],
  ])("is deaf to %s", async (_, data, origin, source: unknown = frame) => {
    const { answer } = await shown();
    say(data, origin, source);
    expect(await settled(answer)).toBeNull();
    expect(openSheet.value).not.toBeNull();
  });

  it("hears of a page that failed before it knew its intent", async () => {
    const { answer } = await shown();
    say({ ...DONE, outcome: "failed", intent_id: "" });
    expect(await settled(answer)).toEqual({ outcome: "failed", intent_id: INTENT });
  });

  it("is as tall as the bank's page says, within bounds and from the bank alone", async () => {
    const { url } = await shown();
    say({ type: "rongliao.bank.height", height: 603.2 });
    expect(openSheet.value).toMatchObject({ height: 604 });
    for (const height of [-1, 0, 1e9, NaN, "500"]) say({ type: "rongliao.bank.height", height });
    say({ type: "rongliao.bank.height", height: 10 }, "http://localhost:3000");
    expect(openSheet.value).toMatchObject({ height: 604, url });
  });

  it("answers cancelled when closed from here or replaced by another", async () => {
    const first = await shown();
    const second = await shown("/sheet/?code=2");
    expect(await settled(first.answer)).toEqual(CANCELLED);
    openSheet.value?.cancel();
    expect(await settled(second.answer)).toEqual(CANCELLED);
  });

  it("refuses an address on this origin or of another protocol", async () => {
    for (const url of [`${location.origin}/sheet/`, "javascript:alert(1)"]) await expect(openBankSheet(prepared(url))).rejects.toThrow(TypeError);
  });
});

class Popup {
  closed = false;
  document = { documentElement: { style: {} }, body: {}, title: "" };
  location = { replace: vi.fn() };
  postMessage = vi.fn();
  focus = vi.fn();
  close(): void {
    this.closed = true;
  }
}

describe("the bank's window on a desktop", () => {
  let popup: Popup;
  let allowed: Popup | null;
  const open = vi.fn(() => allowed);

  beforeEach(() => {
    desktop = true;
    allowed = popup = new Popup();
    open.mockClear();
    vi.stubGlobal("open", open);
    vi.useFakeTimers();
  });

  async function waiting(): Promise<Promise<BankResult>[]> {
    const answer = openBankSheet(prepared());
    await vi.advanceTimersByTimeAsync(0);
    expect(openSheet.value?.way).toBe("window");
    return [answer];
  }

  it("opens in the click itself, empty, and goes to the bank once that is prepared", async () => {
    let ready: (found: PreparedIntent) => void = () => undefined;
    void openBankSheet(new Promise((resolve) => (ready = resolve)));
    expect(open).toHaveBeenCalledExactlyOnceWith("about:blank", "_blank", expect.stringContaining("popup=yes"));
    expect(popup.location.replace).not.toHaveBeenCalled();
    ready(await prepared("/sheet/#code=abc"));
    await vi.advanceTimersByTimeAsync(0);
    expect(popup.location.replace).toHaveBeenCalledExactlyOnceWith(`${BANK}/sheet/#code=abc&lang=zh-CN&theme=light`);
  });

  it("gives the window's answer, the window's alone", async () => {
    const [answer] = await waiting();
    say(DONE, BANK, frame);
    say(DONE, "http://localhost:3000", popup);
    expect(openSheet.value?.way).toBe("window");
    say(DONE, BANK, popup);
    expect(await answer).toEqual({ outcome: "done", intent_id: INTENT });
    expect([openSheet.value, popup.closed]).toEqual([null, true]);
  });

  it("brings the window to the front", async () => {
    await waiting();
    if (openSheet.value?.way === "window") openSheet.value.show();
    expect(popup.focus).toHaveBeenCalledOnce();
  });

  it("notices that the window was closed, and hears its last word before", async () => {
    const [answer] = await waiting();
    popup.closed = true;
    await vi.advanceTimersByTimeAsync(500);
    expect(openSheet.value).not.toBeNull();
    await vi.advanceTimersByTimeAsync(500);
    expect(await answer).toEqual(CANCELLED);
    allowed = popup = new Popup();
    const [another] = await waiting();
    popup.closed = true;
    await vi.advanceTimersByTimeAsync(500);
    say(DONE, BANK, popup);
    expect(await another).toEqual({ outcome: "done", intent_id: INTENT });
  });

  it("asks the bank to give it up, and closes a window that does not answer", async () => {
    const [answer] = await waiting();
    openSheet.value?.cancel();
    openSheet.value?.cancel();
    expect(popup.postMessage).toHaveBeenCalledExactlyOnceWith({ type: "rongliao.bank.cancel", intent_id: INTENT }, BANK);
    expect(openSheet.value).toMatchObject({ cancelling: true });
    await vi.advanceTimersByTimeAsync(5_000);
    expect([await answer, popup.closed]).toEqual([CANCELLED, true]);
  });

  it("is done where the bank was at it when it was given up", async () => {
    const [answer] = await waiting();
    openSheet.value?.cancel();
    await vi.advanceTimersByTimeAsync(2_000);
    say(DONE, BANK, popup);
    expect(await answer).toEqual({ outcome: "done", intent_id: INTENT });
  });

  it("is a sheet where the browser opens no window", async () => {
    allowed = null;
    void openBankSheet(prepared());
    await vi.advanceTimersByTimeAsync(0);
    expect(openSheet.value?.way).toBe("sheet");
  });

  it("closes when there is nothing to confirm", async () => {
    await expect(openBankSheet(Promise.reject(new Error("refused")))).rejects.toThrow("refused");
    expect([popup.closed, openSheet.value]).toEqual([true, null]);
  });
});
