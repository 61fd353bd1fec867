import type { BankCancel, BankHeight, BankMessage, BankOutcome } from "@/shared/bankSheet";

/** The page that opened this one: it frames it, or opened it as a window; null where somebody came by themselves. */
function opener(): Window | null {
  if (window.parent !== window) return window.parent;
  return window.opener as Window | null;
}

export const framed = window.parent !== window;

/** Tells the page that opened this one how it ended: that page alone, by its origin. */
export function tell(appOrigin: string, outcome: BankOutcome, intentId: string): void {
  const message: BankMessage = { type: "rongliao.bank", outcome, intent_id: intentId };
  opener()?.postMessage(message, appOrigin);
  if (!framed && window.opener) window.close();
}

/** Calls back when the page that opened this window gives that intent up: that page alone, by its window and origin. */
export function onCancel(appOrigin: string, intentId: () => string, given: () => void): () => void {
  function hear(event: MessageEvent<unknown>): void {
    if (framed || event.origin !== appOrigin || event.source === null || event.source !== opener()) return;
    const { type, intent_id: id } = (event.data ?? {}) as Partial<BankCancel>;
    if (type === "rongliao.bank.cancel" && id === intentId() && id !== "") given();
  }
  addEventListener("message", hear);
  return () => removeEventListener("message", hear);
}

/** Below this much a window stays as it is. */
const SLACK_PX = 8;

/** Says how tall the content is. The page that frames this one decides what to make of it; a window fits itself. */
export function tellHeight(appOrigin: string, height: number): void {
  const message: BankHeight = { type: "rongliao.bank.height", height: Math.ceil(height) };
  if (framed) window.parent.postMessage(message, appOrigin);
  else if (window.opener) {
    // To a height and not by one: a browser resizes later, and the next call may still see the old height.
    const chrome = Math.max(0, window.outerHeight - window.innerHeight);
    const wanted = Math.min(message.height + chrome, screen.availHeight);
    if (Math.abs(wanted - window.outerHeight) > SLACK_PX) window.resizeTo(window.outerWidth, wanted);
  }
}
