import { shallowReactive } from "vue";
import { api } from "@/shared/api";
import type { Person } from "@/shared/people";
import type { Kept } from "./kept";

/** A hint may be lost, and a name changes without a new version of any conversation: sync asks for all now and then. */
const ASK_ALL_EVERY_MS = 5 * 60_000;
/** In a large group all hear of a new name at once; they do not all ask at once. */
const SPREAD_MS = 2_000;

/** The people whom the conversations name, as they looked when the server last said. */
export function usePeople(kept: () => Kept | null) {
  const all = shallowReactive(new Map<string, Person>());
  const hinted = new Set<string>();
  let asking: ReturnType<typeof setTimeout> | undefined;
  let askedAll = -Infinity;
  /** Counts the sign-ins: what one person asked for, the next does not see. */
  let turn = 0;

  function know(found: readonly Person[]): void {
    const fresh = found.filter((person) => JSON.stringify(all.get(person.id)) !== JSON.stringify(person));
    for (const person of fresh) all.set(person.id, person);
    kept()?.keepPeople(fresh);
  }

  /** What the device has of them fills in; what came meanwhile is newer, and goes there. */
  function restore(found: readonly Person[]): void {
    kept()?.keepPeople([...all.values()]);
    for (const person of found) if (!all.has(person.id)) all.set(person.id, person);
  }

  /** Somebody looks otherwise: asked for soon, and once, however often it is said meanwhile. */
  function changed(id: unknown): void {
    if (typeof id !== "string" || !all.has(id)) return;
    hinted.add(id);
    asking ??= setTimeout(() => void ask(), Math.random() * SPREAD_MS);
  }

  async function ask(): Promise<void> {
    const mine = turn;
    const ids = [...hinted];
    hinted.clear();
    asking = undefined;
    for (const id of ids) {
      try {
        const { person } = await api.get<{ person: Person }>(`/api/persons/${id}`);
        if (mine !== turn) return;
        know([person]);
      } catch {
        // The next sync asks for everybody.
        if (mine === turn) askedAll = -Infinity;
      }
    }
  }

  /** Whether sync is to ask for everybody. */
  const due = (): boolean => Date.now() - askedAll >= ASK_ALL_EVERY_MS;
  const caughtUp = (): void => {
    askedAll = Date.now();
  };

  function forget(): void {
    turn += 1;
    clearTimeout(asking);
    asking = undefined;
    hinted.clear();
    all.clear();
    askedAll = -Infinity;
  }

  return { all, know, restore, changed, due, caughtUp, forget };
}
