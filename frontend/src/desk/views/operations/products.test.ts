import { describe, expect, it } from "vitest";
import { FACTS, factsOf, parsed, typedOf, type Fact, type Facts } from "./products";

const facts: Facts = {
  benchmark_high_bp: 310, benchmark_low_bp: 265, code: "YSWJ90-12", custody_fee_bp: 3, cut_off: "15:00", issuer: "远山理财", issuer_en: "Yuanshan", issuer_risk: 2,
  kind: "closed", management_fee_bp: 20, min_fen: 1_000_000, name: "远山稳进", name_en: "Steady", nav_scale: 10_000, open_days: "封闭", open_days_en: "Closed",
  quota_fen: 50_000_000_000, registration_code: "Z7003926000212", sale_from: null, sale_until: "2026-12-31", seller_risk: 2, shelf_order: 20, step_fen: 100_000,
  subscription_fee_bp: 0, term_days: 90,
};
const fact = (name: Fact["name"]) => FACTS.find((one) => one.name === name) as Fact;

describe("a product's form", () => {
  it("has every fact, and gives back what it was filled with", () => {
    expect(FACTS.map((one) => one.name).sort()).toEqual(Object.keys(facts).sort());
    expect(factsOf(typedOf(facts))).toEqual(facts);
  });

  it("gives nothing while a fact is missing or is none", () => {
    expect(factsOf(typedOf(null))).toBeNull();
    for (const [name, typed] of [["min_fen", "1 元"], ["min_fen", ""], ["management_fee_bp", "0.125"], ["management_fee_bp", "-1"], ["term_days", "1.5"], ["kind", "gold"]] as const) {
      expect(parsed(fact(name), typed)).toBeUndefined();
      expect(factsOf({ ...typedOf(facts), [name]: typed })).toBeNull();
    }
  });

  it("reads rates in hundredths of a percent and empty bounds as none", () => {
    expect(parsed(fact("management_fee_bp"), "0.2")).toBe(20);
    expect(parsed(fact("management_fee_bp"), "1.05")).toBe(105);
    expect(parsed(fact("sale_from"), " ")).toBeNull();
    expect(parsed(fact("benchmark_low_bp"), "")).toBeNull();
  });
});
