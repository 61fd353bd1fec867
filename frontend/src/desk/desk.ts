import { api, type ApiError } from "@/shared/api";
import type { Person } from "@/shared/people";

export interface Standing {
  person_class: number | null;
  valid_until: string | null;
}

export interface Customer {
  person: Person;
  conversation_id: string | null;
  standing: Standing;
  managed_fen: number;
}

export interface Offer {
  id: string;
  name: string;
  name_en: string;
  risk: number;
  left_fen: number;
  ok: boolean;
  code: string;
  reason_zh: string;
  reason_en: string;
}

export interface CustomerDetail extends Customer {
  products: Offer[];
  /** Where the next page of the shelf begins, if there is one. */
  products_next: string | null;
}

export interface ServiceCase {
  id: string;
  conversation_id: string;
  question: string;
  state: "waiting" | "active" | "closed";
  position: number | null;
  customer: Person;
  agent: Person | null;
  queued_at: string;
  taken_at: string | null;
  closed_at: string | null;
  stars: number | null;
}

export interface Queue {
  items: ServiceCase[];
  next: string | null;
  active: ServiceCase[];
  figures: { waiting: number; active: number; rated: number; stars_mean_tenths: number | null };
}

export interface ForbiddenWord {
  word: string;
  instead: string;
}

export interface Words {
  items: ForbiddenWord[];
  /** Phrases that hold such a word and may be said. */
  allowed: string[];
}

const MAX_CUSTOMERS_READ = 1_000;
const PAGE = 100;

/** All customers of the signed-in manager, up to a bound that a list still serves. */
export async function readCustomers(signal: AbortSignal): Promise<Customer[]> {
  const found: Customer[] = [];
  let before: string | null = null;
  do {
    const page: { items: Customer[]; next: string | null } = await api.get("/api/desk/customers", { query: { before, limit: PAGE }, signal });
    found.push(...page.items);
    before = page.next;
  } while (before !== null && found.length < MAX_CUSTOMERS_READ);
  return found;
}

/** The words that may not stand in a draft, read once. */
let words: Promise<Words> | null = null;
export function forbiddenWords(): Promise<Words> {
  words ??= api.get<Words>("/api/desk/words").then(
    (answer) => answer,
    (error: ApiError) => {
      words = null;
      throw error;
    },
  );
  return words;
}
