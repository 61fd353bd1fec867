import { afterEach, describe, expect, it, vi } from "vitest";
import { onCancel, tell, tellHeight } from "./opener";

const APP = "http://app";
const ID = "018f0000-0000-7000-8000-000000000001";
const CANCEL = { type: "rongliao.bank.cancel", intent_id: ID };
const page = { postMessage: vi.fn() };

function say(data: unknown, origin = APP, source: unknown = page): void {
  dispatchEvent(Object.assign(new Event("message"), { data, origin, source }));
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

describe("the window of the bank's page", () => {
  it("hears the page that opened it, and nobody else", () => {
    vi.stubGlobal("opener", page);
    const given = vi.fn();
    const deafen = onCancel(APP, () => ID, given);
    say(CANCEL, "http://evil");
    say(CANCEL, APP, {});
    say(CANCEL, APP, null);
    say({ ...CANCEL, intent_id: "other" });
    say({ ...CANCEL, type: "rongliao.bank" });
    say("rongliao.bank.cancel");
    say(null);
    expect(given).not.toHaveBeenCalled();
    say(CANCEL);
    expect(given).toHaveBeenCalledOnce();
    deafen();
    say(CANCEL);
    expect(given).toHaveBeenCalledOnce();
  });

  it("hears nobody while it knows of no intent", () => {
    vi.stubGlobal("opener", page);
    const given = vi.fn();
    const deafen = onCancel(APP, () => "", given);
    say({ ...CANCEL, intent_id: "" });
    expect(given).not.toHaveBeenCalled();
    deafen();
  });

  it("is as tall as what it shows, and not for a pixel's sake", () => {
    vi.stubGlobal("opener", page);
    const resize = vi.fn();
    vi.stubGlobal("resizeTo", resize);
    vi.stubGlobal("outerWidth", 440);
    vi.stubGlobal("innerHeight", 700);
    vi.stubGlobal("outerHeight", 760);
    vi.stubGlobal("screen", { availHeight: 1000 });
    for (const height of [600.5, 704, 5000]) tellHeight(APP, height);
    expect(resize.mock.calls).toEqual([[440, 661], [440, 1000]]);
    expect(page.postMessage).not.toHaveBeenCalled();
  });

  it("tells that page alone, by its origin, and closes", () => {
    vi.stubGlobal("opener", page);
    const close = vi.spyOn(window, "close").mockImplementation(() => undefined);
    tell(APP, "done", ID);
    expect(page.postMessage).toHaveBeenCalledExactlyOnceWith({ type: "rongliao.bank", outcome: "done", intent_id: ID }, APP);
    expect(close).toHaveBeenCalledOnce();
  });
});
