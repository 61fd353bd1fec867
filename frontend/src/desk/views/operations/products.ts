import { api, type Page } from "@/shared/api";
import type { components } from "@/shared/generated/openapi";
import { language, t } from "@/shared/i18n";
import { parseYuan, yuan } from "@/shared/money";
import { dateText } from "@/shared/time";
import { rate, riskText } from "@/shared/wealth";

type Schemas = components["schemas"];
export type Draft = Schemas["DraftShape"];
export type DraftRow = Schemas["DraftRowShape"];
export type KeptProduct = Schemas["KeptProductShape"];
export type KeptProducts = Schemas["KeptProductsShape"];
export type KeptProductRow = Schemas["KeptProductRowShape"];
export type KeptDocument = Schemas["KeptDocumentShape"];
export type UploadedFile = Schemas["FileShape"];
export type Facts = Schemas["FactsShape"];
export type FactName = keyof Facts;
export type DocumentKind = KeptDocument["kind"];
export type Purpose = Draft["purpose"];

export interface Words {
  facts: Facts | null;
  documents: { kind: DocumentKind; title: string; title_en: string; file_id: string }[];
  note: string;
}

const ROOT = "/api/finance/operations";
export const DOCUMENT_KINDS: readonly DocumentKind[] = ["manual", "agreement", "risk"];
export const MOST_NOTE = 200;

export const products = {
  page: (before: string | null, signal: AbortSignal) => api.get<KeptProducts>(`${ROOT}/products`, { query: { before }, signal }),
  one: (id: string, signal?: AbortSignal) => api.get<KeptProduct>(`${ROOT}/products/${id}`, { signal }),
  drafts: (state: "open" | "all", before: string | null, signal: AbortSignal) => api.get<Page<DraftRow>>(`${ROOT}/product-drafts`, { query: { state, before }, signal }),
  draft: (id: string, signal?: AbortSignal) => api.get<Draft>(`${ROOT}/product-drafts/${id}`, { signal }),
  enter: (id: string, purpose: Purpose, product_id: string | null, words: Words) => api.post<Draft>(`${ROOT}/product-drafts`, { id, purpose, product_id, ...words }),
  change: (id: string, revision: number, words: Words) => api.put<Draft>(`${ROOT}/product-drafts/${id}`, { revision, ...words }),
  approve: (id: string, revision: number) => api.post<Draft>(`${ROOT}/product-drafts/${id}/approve`, { revision }),
  giveBack: (id: string, revision: number, reason: string) => api.post<Draft>(`${ROOT}/product-drafts/${id}/return`, { revision, reason }),
  withdraw: (id: string, revision: number) => api.post<Draft>(`${ROOT}/product-drafts/${id}/withdraw`, { revision }),
  upload: (file: File) => {
    const form = new FormData();
    form.append("file", file);
    return api.upload<UploadedFile>(`${ROOT}/product-files`, form);
  },
};

/** Where a document's file can be had: as it was uploaded, or, where it came without one, from the shelf. */
export function fileAddress(document: KeptDocument, productId: string | null): string | null {
  if (document.file_id) return `${ROOT}/product-files/${document.file_id}`;
  return productId && document.document_id ? `/api/finance/products/${productId}/documents/${document.document_id}/file` : null;
}

type Way = "text" | "whole" | "yuan" | "percent" | "date" | "time" | "choice";
export interface Fact {
  name: FactName;
  way: Way;
  group: "base" | "risk" | "money" | "time" | "fees";
  max?: number;
  optional?: boolean;
  /** What orders and holdings rest on: never changed after the first approval. */
  fixed?: boolean;
  options?: readonly (string | number)[];
}

const RISKS = [1, 2, 3, 4, 5] as const;
export const FACTS: readonly Fact[] = [
  { name: "code", way: "text", group: "base", max: 20, fixed: true },
  { name: "registration_code", way: "text", group: "base", max: 30 },
  { name: "name", way: "text", group: "base", max: 60 },
  { name: "name_en", way: "text", group: "base", max: 80 },
  { name: "issuer", way: "text", group: "base", max: 60 },
  { name: "issuer_en", way: "text", group: "base", max: 80 },
  { name: "kind", way: "choice", group: "base", options: ["cash", "closed", "index"], fixed: true },
  { name: "shelf_order", way: "whole", group: "base", max: 5 },
  { name: "issuer_risk", way: "choice", group: "risk", options: RISKS },
  { name: "seller_risk", way: "choice", group: "risk", options: RISKS },
  { name: "benchmark_low_bp", way: "percent", group: "risk", optional: true },
  { name: "benchmark_high_bp", way: "percent", group: "risk", optional: true },
  { name: "min_fen", way: "yuan", group: "money" },
  { name: "step_fen", way: "yuan", group: "money" },
  { name: "quota_fen", way: "yuan", group: "money" },
  { name: "nav_scale", way: "choice", group: "money", options: [10_000, 1_000_000], fixed: true },
  { name: "term_days", way: "whole", group: "time", max: 4 },
  { name: "cut_off", way: "time", group: "time", max: 5 },
  { name: "sale_from", way: "date", group: "time", max: 10, optional: true },
  { name: "sale_until", way: "date", group: "time", max: 10, optional: true },
  { name: "open_days", way: "text", group: "time", max: 120 },
  { name: "open_days_en", way: "text", group: "time", max: 160 },
  { name: "subscription_fee_bp", way: "percent", group: "fees" },
  { name: "management_fee_bp", way: "percent", group: "fees" },
  { name: "custody_fee_bp", way: "percent", group: "fees" },
];
export const GROUPS = ["base", "risk", "money", "time", "fees"] as const;

export type Typed = Record<FactName, string>;
const BASIS = 100;

/** A percentage as typed, "0.2" or "0.20", to basis points; null if it is none. */
function parsePercent(typed: string): number | null {
  const match = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(typed);
  return match ? Number(match[1]) * BASIS + Number((match[2] ?? "").padEnd(2, "0")) : null;
}

/** What a person typed, as the fact; undefined if it is not one. */
export function parsed(fact: Fact, typed: string): string | number | null | undefined {
  const said = typed.trim();
  if (said === "") return fact.optional ? null : undefined;
  switch (fact.way) {
    case "whole":
      return /^\d{1,5}$/.test(said) ? Number(said) : undefined;
    case "yuan":
      return parseYuan(said) ?? undefined;
    case "percent":
      return parsePercent(said) ?? undefined;
    case "choice":
      return fact.options?.find((option) => String(option) === said);
    default:
      return said;
  }
}

export function typedOf(facts: Facts | null): Typed {
  const typed = Object.fromEntries(FACTS.map((fact) => [fact.name, ""])) as Typed;
  if (!facts) return { ...typed, kind: "closed", nav_scale: "10000", cut_off: "15:00", issuer_risk: "2", seller_risk: "2", shelf_order: "100", subscription_fee_bp: "0.00", management_fee_bp: "0.00", custody_fee_bp: "0.00", term_days: "90" };
  for (const fact of FACTS) {
    const value = facts[fact.name];
    if (value === null) continue;
    if (fact.way === "yuan") typed[fact.name] = yuan(Number(value));
    else if (fact.way === "percent") typed[fact.name] = (Number(value) / BASIS).toFixed(2);
    else typed[fact.name] = String(value);
  }
  return typed;
}

/** All facts, or null while one of them is not there yet. */
export function factsOf(typed: Typed): Facts | null {
  const found: Record<string, unknown> = {};
  for (const fact of FACTS) {
    const value = parsed(fact, typed[fact.name]);
    if (value === undefined) return null;
    found[fact.name] = value;
  }
  return found as unknown as Facts;
}

export function optionText(fact: Fact, option: string | number): string {
  if (fact.name === "kind") return t(`products.kind.${option}`);
  if (fact.name === "nav_scale") return t("products.decimals", { n: String(option).length - 1 });
  return riskText(Number(option));
}

/** A fact in words. */
export function factText(fact: Fact, facts: Facts): string {
  const value = facts[fact.name];
  if (value === null) return t("products.none");
  switch (fact.way) {
    case "yuan":
      return t("products.yuan", { amount: yuan(Number(value)) });
    case "percent":
      return rate(Number(value));
    case "date":
      return dateText(String(value));
    case "choice":
      return optionText(fact, value);
    default:
      return fact.name === "term_days" ? t("products.days", { n: value }) : String(value);
  }
}

export function nameOf(one: { name: string; name_en: string }): string {
  return language.value === "en" ? one.name_en : one.name;
}

export function stateTone(state: Draft["state"]): "gold" | "cinnabar" | "jade" | "plain" {
  return ({ waiting: "gold", returned: "cinnabar", approved: "jade", withdrawn: "plain" } as const)[state];
}
