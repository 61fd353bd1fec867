import type { Person } from "@/shared/people";

/** accounts.wire.card_json */
export interface BoundCard {
  id: string;
  bank_name: string;
  tail: string;
  kind: "debit" | "credit";
}

export type Relation = "self" | "friend" | "asking" | "asked" | "advisor" | "customer" | "staff" | "official" | "none";

/** GET /api/persons/{id} */
export interface PersonAnswer {
  person: Person;
  relation: Relation;
  request_id: string | null;
}

export interface FriendRequest {
  id: string;
  direction: "in" | "out";
  person: Person;
  message: string;
  state: "pending" | "accepted" | "declined";
  at: string;
}

export interface Device {
  id: string;
  name: string;
  current: boolean;
  signed_in: boolean;
  signed_in_at: string | null;
  last_seen_at: string;
  verified: boolean;
}

/** GET /api/demo/logins */
export interface DemoWorld {
  items: { phone: string; person: Person; roles: string[] }[];
  password: string | null;
}
