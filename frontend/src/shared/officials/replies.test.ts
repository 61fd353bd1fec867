import { describe, expect, it } from "vitest";
import { draftOf, emptyLeaf, menuOf, type StoredBranch } from "./replies";

const MENU: StoredBranch[] = [
  { key: "hours", name: "营业时间", action: { kind: "reply", text: "周一至周五" } },
  { key: "more", name: "更多", entries: [{ key: "rates", name: "利率", action: { kind: "view", path: "/wealth" } }] },
];

describe("a service account's menu in its form", () => {
  it("comes back as it was kept", () => {
    expect(menuOf(draftOf(MENU))).toEqual(MENU);
  });

  it("leaves out what a changed mind left behind", () => {
    const [first, second] = draftOf(MENU);
    if (!first || !second) throw new Error("two entries");
    first.kind = "view";
    first.path = " /me ";
    second.below = [];
    second.text = "好";
    expect(menuOf([first, second])).toEqual([
      { key: "hours", name: "营业时间", action: { kind: "view", path: "/me" } },
      { key: "more", name: "更多", action: { kind: "reply", text: "好" } },
    ]);
  });

  it("gives new entries keys that the server takes", () => {
    expect(emptyLeaf().key).toMatch(/^[a-z0-9][a-z0-9-]{0,39}$/);
  });
});
