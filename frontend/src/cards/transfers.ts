import { api } from "@/shared/api";

export type AccountClass = "I" | "II" | "III";
export type TransferState = "pending" | "received" | "returned" | "expired";
export type PayoutState = "accepted" | "sent" | "settled" | "returned";

export interface PayableCard {
  id: string;
  bank_name: string;
  tail: string;
  kind: string;
}

/** One of the viewer's accounts as a choice, and what the rules say about it. */
export interface AccountChoice {
  account_id: string;
  name: string;
  account_class: AccountClass;
  tail: string;
  available_fen: number;
  ok: boolean;
  code: string;
  reason: string;
  fits_fen: number | null;
  day_left_fen: number | null;
  year_left_fen: number | null;
  cards: PayableCard[];
}

export interface TransferDetail {
  id: string;
  role: "payer" | "payee";
  conversation_id: string;
  payer_id: string;
  payee_id: string;
  amount_fen: number;
  memo: string;
  state: TransferState;
  other_name: string;
  own_account: string | null;
  created_at: string;
  expires_at: string;
  finished_at: string | null;
  may_accept: boolean;
  may_return: boolean;
  blocked_code: string;
  blocked_reason: string;
  options: AccountChoice[];
}

export interface TransferChoices {
  payee: { id: string; masked_name: string | null; verified: boolean; first_time: boolean };
  accounts: AccountChoice[];
  fee_fen: number;
  returns_after_hours: number;
}

export interface PreparedIntent {
  intent_id: string;
  confirm_url: string;
}

export interface PayoutDetail {
  id: string;
  account_id: string;
  account_name: string;
  bank_name: string;
  card_tail: string;
  amount_fen: number;
  state: PayoutState;
  in_doubt: boolean;
  reason: string;
  created_at: string;
  finished_at: string | null;
}

export type PinState = "none" | "set" | "locked";

export interface OpenableClass {
  account_class: "II" | "III";
  ok: boolean;
  code: string;
  reason: string;
  account_id: string | null;
  ceiling_fen: number | null;
  day_fen: number | null;
  year_fen: number | null;
  takes_from_others: boolean;
  buys_wealth: boolean;
}

const BASE = "/api/finance";

export const payments = {
  transfer: (id: string, signal?: AbortSignal) => api.get<TransferDetail>(`${BASE}/transfers/${id}`, { signal }),
  transferChoices: (conversationId: string, payeeId: string, signal?: AbortSignal) =>
    api.get<TransferChoices>(`${BASE}/transfers/options`, { query: { conversation_id: conversationId, payee_id: payeeId }, signal }),
  prepareTransfer: (order: { id: string; conversation_id: string; payee_id: string; amount_fen: number; account_id: string; memo: string }) =>
    api.post<PreparedIntent>(`${BASE}/transfers`, order),
  accept: (id: string, accountId: string, key: string) =>
    api.post<TransferDetail>(`${BASE}/transfers/${id}/accept`, { account_id: accountId }, { idempotencyKey: key }),
  sendBack: (id: string, key: string) => api.post<TransferDetail>(`${BASE}/transfers/${id}/return`, {}, { idempotencyKey: key }),
  payoutChoices: (signal?: AbortSignal) => api.get<{ accounts: AccountChoice[] }>(`${BASE}/payouts/options`, { signal }),
  preparePayout: (order: { id: string; account_id: string; card_id: string; amount_fen: number }) => api.post<PreparedIntent>(`${BASE}/payouts`, order),
  payout: (id: string, signal?: AbortSignal) => api.get<PayoutDetail>(`${BASE}/payouts/${id}`, { signal }),
  payouts: (before: string | null, signal?: AbortSignal) =>
    api.get<{ items: PayoutDetail[]; next: string | null }>(`${BASE}/payouts`, { query: { before }, signal }),
  openable: (signal?: AbortSignal) => api.get<{ items: OpenableClass[]; cards: PayableCard[]; pin_state: PinState }>(`${BASE}/accounts/openable`, { signal }),
  open: (accountClass: "II" | "III", cardId: string, key: string) =>
    api.post<{ account_id: string; account_class: "II" | "III"; name: string; tail: string; pin_state: PinState }>(
      `${BASE}/accounts/open`,
      { account_class: accountClass, card_id: cardId },
      { idempotencyKey: key },
    ),
};

/** The mark of a class as the bank writes it. */
export const CLASS_MARK: Record<AccountClass, string> = { I: "\u2160", II: "\u2161", III: "\u2162" };
