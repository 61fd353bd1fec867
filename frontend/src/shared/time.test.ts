import { describe, expect, it } from "vitest";
import { useLanguage } from "./i18n";
import { agoText, clock, countdown, dateText, exactly, isoDate, listTime, sameDay, talkTime, untilText } from "./time";

// A Monday in Shanghai, half an hour after midnight; still Sunday in UTC.
const NOW = "2026-11-22T16:30:00Z";

describe("days", () => {
  it("begin at midnight in Shanghai", () => {
    expect(sameDay("2026-11-23T15:58:00Z", "2026-11-23T16:02:00Z")).toBe(false);
    expect(sameDay("2026-11-23T16:00:00Z", "2026-11-24T15:59:59Z")).toBe(true);
  });
});

describe("a moment in the bank's zone", () => {
  it("has Shanghai's clock and day", () => {
    expect(clock(NOW)).toBe("00:30");
    expect(isoDate(NOW)).toBe("2026-11-23");
    expect(exactly(NOW)).toBe("2026-11-23 00:30:00");
  });

  it.each([
    ["2026-11-22T16:01:00Z", "00:01"],
    ["2026-11-22T15:59:00Z", "昨天"],
    ["2026-11-20T16:00:00Z", "星期六"],
    ["2026-11-16T16:00:00Z", "星期二"],
    ["2026-11-15T16:00:00Z", "11月16日"],
    ["2025-12-31T15:00:00Z", "2025年12月31日"],
  ])("in a list %s reads %s", (moment, text) => expect(listTime(moment, NOW)).toBe(text));

  it("names the day above messages", () => {
    expect(talkTime("2026-11-22T16:28:00Z", NOW)).toBe("今天 00:28");
    expect(talkTime("2026-11-22T06:28:00Z", NOW)).toBe("昨天 14:28");
  });

  it("counts back under a post", () => {
    expect(agoText("2026-11-22T16:29:40Z", NOW)).toBe("刚刚");
    expect(agoText("2026-11-22T16:10:00Z", NOW)).toBe("20 分钟前");
    expect(agoText("2026-11-22T13:40:00Z", NOW)).toBe("昨天 21:40");
    expect(agoText("2026-11-23T03:00:00Z", "2026-11-23T06:30:00Z")).toBe("3 小时前");
  });

  it("names the day until which something waits", () => {
    expect(untilText("2026-11-24T06:20:00Z", NOW)).toBe("明天 14:20");
    expect(untilText("2026-11-23T07:00:00Z", NOW)).toBe("今天 15:00");
  });

  it("speaks English when asked", async () => {
    await useLanguage("en");
    expect(listTime("2026-11-22T15:59:00Z", NOW)).toBe("Yesterday");
    expect(agoText("2026-11-22T16:29:00Z", NOW)).toBe("1 minute ago");
    expect(dateText("2026-12-18")).toBe("December 18, 2026");
  });
});

it("counts down to zero and not below", () => {
  expect(countdown(298)).toBe("4:58");
  expect(countdown(7100)).toBe("1:58:20");
  expect(countdown(-3)).toBe("0:00");
});
