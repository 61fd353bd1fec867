import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import type { Person } from "@/shared/people";
import type { ConversationItem, Message } from "./types";

/**
 * The database of the device's own store (see kept.ts): its shape, opening and emptying it. Where the browser has
 * none, or does not give it out in time, everything works without.
 */
const NAME = "rongliao";
const SCHEMA = 1;
const OPEN_LIMIT_MS = 1_500;

export interface KeptTalk {
  id: string;
  item: ConversationItem;
  /** Every change up to this is in the stretch; without a stretch, what the list was read at. */
  version: number;
  /** The seq at which the stretch begins; null where no messages are kept. */
  from: number | null;
  /** Nothing is older than the stretch. */
  whole: boolean;
  /** Read up to here on this device; the server may not know yet. */
  readTo: number;
}

/** A message that is still to be sent. `place` orders them; the store gives it. */
export interface KeptOutgoing {
  place?: number;
  clientId: string;
  conversationId: string;
  kind: "text" | "picture";
  text: string;
  file: Blob | null;
  at: string;
  state: "sending" | "failed";
  reason: string;
}

export interface Owner<Me> {
  key: "owner";
  id: string;
  /** Who is signed in, as the server said last; the app's own shape. */
  me: Me | null;
}

interface Schema extends DBSchema {
  owner: { key: "owner"; value: Owner<unknown> };
  talks: { key: string; value: KeptTalk };
  messages: { key: [string, number]; value: Message };
  people: { key: string; value: Person };
  outbox: { key: number; value: KeptOutgoing; indexes: { clientId: string } };
}
export const STORES = ["owner", "talks", "messages", "people", "outbox"] as const;
export type Database = IDBPDatabase<Schema>;
export type Writing = IDBPTransaction<Schema, typeof STORES, "readwrite">;

export async function openDatabase(onClosed: () => void): Promise<Database | null> {
  if (typeof indexedDB === "undefined") return null;
  const opening = openDB<Schema>(NAME, SCHEMA, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore("owner", { keyPath: "key" });
        db.createObjectStore("talks", { keyPath: "id" });
        db.createObjectStore("messages", { keyPath: ["conversation_id", "seq"] });
        db.createObjectStore("people", { keyPath: "id" });
        db.createObjectStore("outbox", { keyPath: "place", autoIncrement: true }).createIndex("clientId", "clientId", { unique: true });
      }
    },
    // A newer version of the page wants to change the store: this one goes on without.
    blocking(_, __, event) {
      (event.target as IDBDatabase).close();
      onClosed();
    },
    terminated: onClosed,
  });
  const late = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), OPEN_LIMIT_MS);
  });
  try {
    const db = await Promise.race([opening, late]);
    if (!db) opening.then((slow) => slow.close(), () => undefined);
    return db;
  } catch {
    // Private windows, a full disk, a store of a newer version: nothing is kept, and nothing else changes.
    return null;
  }
}

export async function clearAll(tx: Writing): Promise<void> {
  await Promise.all(STORES.map((name) => tx.objectStore(name).clear()));
}

/** Empties the store: nobody is signed in on this device any more, or somebody else than its owner (`unless`). */
export async function emptyKept(unless?: string): Promise<void> {
  const db = await openDatabase(() => undefined);
  if (!db) return;
  try {
    const tx = db.transaction(STORES, "readwrite");
    const owner = await tx.objectStore("owner").get("owner");
    if (unless === undefined || owner?.id !== unless) await clearAll(tx);
    await tx.done;
  } catch {
    // A store that cannot be emptied is thrown away whole.
    await deleteDB(NAME).catch(() => undefined);
  } finally {
    db.close();
  }
}

/** Who was signed in last on this device, for a start without a network; null if nobody. */
export async function keptOwner<Me>(): Promise<Me | null> {
  const db = await openDatabase(() => undefined);
  if (!db) return null;
  try {
    return ((await db.get("owner", "owner")) as Owner<Me> | undefined)?.me ?? null;
  } catch {
    return null;
  } finally {
    db.close();
  }
}

