import { api, type Page } from "@/shared/api";
import type { components } from "@/shared/generated/openapi";

type Schemas = components["schemas"];

export type AccountChoice = Schemas["AccountChoice"];
export type TransferDetail = Schemas["TransferDetail"];
export type TransferChoices = Schemas["TransferChoices"];
export type TransferOrder = Omit<Schemas["TransferOrderRequest"], "id">;
export type OwnOrder = Omit<Schemas["OwnTransferOrderRequest"], "id">;
export type PayoutOrder = Omit<Schemas["PayoutOrderRequest"], "id">;
export type PreparedIntent = Schemas["PreparedIntent"];
export type PayoutDetail = Schemas["PayoutDetail"];
export type OpenableClass = Schemas["OpenableClass"];
export type AccountClass = AccountChoice["account_class"];
export type TransferState = TransferDetail["state"];

const BASE = "/api/finance";

export const payments = {
  transfer: (id: string, signal?: AbortSignal) => api.get<TransferDetail>(`${BASE}/transfers/${id}`, { signal }),
  transferChoices: (conversationId: string, payeeId: string, signal?: AbortSignal) =>
    api.get<TransferChoices>(`${BASE}/transfers/options`, { query: { conversation_id: conversationId, payee_id: payeeId }, signal }),
  prepareTransfer: (order: Schemas["TransferOrderRequest"]) =>
    api.post<PreparedIntent>(`${BASE}/transfers`, order),
  accept: (id: string, accountId: string, key: string) =>
    api.post<TransferDetail>(`${BASE}/transfers/${id}/accept`, { account_id: accountId }, { idempotencyKey: key }),
  sendBack: (id: string, key: string) => api.post<TransferDetail>(`${BASE}/transfers/${id}/return`, {}, { idempotencyKey: key }),
  payoutChoices: (signal?: AbortSignal) => api.get<Schemas["PayoutChoices"]>(`${BASE}/payouts/options`, { signal }),
  preparePayout: (order: Schemas["PayoutOrderRequest"]) => api.post<PreparedIntent>(`${BASE}/payouts`, order),
  payout: (id: string, signal?: AbortSignal) => api.get<PayoutDetail>(`${BASE}/payouts/${id}`, { signal }),
  payouts: (before: string | null, signal?: AbortSignal) =>
    api.get<Page<PayoutDetail>>(`${BASE}/payouts`, { query: { before }, signal }),
  ownChoices: (signal?: AbortSignal) => api.get<Schemas["OwnTransferChoices"]>(`${BASE}/own-transfers/options`, { signal }),
  prepareOwn: (order: Schemas["OwnTransferOrderRequest"]) => api.post<PreparedIntent>(`${BASE}/own-transfers`, order),
  own: (id: string, signal?: AbortSignal) => api.get<Schemas["OwnTransferDetail"]>(`${BASE}/own-transfers/${id}`, { signal }),
  openable: (signal?: AbortSignal) => api.get<Schemas["OpeningChoices"]>(`${BASE}/accounts/openable`, { signal }),
  open: (accountClass: AccountClass, cardId: string, key: string) =>
    api.post<Schemas["OpenedAccount"]>(
      `${BASE}/accounts/open`,
      { account_class: accountClass, card_id: cardId },
      { idempotencyKey: key },
    ),
};
