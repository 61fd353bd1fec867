import { api, type Page } from "@/shared/api";
import { openBankSheet } from "@/shared/bankSheet";
import { newId } from "@/shared/ids";
import type { PreparedIntent } from "@/cards/transfers";

export type PinState = "none" | "set" | "locked";

export interface BankSession {
  id: string;
  idle_s: number;
  left_s: number;
  opened_at: string;
  used_at: string;
  device_id: string;
  device_name: string;
  current: boolean;
}

export interface Passkey {
  id: string;
  name: string;
  added_at: string;
  counts_from: string;
  used_at: string | null;
  device_name: string;
}

/** Opens the bank's own page over what was prepared; whether it was done there. */
async function confirmed(prepared: Promise<PreparedIntent>): Promise<boolean> {
  return (await openBankSheet(prepared)).outcome === "done";
}

export const security = {
  pin: () => api.get<{ state: PinState }>("/api/finance/pin"),
  choosePin: (what: "set" | "change" | "reset") => confirmed(api.post<PreparedIntent>("/api/finance/pin", { id: newId(), what })),
  sessions: () => api.get<Page<BankSession>>("/api/finance/bank-sessions"),
  closeSession: (id: string) => api.delete(`/api/finance/bank-sessions/${id}`),
  passkeys: () => api.get<Page<Passkey>>("/api/finance/passkeys"),
  addPasskey: (name: string) => confirmed(api.post<PreparedIntent>("/api/finance/passkeys", { id: newId(), name })),
  renamePasskey: (id: string, name: string) => api.patch<Passkey>(`/api/finance/passkeys/${id}`, { name }),
  removePasskey: (id: string) => confirmed(api.post<PreparedIntent>(`/api/finance/passkeys/${id}/removal`, { id: newId() })),
};
