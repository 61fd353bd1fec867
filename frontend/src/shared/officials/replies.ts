import { newId } from "@/shared/ids";

/** What a tap does, as the server keeps it. */
export type Action = { kind: "reply"; text: string } | { kind: "article"; article_id: string } | { kind: "view"; path: string };

export interface StoredLeaf {
  key: string;
  name: string;
  action: Action;
}

export interface StoredBranch {
  key: string;
  name: string;
  action?: Action | null;
  entries?: StoredLeaf[];
}

/** The same, as a form keeps it: every kind's field stays while one changes one's mind. */
export interface LeafDraft {
  key: string;
  name: string;
  kind: Action["kind"];
  text: string;
  article_id: string;
  path: string;
}

export interface BranchDraft extends LeafDraft {
  below: LeafDraft[];
}

export function emptyLeaf(): LeafDraft {
  // The server takes small letters, digits and dashes.
  return { key: newId(), name: "", kind: "reply", text: "", article_id: "", path: "" };
}

function leafOf(stored: StoredLeaf | StoredBranch): LeafDraft {
  const blank = { ...emptyLeaf(), key: stored.key, name: stored.name };
  return stored.action ? { ...blank, ...stored.action } : blank;
}

export function draftOf(menu: readonly StoredBranch[]): BranchDraft[] {
  return menu.map((branch) => ({ ...leafOf(branch), below: (branch.entries ?? []).map(leafOf) }));
}

function actionOf(leaf: LeafDraft): Action {
  if (leaf.kind === "article") return { kind: "article", article_id: leaf.article_id };
  if (leaf.kind === "view") return { kind: "view", path: leaf.path.trim() };
  return { kind: "reply", text: leaf.text.trim() };
}

function storedLeaf(leaf: LeafDraft): StoredLeaf {
  return { key: leaf.key, name: leaf.name.trim(), action: actionOf(leaf) };
}

/** An entry with others below it does nothing by itself; what its form still holds is left out. */
export function menuOf(drafts: readonly BranchDraft[]): StoredBranch[] {
  return drafts.map((branch) => (branch.below.length ? { key: branch.key, name: branch.name.trim(), entries: branch.below.map(storedLeaf) } : storedLeaf(branch)));
}
