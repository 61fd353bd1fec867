import { shallowRef } from "vue";
import { language } from "./i18n";
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

interface OpenSheet {
  url: string;
  /** Null until the page has said how tall it is. */
  height: number | null;
  cancel: () => void;
}

/** The sheet that BankSheetHost draws; null when none is open. */
export const openSheet = shallowRef<OpenSheet | null>(null);

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

/**
 * Shows the bank's own page over this one and waits for its answer.
 * A sheet that is closed from here answers "cancelled"; the order's or transfer's state on the server is the truth.
 */
export function openBankSheet(confirmUrl: string, intentId = ""): Promise<BankResult> {
  const url = dressed(confirmUrl);
  dismissBankSheet();
  return new Promise((resolve) => {
    function finish(result: BankResult): void {
      removeEventListener("message", hear);
      openSheet.value = null;
      resolve(result);
    }
    function hear(event: MessageEvent<unknown>): void {
      if (event.origin !== url.origin) return;
      const height = saidHeight(event.data);
      if (height !== null && openSheet.value) openSheet.value = { ...openSheet.value, height };
      if (!isBankMessage(event.data)) return;
      if (intentId && event.data.intent_id !== intentId) return;
      finish({ outcome: event.data.outcome, intent_id: event.data.intent_id });
    }
    addEventListener("message", hear);
    openSheet.value = { url: url.href, height: null, cancel: () => finish({ outcome: "cancelled", intent_id: intentId }) };
  });
}

/** Closing the sheet from this side, without an answer from the bank. */
export function dismissBankSheet(): void {
  openSheet.value?.cancel();
}
