import { describe, expect, it } from "vitest";
import { compare, hashOf, parseStatement, sameWords } from "./statement";

const TEXT =
  `{"amount":{"fen":500000,"text":"¥ 5,000.00","words":"w"},"at":"2026-11-23T06:00:00Z","bank":"b","documents":[{"sha256":"${"a".repeat(64)}","title":"Manual"}],"fee":null,"intent":"i","kind":"transfer","language":"zh","lines":[{"label":"To","value":"*晓舟"},{"label":"From","value":"8823"}],"nonce":"0f","title":"t","version":1}`;

function altered(change: (statement: Record<string, unknown>) => void): string {
  const statement = JSON.parse(TEXT) as Record<string, unknown>;
  change(statement);
  return JSON.stringify(statement);
}

describe("the canonical statement", () => {
  it("is hashed over its UTF-8 bytes, as the server does", async () => {
    // printf '{"value":"*晓舟"}' | sha256sum
    expect(await hashOf('{"value":"*晓舟"}')).toBe("281df3301b1ef90852ec68a79dd62db49cdf7b8c5edd18267c1f9686a56741ee");
  });

  it("is drawn from the text that is hashed", () => {
    const statement = parseStatement(TEXT);
    expect(statement.amount?.text).toBe("¥ 5,000.00");
    expect(statement.lines).toEqual([
      { label: "To", value: "*晓舟" },
      { label: "From", value: "8823" },
    ]);
    expect(statement.documents).toEqual([{ title: "Manual", sha256: "a".repeat(64) }]);
    expect(statement.at).toBe("2026-11-23T06:00:00Z");
  });

  it.each([
    ["another version", altered((statement) => (statement["version"] = 2))],
    ["no title", altered((statement) => delete statement["title"])],
    ["lines that are none", altered((statement) => (statement["lines"] = "x"))],
    ["a line without a value", altered((statement) => (statement["lines"] = [{ label: "To" }]))],
    ["an amount without words", altered((statement) => (statement["amount"] = { fen: 1, text: "1" }))],
    ["no time", altered((statement) => delete statement["at"])],
    ["a time that is none", altered((statement) => (statement["at"] = "2026-13-23T06:00:00Z"))],
    ["a time of no zone", altered((statement) => (statement["at"] = "2026-11-23T06:00:00"))],
    ["documents left out", altered((statement) => delete statement["documents"])],
    ["a document without a title", altered((statement) => (statement["documents"] = [{ sha256: "a".repeat(64) }]))],
    ["a document of half a hash", altered((statement) => (statement["documents"] = [{ title: "Manual", sha256: "a".repeat(32) }]))],
    ["no JSON", "x"],
  ])("is not drawn with %s", (_, text) => {
    expect(() => parseStatement(text)).toThrow();
  });

  it("says the same when only nonce and time differ", () => {
    const later = parseStatement(altered((statement) => Object.assign(statement, { nonce: "ff", at: "2026-11-23T06:01:00Z" })));
    expect(sameWords(parseStatement(TEXT), later)).toBe(true);
  });

  it.each([
    ["another document", [{ title: "Manual", sha256: "b".repeat(64) }]],
    ["another title", [{ title: "Agreement", sha256: "a".repeat(64) }]],
    ["one document more", [{ title: "Manual", sha256: "a".repeat(64) }, { title: "Risk", sha256: "c".repeat(64) }]],
    ["no document", []],
  ])("says something else with %s", (_, documents) => {
    const later = parseStatement(altered((statement) => (statement["documents"] = documents)));
    expect(sameWords(parseStatement(TEXT), later)).toBe(false);
  });

  it("says something else where another bank says it", () => {
    const other = parseStatement(altered((statement) => (statement["bank"] = "c")));
    expect(sameWords(parseStatement(TEXT), other)).toBe(false);
  });

  it("names the document that was put in another's place, and the one that is new", () => {
    const documents = [{ title: "Manual", sha256: "b".repeat(64) }, { title: "Risk", sha256: "c".repeat(64) }];
    const now = parseStatement(altered((statement) => (statement["documents"] = documents)));
    expect(compare(now, parseStatement(TEXT)).documents).toEqual([
      { title: "Manual", sha256: "b".repeat(64), before: "a".repeat(64) },
      { title: "Risk", sha256: "c".repeat(64), before: "" },
    ]);
  });

  it("names what has changed, what it was before, and what is new", () => {
    const now = parseStatement(
      altered((statement) => {
        statement["amount"] = { fen: 1, text: "¥ 0.01", words: "w" };
        statement["lines"] = [{ label: "To", value: "*小舟" }, { label: "From", value: "8823" }, { label: "Day", value: "T+1" }];
      }),
    );
    const seen = parseStatement(TEXT);
    expect(sameWords(now, seen)).toBe(false);
    expect(compare(now, seen)).toEqual({
      amountBefore: "¥ 5,000.00",
      documents: [{ title: "Manual", sha256: "a".repeat(64) }],
      facts: [
        { label: "To", value: "*小舟", before: "*晓舟" },
        { label: "From", value: "8823" },
        { label: "Day", value: "T+1", before: "" },
      ],
    });
  });
});
