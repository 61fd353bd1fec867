import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const css = readFileSync(join(__dirname, "../src/shared/tokens.css"), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");

/** The custom properties of the first block whose selector is exactly this. */
function block(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  expect(start, selector).toBeGreaterThanOrEqual(0);
  const body = css.slice(css.indexOf("{", start) + 1, css.indexOf("}", start));
  return Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((match) => [match[1] ?? "", (match[2] ?? "").trim()]));
}

const light = block(":root");
const dark = { ...light, ...block(':root[data-theme="dark"]') };

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (parts[0] ?? 0) + 0.7152 * (parts[1] ?? 0) + 0.0722 * (parts[2] ?? 0);
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["--paper", "--sheet", "--sunk"];
const TEXT: [string, string[]][] = [
  ["--ink", [...GROUNDS, "--jade-soft"]],
  ["--ink-2", [...GROUNDS, "--jade-soft"]],
  ["--ink-3", [...GROUNDS, "--jade-soft", "--gold-soft", "--cinnabar-soft"]],
  ["--jade", ["--paper", "--sheet", "--jade-soft"]],
  ["--jade-ink", ["--jade"]],
  ["--cinnabar", ["--paper", "--sheet", "--cinnabar-soft"]],
  ["--cinnabar-ink", ["--cinnabar"]],
  ["--down", ["--paper", "--sheet"]],
  ["--gold", ["--paper", "--sheet", "--gold-soft"]],
  ["--rail-ink", ["--rail"]],
  ["--rail-on", ["--rail"]],
  ["--avatar-ink", Array.from({ length: 8 }, (_, index) => `--avatar-${index}`)],
];
const pairs = TEXT.flatMap(([ink, grounds]) => grounds.map((ground) => [ink, ground] as const));

describe.each([["light", light], ["dark", dark]])("the %s palette", (_, palette) => {
  it.each(pairs)("shows %s on %s with at least 4.5 to 1 (WCAG AA)", (ink, ground) => {
    expect(contrast(palette[ink] ?? "", palette[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  it("shows the focus ring with at least 3 to 1 on every ground", () => {
    for (const ground of [...GROUNDS, "--jade-soft"]) expect(contrast(palette["--jade"] ?? "", palette[ground] ?? "")).toBeGreaterThanOrEqual(3);
  });
});

it("is dark in the same way by choice and by the system's wish", () => {
  expect(block(":root:not([data-theme])")).toEqual(block(':root[data-theme="dark"]'));
});

it("grows every type size and the touch target in the large mode", () => {
  const large = block(':root[data-size="large"]');
  const sizes = Object.keys(light).filter((name) => name.startsWith("--t-") || name === "--touch");
  for (const name of sizes) expect({ name, grows: parseFloat(large[name] ?? "0") > parseFloat(light[name] ?? "0") }).toEqual({ name, grows: true });
  expect(parseFloat(light["--touch"] ?? "0")).toBeGreaterThanOrEqual(44);
});

it("keeps cinnabar for the seal: no avatar comes near it", () => {
  const hue = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
    const max = Math.max(r, g, b);
    const min = Math.min(r, g, b);
    return { red: max === r && g - b < 0.2 * (max - min), strength: (max - min) / max };
  };
  for (let index = 0; index < 8; index += 1) {
    const { red, strength } = hue(light[`--avatar-${index}`] ?? "");
    expect({ index, seal: red && strength > 0.6 }).toEqual({ index, seal: false });
  }
});
