import { api } from "@/shared/api";
import { openBankSheet } from "@/shared/bankSheet";
import { newId } from "@/shared/ids";
import type { PreparedIntent } from "@/cards/transfers";

/** Has the first PIN chosen on the bank's own page; whether it was. */
export async function setPin(): Promise<boolean> {
  const { outcome } = await openBankSheet(api.post<PreparedIntent>("/api/finance/pin", { id: newId() }));
  return outcome === "done";
}
