const PREFIX = "rl.draft.";

export type Kept = Record<string, unknown>;

/** What was kept under the name in this tab; nothing where there is none, or none that can be read. */
export function readDraft(name: string): Kept {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Kept) : {};
  } catch {
    return {};
  }
}

/** Keeps it in this tab alone, over a reload. */
export function writeDraft(name: string, kept: Kept): void {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(kept));
  } catch {
    // A browser without storage keeps what was typed until the page closes.
  }
}

export function dropDraft(name: string): void {
  try {
    sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Without storage there is nothing to drop.
  }
}

/** Nobody is signed in any more, or somebody else: nothing typed is left behind. */
export function emptyDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  } catch {
    // Without storage there is nothing to empty.
  }
}
