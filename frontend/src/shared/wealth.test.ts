import { describe, expect, it } from "vitest";
import { dayText, headline, matchTone, momentText, navText, parseNav, range, rate, shortYuan } from "./wealth";

describe("rates and NAVs", () => {
  it("writes basis points as percent with two decimals", () => {
    expect(rate(265)).toBe("2.65%");
    expect(rate(0)).toBe("0.00%");
    expect(range(265, 310)).toBe("2.65%–3.10%");
    expect(range(265, 265)).toBe("2.65%");
    expect(range(265, null)).toBe("2.65%");
  });

  it("writes a NAV with the decimals of its scale", () => {
    expect(navText(10_345, 10_000)).toBe("1.0345");
    expect(navText(1_034_576, 1_000_000)).toBe("1.034576");
  });

  it.each([
    ["1.0345", 10_345],
    ["1", 10_000],
    ["1.03", 10_300],
    [" 0.9999 ", 9_999],
  ])("reads %s as whole units", (typed, value) => {
    expect(parseNav(typed, 10_000)).toBe(value);
  });

  it.each(["", "0", "-1", "1.03451", "1e3", "1,0", "1.", "１.0", "abc"])("refuses %s", (typed) => {
    expect(parseNav(typed, 10_000)).toBeNull();
  });
});

describe("what a card says", () => {
  const base = { kind: "closed" as const, benchmark_low_bp: 265, benchmark_high_bp: 310, seven_day_bp: null, nav: { date: "2026-11-20", value: 10_222 }, nav_scale: 10_000 };

  it("leads with the benchmark, a cash product's seven days, or the NAV", () => {
    expect(headline(base).figure).toBe("2.65%–3.10%");
    expect(headline({ ...base, kind: "cash", seven_day_bp: 167 }).figure).toBe("1.67%");
    expect(headline({ ...base, kind: "index", benchmark_low_bp: null, benchmark_high_bp: null }).figure).toBe("1.0222");
    expect(headline({ ...base, benchmark_low_bp: null, nav: null }).figure).toBe("—");
  });

  it("says a short amount, and the bank's day wherever the phone is", () => {
    expect(shortYuan(1_000_000)).toContain("1");
    expect(dayText("2026-11-24")).toContain("24");
    expect(momentText("2026-11-24T07:00:00Z")).toContain("15:00");
  });

  it("marks what does not suit", () => {
    const judged = { ok: true, code: "fits" as const, product_risk: 2, person_class: 2, reason_zh: "", reason_en: "", valid_until: null, way_out: null };
    expect(matchTone(judged)).toBe("jade");
    expect(matchTone({ ...judged, ok: false, code: "above_class" })).toBe("gold");
  });
});
