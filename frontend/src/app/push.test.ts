import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "@/shared/api";
import { push } from "./push";

const asked = vi.fn<() => Promise<NotificationPermission>>();
let permission: NotificationPermission;
let subscription: { endpoint: string; toJSON: () => object; unsubscribe: () => Promise<boolean> } | null;
const made = {
  endpoint: "https://push.example/1",
  toJSON: () => ({ endpoint: "https://push.example/1", keys: { p256dh: "p", auth: "a" } }),
  unsubscribe: () => {
    subscription = null;
    return Promise.resolve(true);
  },
};

beforeEach(() => {
  vi.restoreAllMocks();
  permission = "default";
  subscription = null;
  asked.mockImplementation(() => {
    permission = "granted";
    return Promise.resolve(permission);
  });
  vi.stubGlobal("Notification", {
    get permission(): NotificationPermission {
      return permission;
    },
    requestPermission: asked,
  });
  vi.stubGlobal("PushManager", vi.fn());
  const registration = {
    pushManager: {
      getSubscription: () => Promise.resolve(subscription),
      subscribe: () => {
        subscription = made;
        return Promise.resolve(made);
      },
    },
  };
  Object.defineProperty(navigator, "serviceWorker", { configurable: true, value: { getRegistration: () => Promise.resolve(registration), ready: Promise.resolve(registration) } });
});

describe("this browser", () => {
  it("is off until the person asks, and on for them alone", async () => {
    const post = vi.spyOn(api, "post").mockResolvedValue({});
    expect(await push.state("su", "key")).toBe("off");
    expect(await push.turnOn("su", "key")).toBe("on");
    expect(post).toHaveBeenCalledWith("/api/chat/push/subscriptions", { endpoint: made.endpoint, keys: { p256dh: "p", auth: "a" } });
    expect(await push.state("su", "key")).toBe("on");
    expect(await push.state("lin", "key")).toBe("off");
  });

  it("says when the person refused, or when it cannot", async () => {
    permission = "denied";
    expect(await push.state("su", "key")).toBe("denied");
    expect(await push.state("su", null)).toBe("unset");
    Object.defineProperty(navigator, "serviceWorker", { configurable: true, value: { getRegistration: () => Promise.resolve(undefined) } });
    expect(await push.state("su", "key")).toBe("unsupported");
  });

  it("is not subscribed where the bank did not take it", async () => {
    vi.spyOn(api, "post").mockRejectedValue(new Error("no"));
    await expect(push.turnOn("su", "key")).rejects.toThrow();
    expect(subscription).toBeNull();
    expect(await push.state("su", "key")).toBe("off");
  });

  it("tells the bank's server the address of the one that is turned off", async () => {
    vi.spyOn(api, "post").mockResolvedValue({});
    const gone = vi.spyOn(api, "delete").mockResolvedValue(undefined);
    await push.turnOn("su", "key");
    expect(await push.turnOff()).toBe("off");
    expect(gone).toHaveBeenCalledWith("/api/chat/push/subscriptions", {}, { endpoint: made.endpoint });
    expect(subscription).toBeNull();
  });

  it("goes on ringing for the same person after a sign-in, and not for another", async () => {
    const post = vi.spyOn(api, "post").mockResolvedValue({});
    await push.turnOn("su", "key");
    await push.resume("su");
    expect(post).toHaveBeenCalledTimes(2);
    await push.resume("lin");
    expect(subscription).toBeNull();
    expect(post).toHaveBeenCalledTimes(2);
  });
});
