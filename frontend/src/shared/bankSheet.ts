import { shallowRef } from "vue";
import { language, t } from "./i18n";
import { shuffledPad } from "./pad";
import { isDark, size } from "./theme";

export type BankOutcome = "done" | "cancelled" | "failed";

export interface BankResult {
  outcome: BankOutcome;
  intent_id: string;
}

/** What the bank's page posts to the page that opened it. */
export interface BankMessage extends BankResult {
  type: "rongliao.bank";
}

/** How tall the bank's page is, in CSS pixels; posted when its content changes. */
export interface BankHeight {
  type: "rongliao.bank.height";
  height: number;
}

/** What this page posts to the bank's window: the person gives it up. */
export interface BankCancel {
  type: "rongliao.bank.cancel";
  intent_id: string;
}

export interface PreparedIntent {
  intent_id: string;
  confirm_url: string;
}

interface SheetHere {
  way: "sheet";
  url: string;
  /** Null until the page has said how tall it is. */
  height: number | null;
  /** Says in which frame it stands: no other is listened to. */
  standsIn: (frame: Pick<HTMLIFrameElement, "contentWindow">) => void;
  cancel: () => void;
}

interface WindowElsewhere {
  way: "window";
  /** The bank was asked to give it up and has not answered yet. */
  cancelling: boolean;
  show: () => void;
  cancel: () => void;
}

/** What BankSheetHost draws: the bank's page in a sheet, or that it stands in a window of its own; null for neither. */
export const openSheet = shallowRef<SheetHere | WindowElsewhere | null>(null);
/** Ends what stands open, without a word from the bank. */
let drop: (() => void) | null = null;

const DESKTOP = "(min-width: 1024px) and (pointer: fine)";
const WINDOW = { width: 440, height: 760 };
const WATCH_MS = 400;
/** How long the bank's window may take to give up what it shows, before it is closed from here. */
const CANCEL_MS = 5_000;

function isBankMessage(data: unknown): data is BankMessage {
  if (typeof data !== "object" || data === null) return false;
  const message = data as Partial<BankMessage>;
  return (
    message.type === "rongliao.bank" &&
    typeof message.intent_id === "string" &&
    (message.outcome === "done" || message.outcome === "cancelled" || message.outcome === "failed")
  );
}

const MAX_HEIGHT = 4000;

function saidHeight(data: unknown): number | null {
  if (typeof data !== "object" || data === null) return null;
  const message = data as Partial<BankHeight>;
  const fits = message.type === "rongliao.bank.height" && typeof message.height === "number" && message.height > 0 && message.height <= MAX_HEIGHT;
  return fits ? Math.ceil(message.height as number) : null;
}

/** The address with what the bank's own origin cannot know: this page's language, palette and size. */
function dressed(confirmUrl: string): URL {
  const url = new URL(confirmUrl);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("confirm_url must be http(s)");
  if (url.origin === location.origin) throw new TypeError("the bank sheet lives on an origin of its own");
  const hash = new URLSearchParams(url.hash.slice(1));
  hash.set("lang", language.value);
  hash.set("theme", isDark.value ? "dark" : "light");
  if (size.value === "large") hash.set("size", "large");
  if (shuffledPad.value) hash.set("pad", "random");
  url.hash = hash.toString();
  return url;
}

/** An empty window over the middle of this one, or null where the browser allows none. Only a click may open it. */
function openWindow(): Window | null {
  const left = Math.round(window.screenX + (window.outerWidth - WINDOW.width) / 2);
  const top = Math.round(window.screenY + Math.max(0, (window.outerHeight - WINDOW.height) / 2));
  const opened = window.open("about:blank", "_blank", `popup=yes,width=${WINDOW.width},height=${WINDOW.height},left=${left},top=${top}`);
  if (!opened || opened.closed) return null;
  // Until the bank answers it is this page's own.
  opened.document.documentElement.style.colorScheme = isDark.value ? "dark" : "light";
  opened.document.title = opened.document.body.textContent = t("bankSheet.opening");
  return opened;
}

/**
 * Shows the bank's own page and waits for its answer: over this one, or on a desktop in a window of its own.
 * To be called in the click itself, with the preparing under way. One that is closed from here answers "cancelled";
 * the order's or transfer's state on the server is the truth. Rejects where preparing does.
 */
export async function openBankSheet(preparing: Promise<PreparedIntent>): Promise<BankResult> {
  dismissBankSheet();
  const opened = matchMedia(DESKTOP).matches ? openWindow() : null;
  try {
    const { confirm_url: confirmUrl, intent_id: intentId } = await preparing;
    const url = dressed(confirmUrl);
    dismissBankSheet();
    return await (opened && !opened.closed ? inWindow(opened, url, intentId) : inSheet(url, intentId));
  } catch (thrown) {
    opened?.close();
    throw thrown;
  }
}

/** Hears what that window says from the bank's origin, and nobody else. */
function listen(origin: string, from: () => Window | null, intentId: string, heard: (result: BankResult) => void, grown?: (height: number) => void): () => void {
  function hear(event: MessageEvent<unknown>): void {
    if (event.origin !== origin || event.source === null || event.source !== from()) return;
    const height = saidHeight(event.data);
    if (height !== null) grown?.(height);
    if (!isBankMessage(event.data)) return;
    // A page that never came to know its intent can say that it failed, and not that it is done.
    const { outcome, intent_id: said } = event.data;
    if (said === intentId || (said === "" && outcome !== "done")) heard({ outcome, intent_id: intentId });
  }
  addEventListener("message", hear);
  return () => removeEventListener("message", hear);
}

function inSheet(url: URL, intentId: string): Promise<BankResult> {
  return new Promise((resolve) => {
    let frame: Pick<HTMLIFrameElement, "contentWindow"> | null = null;
    function finish(result: BankResult): void {
      deafen();
      openSheet.value = drop = null;
      resolve(result);
    }
    const deafen = listen(url.origin, () => frame?.contentWindow ?? null, intentId, finish, (height) => {
      if (openSheet.value?.way === "sheet") openSheet.value = { ...openSheet.value, height };
    });
    drop = () => finish({ outcome: "cancelled", intent_id: intentId });
    openSheet.value = { way: "sheet", url: url.href, height: null, standsIn: (element) => (frame = element), cancel: drop };
  });
}

function inWindow(opened: Window, url: URL, intentId: string): Promise<BankResult> {
  return new Promise((resolve) => {
    let closedBefore = false;
    let patience: ReturnType<typeof setTimeout> | undefined;
    function finish(result: BankResult): void {
      deafen();
      clearInterval(watching);
      clearTimeout(patience);
      openSheet.value = drop = null;
      if (!opened.closed) opened.close();
      resolve(result);
    }
    const deafen = listen(url.origin, () => opened, intentId, finish);
    drop = () => finish({ outcome: "cancelled", intent_id: intentId });
    const watching = setInterval(() => {
      // A last word may still be on its way when the window is gone.
      if (opened.closed && closedBefore) drop?.();
      closedBefore = opened.closed;
    }, WATCH_MS);
    function cancel(): void {
      if (patience !== undefined) return;
      const said: BankCancel = { type: "rongliao.bank.cancel", intent_id: intentId };
      opened.postMessage(said, url.origin);
      patience = setTimeout(() => drop?.(), CANCEL_MS);
      if (openSheet.value?.way === "window") openSheet.value = { ...openSheet.value, cancelling: true };
    }
    opened.location.replace(url.href);
    openSheet.value = { way: "window", cancelling: false, show: () => opened.focus(), cancel };
  });
}

/** Closing what stands open from this side, without an answer from the bank. */
export function dismissBankSheet(): void {
  drop?.();
}
