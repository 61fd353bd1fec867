import { api } from "@/shared/api";

/** GET /api/chat/push/settings: the person's wishes for all devices, and the key that a browser subscribes with. */
export interface PushWishes {
  hide_content: boolean;
  quiet_from: string | null;
  quiet_to: string | null;
}
export interface PushSettings extends PushWishes {
  public_key: string | null;
}

/**
 * Whether this browser rings: it cannot; the installation does not; the person said no to the browser, which only its
 * own settings change; off; on.
 */
export type Ringing = "unsupported" | "unset" | "denied" | "off" | "on";

const SETTINGS = "/api/chat/push/settings";
const SUBSCRIPTIONS = "/api/chat/push/subscriptions";
/** For whom this browser rings. A subscription outlives a sign-out, and the next person did not ask for it. */
const KEY = "rl.rings-for";
const WORKER_LIMIT_MS = 4_000;

function ringsFor(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
function noteFor(personId: string | null): void {
  try {
    if (personId === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, personId);
  } catch {
    // Without storage this browser asks again at the next visit.
  }
}

/** The service worker, where there is one; it may still be on its way in. */
async function worker(): Promise<ServiceWorkerRegistration | null> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return null;
  if (!(await navigator.serviceWorker.getRegistration())) return null;
  const late = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), WORKER_LIMIT_MS);
  });
  return Promise.race([navigator.serviceWorker.ready, late]);
}

async function subscribe(registration: ServiceWorkerRegistration, publicKey: string): Promise<void> {
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  try {
    const { endpoint, keys } = made.toJSON();
    await api.post(SUBSCRIPTIONS, { endpoint, keys });
  } catch (error) {
    await made.unsubscribe();
    throw error;
  }
}

export const push = {
  settings: (): Promise<PushSettings> => api.get<PushSettings>(SETTINGS),
  wish: (wishes: PushWishes): Promise<PushSettings> => api.put<PushSettings>(SETTINGS, wishes),

  async state(personId: string, publicKey: string | null): Promise<Ringing> {
    const registration = await worker();
    if (!registration) return "unsupported";
    if (publicKey === null) return "unset";
    if (Notification.permission === "denied") return "denied";
    const rings = Notification.permission === "granted" && ringsFor() === personId && (await registration.pushManager.getSubscription());
    return rings ? "on" : "off";
  },

  /** Asks the browser's leave and tells the bank. Throws where the push service or the bank cannot be reached. */
  async turnOn(personId: string, publicKey: string): Promise<Ringing> {
    if ((await Notification.requestPermission()) !== "granted") return Notification.permission === "denied" ? "denied" : "off";
    const registration = await worker();
    if (!registration) return "unsupported";
    await subscribe(registration, publicKey);
    noteFor(personId);
    return "on";
  },

  async turnOff(): Promise<Ringing> {
    const subscription = await (await worker())?.pushManager.getSubscription();
    if (subscription) {
      await api.delete(SUBSCRIPTIONS, {}, { endpoint: subscription.endpoint });
      await subscription.unsubscribe();
    }
    noteFor(null);
    return "off";
  },

  /** After a sign-in: this browser goes on ringing for whoever asked for it, and for nobody else. */
  async resume(personId: string): Promise<void> {
    const registration = await worker();
    const subscription = await registration?.pushManager.getSubscription();
    if (!subscription) return;
    if (ringsFor() === personId) {
      const { endpoint, keys } = subscription.toJSON();
      await api.post(SUBSCRIPTIONS, { endpoint, keys });
    } else {
      noteFor(null);
      await subscription.unsubscribe();
    }
  },

  /** What rang for a conversation that is being read goes from the screen. */
  async quiet(conversationId: string): Promise<void> {
    const registration = await worker();
    for (const shown of (await registration?.getNotifications({ tag: conversationId })) ?? []) shown.close();
  },

  /** The count on the app's icon. */
  badge(count: number): void {
    if (!("setAppBadge" in navigator)) return;
    void (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => undefined);
  },
};
