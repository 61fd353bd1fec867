import { api, type Page } from "@/shared/api";

/** A receipt as the bank signed it. */
export interface Receipt {
  id: string;
  intent_id: string;
  title: string;
  bank: string;
  amount: string | null;
  amount_words: string | null;
  lines: { label: string; value: string }[];
  /** What belonged to it, each by its whole SHA-256. */
  documents: { title: string; sha256: string }[];
  at: string;
  /** The masked name of who confirmed. */
  holder: string | null;
  proof: "pin" | "passkey" | "identity";
  statement_hash: string;
  algorithm: string;
  key_id: string;
}

const PAGE = 20;

export const receipts = {
  page: (before: string | null) => api.get<Page<Receipt>>("/api/finance/receipts", { query: { limit: PAGE, before } }),
  /** For whoever holds a receipt, signed in or not. */
  check: (id: string, token: string) => api.post<Receipt>(`/api/finance/receipts/${id}/check`, { token }),
  file: (receipt: Receipt, kind: "file" | "pdf") => `/api/finance/intents/${receipt.intent_id}/receipt/${kind}`,
};
