import type { BankHeight, BankMessage, BankOutcome } from "@/shared/bankSheet";

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

/** Says how tall the content is. The page that frames this one decides what to make of it. */
export function tellHeight(appOrigin: string, height: number): void {
  const message: BankHeight = { type: "rongliao.bank.height", height: Math.ceil(height) };
  if (framed) window.parent.postMessage(message, appOrigin);
}
