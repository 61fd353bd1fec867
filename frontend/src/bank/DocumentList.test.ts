import { mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { i18n, useLanguage } from "@/shared/i18n";
import DocumentList from "./DocumentList.vue";
import type { ShownDocument } from "./statement";

const MANUAL = { title: "Manual", sha256: "1a".repeat(32) };
const RISK = { title: "Risk disclosure", sha256: "2b".repeat(32) };

beforeEach(() => useLanguage("en"));

function shown(documents: ShownDocument[]) {
  return mount(DocumentList, { props: { documents }, global: { plugins: [i18n] } });
}

describe("the documents of a statement", () => {
  it("stand in one row by their titles, and behind it each with its whole hash", () => {
    const list = shown([MANUAL, RISK]);
    expect(list.get("summary").text()).toContain("Manual, Risk disclosure");
    expect(list.findAll(".hash").map((hash) => hash.text())).toEqual([MANUAL.sha256, RISK.sha256]);
    expect(list.get("details").attributes("open")).toBeUndefined();
  });

  it("stand open where one has changed, with the hash that it had", () => {
    const list = shown([{ ...MANUAL, before: "3c".repeat(32) }, { ...RISK, before: "" }]);
    expect(list.get("details").attributes("open")).toBeDefined();
    expect(list.get(".one:first-child .before").text()).toContain("3c".repeat(32));
    expect(list.get(".one:last-child .before").text()).toBe("new");
  });

  it("come into view when somebody unfolds them, and move nothing where they stand open by themselves", async () => {
    const seen = vi.fn();
    Element.prototype.scrollIntoView = seen;
    const unfold = async (list: ReturnType<typeof shown>): Promise<void> => {
      (list.get("details").element as HTMLDetailsElement).open = true;
      await list.get("details").trigger("toggle");
    };
    await unfold(shown([{ ...MANUAL, before: "3c".repeat(32) }]));
    expect(seen).not.toHaveBeenCalled();
    await unfold(shown([MANUAL]));
    expect(seen).toHaveBeenCalledWith({ block: "nearest" });
  });

  it("take no room where there are none", () => {
    expect(shown([]).find("details").exists()).toBe(false);
  });
});
