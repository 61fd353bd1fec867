import type { components } from "./generated/openapi";
import { language, t } from "./i18n";
import { yuan } from "./money";
import { clock } from "./time";

type Schemas = components["schemas"];
export type Product = Schemas["ProductShape"];
export type ProductFacts = Schemas["ProductPageShape"];
export type DocumentLine = Schemas["DocumentLineShape"];
export type WealthDocument = Schemas["DocumentShape"];
export type Suitability = Schemas["SuitabilityShape"];
export type Holding = Schemas["HoldingShape"];
export type Wealth = Schemas["WealthShape"];
export type Order = Schemas["OrderShape"];
export type Offer = Schemas["OfferShape"];
export type Navs = Schemas["NavsShape"];
export type Standing = Schemas["StandingShape"];
export type Assessment = Schemas["AssessmentPageShape"];
export type Checks = Schemas["ChecksShape"];
export type PurchaseOrder = Omit<Schemas["OrderBodyRequest"], "id">;
export type Prepared = Schemas["PreparedShape"];
export type NavRow = Schemas["NavRowShape"];
export type NavBoard = Schemas["NavRowsShape"];

const TEN_THOUSAND_YUAN = 1_000_000;
const YUAN = 100;
const BASIS = 100;

/** 265 → "2.65%" */
export function rate(basisPoints: number): string {
  return `${(basisPoints / BASIS).toFixed(2)}%`;
}

/** "2.65%–3.10%", or one figure where both ends are the same. */
export function range(low: number, high: number | null): string {
  return high === null || high === low ? rate(low) : `${rate(low)}–${rate(high)}`;
}

/** A NAV in whole units to its decimals: 10231 at 10000 → "1.0231". */
export function navText(value: number, scale: number): string {
  return (value / scale).toFixed(navDecimals(scale));
}

export function navDecimals(scale: number): number {
  return Math.round(Math.log10(scale));
}

/** What was typed as a NAV, to whole units; null if it does not fit the scale. */
export function parseNav(typed: string, scale: number): number | null {
  const match = /^(\d{1,6})(?:\.(\d+))?$/.exec(typed.trim());
  const decimals = match?.[2] ?? "";
  if (!match || decimals.length > navDecimals(scale)) return null;
  const value = Number(match[1]) * scale + Number(decimals.padEnd(navDecimals(scale), "0"));
  return value > 0 ? value : null;
}

/** Shares are whole hundredths. */
export function sharesText(hundredths: number): string {
  return yuan(hundredths);
}

/** "R2 中低风险" */
export function riskText(risk: number): string {
  return t("wealth.risk", { risk, name: t(`wealth.risk${risk}`) });
}

export function className(personClass: number): string {
  return t(`wealth.class${personClass}`);
}

/** Short money for a chip: "1 万元", "1 元". */
export function shortYuan(fen: number): string {
  if (fen >= TEN_THOUSAND_YUAN && fen % TEN_THOUSAND_YUAN === 0) return t("wealth.minTenThousand", { n: fen / TEN_THOUSAND_YUAN });
  return t("wealth.minYuan", { n: fen % YUAN === 0 ? String(fen / YUAN) : yuan(fen) });
}

export type Tone = "plain" | "gold" | "jade" | "cinnabar";

export function stateTone(state: string): Tone {
  return state === "accepted" ? "gold" : state === "confirmed" ? "jade" : "plain";
}

/** The chip that says how a product suits its reader. */
export function matchText(suitability: Suitability): string {
  if (suitability.code === "no_assessment") return t("wealth.matchNone");
  if (suitability.code === "assessment_expired") return t("wealth.matchExpired");
  return t(suitability.ok ? "wealth.matchOk" : "wealth.matchBad", { class: suitability.person_class });
}

export function matchTone(suitability: Suitability): Tone {
  return suitability.ok ? "jade" : "gold";
}

/** The figure that stands for a product: its benchmark, a cash product's seven days, or its NAV. */
export function headline(product: Pick<Product, "kind" | "benchmark_low_bp" | "benchmark_high_bp" | "seven_day_bp" | "nav" | "nav_scale">): {
  figure: string;
  note: string;
} {
  if (product.kind === "cash" && product.seven_day_bp !== null) return { figure: rate(product.seven_day_bp), note: t("wealth.sevenDayNote") };
  if (product.benchmark_low_bp !== null) return { figure: range(product.benchmark_low_bp, product.benchmark_high_bp), note: t("wealth.benchmarkNote") };
  if (product.nav) return { figure: navText(product.nav.value, product.nav_scale), note: t("wealth.navDay", { date: product.nav.date }) };
  return { figure: "—", note: t("wealth.noBenchmark") };
}

/** A calendar day of the bank without its year, where the year goes without saying. */
export function dayText(day: string): string {
  return monthDay(new Date(`${day}T12:00:00+08:00`));
}

function monthDay(moment: Date): string {
  return new Intl.DateTimeFormat(language.value, { month: "short", day: "numeric", timeZone: "Asia/Shanghai" }).format(moment);
}

/** A moment of the bank's time, which a demonstration moves on: never "today", always its day. */
export function momentText(moment: string): string {
  return t("wealth.shortDay", { day: monthDay(new Date(moment)), time: clock(moment) });
}
