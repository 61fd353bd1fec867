import { ref } from "vue";
import { reloadWhenReplaced } from "@/shared/reload";

/** Chromium's offer to install the page; not in TypeScript's DOM types. */
interface InstallOffer extends Event {
  prompt(): Promise<void>;
  userChoice: Promise<{ outcome: "accepted" | "dismissed" }>;
}

const LATER_MS = 30 * 86_400_000;
const KEY = "rl.install-later";
const offer = ref<InstallOffer | null>(null);

function postponed(): boolean {
  try {
    return Date.now() - Number(localStorage.getItem(KEY) ?? 0) < LATER_MS;
  } catch {
    return true;
  }
}

function later(): void {
  offer.value = null;
  try {
    localStorage.setItem(KEY, String(Date.now()));
  } catch {
    // Without storage the browser itself asks no more until the next visit.
  }
}

/** Whether the app can be put on the home screen, doing so, and not now. */
export const install = {
  offer,
  async accept(): Promise<void> {
    const current = offer.value;
    if (!current) return;
    await current.prompt();
    if ((await current.userChoice).outcome === "dismissed") later();
    offer.value = null;
  },
  later,
};

/** Keeps the shell for the next visit without a network, and listens for the offer to install. */
export function keepShell(): void {
  reloadWhenReplaced();
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    if (!postponed()) offer.value = event as InstallOffer;
  });
  // Without it the app works all the same, so that a refusal by the browser is no error.
  if (import.meta.env.PROD && "serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => undefined);
}
