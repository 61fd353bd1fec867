import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mendStyles, reloadWhenReplaced } from "./reload";

const page = (entry: string) => `<html><head><script type="module" src="${entry}"></script></head></html>`;
const settle = () => new Promise((resolve) => setTimeout(resolve));
const reload = vi.fn();
reloadWhenReplaced(reload);

async function aLazyFileIsMissing(): Promise<void> {
  dispatchEvent(new Event("vite:preloadError", { cancelable: true }));
  await settle();
  await settle();
}

describe("a lazy file that cannot be fetched", () => {
  beforeEach(() => {
    sessionStorage.clear();
    reload.mockClear();
    const here = new DOMParser().parseFromString(page("/static/dist/assets/app-1.js"), "text/html");
    vi.spyOn(document, "querySelector").mockImplementation((selector) => here.querySelector(selector));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("leaves the page standing when there is no network", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await aLazyFileIsMissing();
    expect(reload).not.toHaveBeenCalled();
  });

  it("leaves the page standing when the server has the same release, or is starting again", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(page("/static/dist/assets/app-1.js"))));
    await aLazyFileIsMissing();
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("", { status: 502 })));
    await aLazyFileIsMissing();
    expect(reload).not.toHaveBeenCalled();
  });

  it("has its sheet fetched again before the page is shown, and waits while it is out of reach", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const lost = new Event("vite:preloadError", { cancelable: true }) as VitePreloadErrorEvent;
    lost.payload = new Error("Unable to preload CSS for /static/dist/assets/wealth-1.css");
    dispatchEvent(lost);
    expect(lost.defaultPrevented, "the next missing sheet is named, too").toBe(true);
    const answers: ("error" | "load")[] = ["error", "load"];
    const append = vi.spyOn(document.head, "append").mockImplementation((link) => {
      setTimeout(() => (link as HTMLLinkElement).dispatchEvent(new Event(answers.shift() ?? "error")));
    });
    await expect(mendStyles()).rejects.toThrow("wealth-1.css");
    await mendStyles();
    await mendStyles();
    expect(append).toHaveBeenCalledTimes(2);
  });

  it("loads the new page after a new release, and not in a circle", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(page("/static/dist/assets/app-2.js"))));
    await aLazyFileIsMissing();
    await aLazyFileIsMissing();
    expect(reload).toHaveBeenCalledTimes(1);
  });
});
