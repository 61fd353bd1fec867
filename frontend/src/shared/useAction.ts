import { ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { messageOf } from "./api";
import { toast } from "./feedback";

export interface Action<A extends unknown[], T> {
  /** Shows its spinner while true; a second tap meanwhile does nothing. */
  busy: Ref<boolean>;
  error: ShallowRef<unknown>;
  /** The result, or undefined when it failed or was already under way. */
  run: (...given: A) => Promise<T | undefined>;
}

/** Something that a tap does on the server: once at a time, its failure said in a toast unless `quiet`. */
export function useAction<A extends unknown[], T>(act: (...given: A) => Promise<T>, options: { quiet?: boolean } = {}): Action<A, T> {
  const busy = ref(false);
  const error = shallowRef<unknown>(null);
  async function run(...given: A): Promise<T | undefined> {
    if (busy.value) return undefined;
    busy.value = true;
    error.value = null;
    try {
      return await act(...given);
    } catch (thrown) {
      error.value = thrown;
      if (!options.quiet) toast(messageOf(thrown), "bad");
      return undefined;
    } finally {
      busy.value = false;
    }
  }
  return { busy, error, run };
}
