import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(__dirname, "../src");
const I18N = join(SRC, "shared/i18n");
const CJK = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]/;

type Words = Record<string, string>;

function words(language: string): Words {
  const found: Words = {};
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "object" && value !== null) for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    else found[path] = String(value);
  };
  for (const file of readdirSync(join(I18N, language)).filter((name) => name.endsWith(".json"))) {
    walk(JSON.parse(readFileSync(join(I18N, language, file), "utf8")), file.replace(".json", ""));
  }
  return found;
}

function sources(): { file: string; text: string }[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(vue|ts)$/.test(file) && !/\.test\.ts$|generated/.test(file))
    .map((file) => ({ file, text: readFileSync(join(SRC, file), "utf8") }));
}

const zh = words("zh-CN");
const en = words("en");
const named = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort();

describe("the words", () => {
  it("exist in both languages under the same keys", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  it("name the same values in both languages", () => {
    for (const [key, text] of Object.entries(zh)) expect({ key, names: named(en[key] ?? "") }).toEqual({ key, names: named(text) });
  });

  it("are never empty, and English is English", () => {
    for (const [key, text] of Object.entries({ ...zh, ...en })) expect({ key, empty: text.trim() === "" }).toEqual({ key, empty: false });
    // The seal's character, the brand's and a language's own name are marks and not words.
    const marks = new Set(["seal.mark", "shell.brandMark", "display.zh"]);
    const chinese = Object.entries(en).filter(([key, text]) => CJK.test(text) && !marks.has(key));
    expect(chinese).toEqual([]);
  });

  it("are set with the signs of the reference: half-width , : ; ! ? ( ), full-width 。 and 、", () => {
    expect(Object.entries(zh).filter(([, text]) => /[，：；！？（）]/.test(text))).toEqual([]);
  });

  it("stand in the language files alone", () => {
    const guilty = sources()
      .filter(({ file }) => file !== join("shared", "money.ts"))
      .flatMap(({ file, text }) =>
        text
          .replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|(?<![:"'`])\/\/.*$/gm, "")
          .split("\n")
          .filter((line) => CJK.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(guilty).toEqual([]);
  });

  it("are there for every key that the code names", () => {
    const missing = sources().flatMap(({ file, text }) =>
      [...text.matchAll(/(?<![\w.])\$?t\(\s*["'`]([a-z][\w-]*\.[\w.]+)["'`]/gi)]
        .map((match) => match[1] ?? "")
        .filter((key) => !(key in zh))
        .map((key) => `${file}: ${key}`),
    );
    expect(missing).toEqual([]);
  });
});
