import { onScopeDispose, watch, type Ref } from "vue";
import { useRouter } from "vue-router";
import { ApiError } from "@/shared/api";
import { openBankSheet, type BankOutcome, type PreparedIntent } from "@/shared/bankSheet";
import { newId } from "@/shared/ids";
import { useAction, type Action } from "@/shared/useAction";
import { dropDraft, readDraft, writeDraft } from "./drafts";

type Typed = Ref<string | null> | Ref<number | null>;

class DoneBefore extends Error {}

function doneBefore(thrown: unknown): BankOutcome {
  if (thrown instanceof DoneBefore) return "done";
  throw thrown;
}

interface Intended {
  /** The order in the very words that the id stands for. */
  of: string;
  id: string;
}

interface Deed<Order> {
  /** Of the draft: what is being done, and to whom. */
  name: string;
  /** What a person types or chooses; kept in this tab until it is done, given up, or left. */
  typed: Record<string, Typed>;
  /** Names of routes on which the draft outlives the page: steps of the same errand. */
  through?: readonly string[];
  prepare: (id: string, order: Order) => Promise<PreparedIntent>;
  /** Reads what the id stands for; rejects with 404 as long as it was not done. */
  find: (id: string) => Promise<unknown>;
  done: (id: string) => unknown;
  /** The bank's page was closed and nothing was done. */
  ended?: (outcome: BankOutcome) => unknown;
  quiet?: boolean;
}

function isIntended(kept: unknown): kept is Intended {
  if (typeof kept !== "object" || kept === null) return false;
  const { of, id } = kept as Partial<Intended>;
  return typeof of === "string" && typeof id === "string";
}

/**
 * Something that is confirmed on the bank's page. One id for the same words: a repeat of a tap, also after a reload,
 * is the same order, and other words are another.
 */
export function useIntent<Order extends object>(deed: Deed<Order>): Action<[Order], void> {
  const router = useRouter();
  const kept = readDraft(deed.name);
  let intended = isIntended(kept["intended"]) ? kept["intended"] : null;
  for (const [field, value] of Object.entries(deed.typed)) {
    const before = kept[field];
    if (typeof before === "string" || typeof before === "number") (value as Ref<unknown>).value = before;
  }

  function keep(): void {
    const typed = Object.entries(deed.typed).map(([field, value]) => [field, value.value]);
    writeDraft(deed.name, { ...Object.fromEntries(typed), intended });
  }
  watch(Object.values(deed.typed), keep, { flush: "sync" });
  onScopeDispose(() => {
    const to = router.currentRoute.value.name;
    if (typeof to !== "string" || !deed.through?.includes(to)) dropDraft(deed.name);
  });

  function idFor(order: Order, another = false): string {
    const of = JSON.stringify(order);
    if (intended?.of !== of || another) intended = { of, id: newId() };
    keep();
    return intended.id;
  }

  /** Where to confirm it. Throws DoneBefore if that turns out to have been done already. */
  async function prepare(order: Order): Promise<PreparedIntent> {
    const before = intended?.id;
    const id = idFor(order);
    try {
      return await deed.prepare(id, order);
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.unanswered || id !== before) throw thrown;
      // Cancelled or expired, so certainly not done: the same words may be tried anew.
      if (thrown.code === "intent_over") return deed.prepare(idFor(order, true), order);
      if (await isDone(id)) throw new DoneBefore();
      throw thrown;
    }
  }

  /** A sheet may close without a word; the server knows. */
  async function isDone(id: string): Promise<boolean> {
    try {
      await deed.find(id);
      return true;
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) return false;
      throw thrown;
    }
  }

  async function finish(id: string): Promise<void> {
    intended = null;
    dropDraft(deed.name);
    await deed.done(id);
  }

  const action = useAction(async (order: Order) => {
    const outcome = await openBankSheet(prepare(order)).then((answer) => answer.outcome, doneBefore);
    const id = idFor(order);
    if (outcome === "done" || (await isDone(id))) await finish(id);
    else {
      dropDraft(deed.name);
      await deed.ended?.(outcome);
    }
  }, { quiet: deed.quiet ?? false });

  if (intended) {
    const { id } = intended;
    // The page was left while the bank was asked. Unanswered now, the same id finds it out at the next try.
    void isDone(id).then((yes) => (yes && !action.busy.value ? finish(id) : undefined), () => undefined);
  }
  return action;
}
