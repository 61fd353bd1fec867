import { describe, expect, it } from "vitest";
import { compactYuan, inWords, parseYuan, percent, shares, yuan, yuanSigned } from "./money";

describe("yuan", () => {
  it.each([
    [0, "0.00"],
    [7, "0.07"],
    [-7, "−0.07"],
    [100, "1.00"],
    [123456, "1,234.56"],
    [-128000, "−1,280.00"],
    [100000000000, "1,000,000,000.00"],
    [Number.MAX_SAFE_INTEGER, "90,071,992,547,409.91"],
  ])("draws %i fen as %s", (fen, text) => expect(yuan(fen)).toBe(text));

  it("writes a plus where a change is meant, and none at zero", () => {
    expect(yuan(3812, { sign: true })).toBe("+38.12");
    expect(yuan(0, { sign: true })).toBe("0.00");
  });

  it("puts the sign before the currency", () => expect(yuanSigned(-128000)).toBe("−¥ 1,280.00"));

  it.each([0.5, NaN, Infinity, 2 ** 53])("refuses %d, which is no exact number of fen", (fen) => {
    expect(() => yuan(fen)).toThrow(RangeError);
  });
});

describe("parseYuan", () => {
  it.each([
    ["5000", 500000],
    ["5,000.00", 500000],
    ["1,234,567.8", 123456780],
    ["0.07", 7],
    [".5", 50],
    ["12.", 1200],
    ["¥ 20", 2000],
    ["１２３．４５", 12345],
    ["12。5", 1250],
    [" 8 ", 800],
    ["0.29", 29],
    ["1.15", 115],
    ["70368744177.66", 7036874417766],
  ])("reads %s", (typed, fen) => expect(parseYuan(typed)).toBe(fen));

  it.each(["", ".", "abc", "-1", "−1", "+1", "1.234", "1e5", "0x10", "1,23", "12,34.5", "1 000", "五千", "💰", "99999999999999999", "١٢", "\u202e12"])("refuses %j", (typed) => {
    expect(parseYuan(typed)).toBeNull();
  });

  it("reads back what yuan wrote, to the fen", () => {
    for (let fen = 0; fen < 20000; fen += 7) expect(parseYuan(yuan(fen))).toBe(fen);
  });
});

describe("inWords", () => {
  it.each([
    [0, "人民币零元整"],
    [500000, "人民币伍仟元整"],
    [140950, "人民币壹仟肆佰零玖元伍角整"],
    [600714, "人民币陆仟零柒元壹角肆分"],
    [168032, "人民币壹仟陆佰捌拾元叁角贰分"],
    [1600002, "人民币壹万陆仟元零贰分"],
    [7, "人民币柒分"],
    [50, "人民币伍角整"],
    [10000000, "人民币壹拾万元整"],
    [1000010000, "人民币壹仟万零壹佰元整"],
    [100000000100, "人民币壹拾亿零壹元整"],
    [10000000, "人民币壹拾万元整"],
  ])("writes %i fen as %s", (fen, words) => expect(inWords(fen)).toBe(words));
});

it("draws shares with four decimals", () => expect(shares(12345678)).toBe("1,234.5678"));
it("draws a percentage with its sign", () => {
  expect(percent(-42)).toBe("−0.42%");
  expect(percent(265, {})).toBe("2.65%");
});

it("says a large sum at a glance", () => {
  expect(compactYuan(1240_0000_00, "zh-CN")).toBe("1,240 万");
  expect(compactYuan(500_000_000_000, "zh-CN")).toBe("50 亿");
  expect(compactYuan(28_7654_00, "zh-CN")).toBe("28.8 万");
  expect(compactYuan(1240_0000_00, "en")).toBe("12.4M");
  expect(compactYuan(99900, "zh-CN")).toBe("999");
});
