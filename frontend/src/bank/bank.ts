import { api, ApiError } from "@/shared/api";

const IN_FLIGHT_PAUSE_MS = 300;
const IN_FLIGHT_TRIES = 20;

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

export interface Descriptor {
  type: string;
  id: string;
  transports: string[];
}

/** What a browser's credential says of itself. */
export type Credential = Record<string, unknown>;

export interface Intent {
  id: string;
  kind: string;
  state: "prepared" | "executed" | "cancelled" | "expired" | "superseded";
  statement: string | null;
  statement_hash: string | null;
  challenge_s: number;
  /** Of an intent that waits; once it has ended nothing is said of the PIN. */
  pin_state: "none" | "set" | "locked" | null;
  tries_left: number | null;
  /** The person's passkeys, as the browser wants them; `must_sign`: the PIN is not enough for this amount. */
  passkeys: Descriptor[];
  must_sign: boolean;
  rp_id: string;
  /** What came of it, once it was done; `state`: how far the thing itself has come by that. */
  result: { state?: string } | null;
  session: Session;
}

export type Need = "id_tail" | "card_number";

/** What a person must give, beside the code sent to `sent_to`, before a PIN is chosen. */
export interface Proof {
  purpose: "first" | "reset" | "device";
  needs: Need[];
  sent_to: string;
  proved: boolean;
}

export interface SentCode {
  sent_to: string;
  again_in_s: number;
  demo_code: string | null;
}

/** What a proof of identity is asked for: to choose a PIN, or to verify this device. */
export type Asked = "pin" | "device";

export type Given = { code: string; asked: Asked } & Partial<Record<Need, string>>;

/** Asks again while the same request is at work: the next answer says what came of it. */
async function settled<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.code !== "in_flight" || tries === IN_FLIGHT_TRIES) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, IN_FLIGHT_PAUSE_MS));
    }
  }
}

export const bank = {
  config: () => api.get<Config>("/api/bank/config"),
  open: (handoff: string) => api.post<{ intent_id: string; session: Session }>("/api/bank/sessions", { handoff }),
  intent: (id: string) => api.get<Intent>(`/api/bank/intents/${id}`),
  confirm: (id: string, proof: { pin: string } | { passkey: Credential }, hash: string) =>
    settled(() => api.post<Intent>(`/api/bank/intents/${id}/confirm`, { ...proof, statement_hash: hash })),
  passkeyOptions: (id: string) => api.get<{ options: PublicKeyCredentialCreationOptionsJSON }>(`/api/bank/intents/${id}/passkey`),
  addPasskey: (id: string, credential: Credential) => api.post<undefined>(`/api/bank/intents/${id}/passkey`, { credential }),
  cancel: (id: string) => api.post<Intent>(`/api/bank/intents/${id}/cancel`),
  proof: (id: string, asked: Asked) => api.get<Proof>(`/api/bank/intents/${id}/proof`, { query: { asked } }),
  proofCode: (id: string) => api.post<SentCode>(`/api/bank/intents/${id}/proof/code`),
  prove: (id: string, given: Given) => api.post<undefined>(`/api/bank/intents/${id}/proof`, given),
  /** `current`: the present PIN, to change it; without it a proof of identity given in this sheet is used up. */
  choosePin: (id: string, pin: string, hash: string, current?: string) =>
    api.post<Intent>("/api/bank/pin", { intent_id: id, pin, statement_hash: hash, ...(current === undefined ? {} : { current }) }),
};
