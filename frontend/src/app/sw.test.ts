import { beforeEach, describe, expect, it, vi } from "vitest";
import source from "./sw.js?raw";

type Listener = (event: { data: { json: () => unknown }; waitUntil: (done: Promise<void>) => void }) => void;

const note = { type: "message", conversation_id: "c1", tag: "c1", title: "林晓舟", body: "在吗", badge: 3, at: "2026-11-23T10:00:00Z" };

/** The worker as a browser runs it, with what it calls of the browser. */
function worker(navigator: object, open: { focused: boolean; visibilityState: string }[] = []) {
  const listeners = new Map<string, Listener>();
  const shown = vi.fn(() => Promise.resolve());
  const self = {
    addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
    location: { origin: "https://chat.example" },
    clients: { matchAll: () => Promise.resolve(open) },
    registration: { showNotification: shown },
  };
  // The file is a script of its own, not a module.
  new Function("self", "navigator", "caches", source)(self, navigator, {});
  async function push(data: unknown): Promise<void> {
    let done: Promise<void> = Promise.resolve();
    listeners.get("push")?.({ data: { json: () => data }, waitUntil: (waited) => (done = waited) });
    await done;
  }
  return { push, shown };
}

const setAppBadge = vi.fn();
const clearAppBadge = vi.fn();

beforeEach(() => {
  setAppBadge.mockReset().mockResolvedValue(undefined);
  clearAppBadge.mockReset().mockResolvedValue(undefined);
});

describe("a message that comes while no page is open", () => {
  it("rings, and puts the count of unread ones on the app's icon", async () => {
    const { push, shown } = worker({ setAppBadge, clearAppBadge });
    await push(note);
    expect(setAppBadge).toHaveBeenCalledWith(3);
    expect(shown).toHaveBeenCalledWith("林晓舟", expect.objectContaining({ body: "在吗", tag: "c1", data: { path: "/messages/c1" } }));
    await push({ ...note, badge: 0 });
    expect(clearAppBadge).toHaveBeenCalledOnce();
  });

  it("rings where the system has no badge, refuses one, or is told no number", async () => {
    setAppBadge.mockRejectedValue(new DOMException("not allowed"));
    for (const navigator of [{}, { setAppBadge, clearAppBadge }]) {
      const { push, shown } = worker(navigator);
      await push(note);
      expect(shown).toHaveBeenCalledOnce();
    }
    setAppBadge.mockReset();
    const { push, shown } = worker({ setAppBadge, clearAppBadge });
    await push({ ...note, badge: undefined });
    expect(shown).toHaveBeenCalledOnce();
    expect(setAppBadge).not.toHaveBeenCalled();
  });

  it("counts and does not ring where the person has the app before them", async () => {
    const { push, shown } = worker({ setAppBadge, clearAppBadge }, [{ focused: true, visibilityState: "visible" }]);
    await push(note);
    expect(setAppBadge).toHaveBeenCalledWith(3);
    expect(shown).not.toHaveBeenCalled();
  });
});
