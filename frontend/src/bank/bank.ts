import { api } from "@/shared/api";

/** What the bank's origin answers; the server's side is finance/bank_session/api.py. */
export interface Config {
  app_origin: string;
  bank_name: string;
  bank_name_en: string;
}

export interface Session {
  id: string;
  idle_s: number;
  left_s: number;
}

export interface Intent {
  id: string;
  kind: string;
  state: "prepared" | "executed" | "cancelled" | "expired" | "superseded";
  statement: string | null;
  statement_hash: string | null;
  challenge_s: number;
  pin_state: "none" | "set" | "locked";
  tries_left: number | null;
  session: Session;
}

export const bank = {
  config: () => api.get<Config>("/api/bank/config"),
  open: (handoff: string) => api.post<{ intent_id: string; session: Session }>("/api/bank/sessions", { handoff }),
  intent: (id: string) => api.get<Intent>(`/api/bank/intents/${id}`),
  confirm: (id: string, pin: string, hash: string) =>
    api.post<Intent>(`/api/bank/intents/${id}/confirm`, { pin, statement_hash: hash }),
  cancel: (id: string) => api.post<Intent>(`/api/bank/intents/${id}/cancel`),
  firstPin: (id: string, pin: string, hash: string) =>
    api.post<Intent>("/api/bank/pin", { intent_id: id, pin, statement_hash: hash }),
};
