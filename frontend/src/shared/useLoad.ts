import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";

export interface Load<T> {
  data: ShallowRef<T | null>;
  error: ShallowRef<unknown>;
  loading: Ref<boolean>;
  /** Fetches again and keeps what is shown until the answer is here. */
  reload: () => Promise<void>;
}

/**
 * What a view reads when it opens, and again when `source` (an id) changes.
 * An answer that was overtaken is thrown away; leaving the view stops the call.
 */
export function useLoad<T>(fetcher: (signal: AbortSignal) => Promise<T>, source: () => unknown = () => null): Load<T> {
  const data: ShallowRef<T | null> = shallowRef(null);
  const error = shallowRef<unknown>(null);
  const loading = ref(false);
  let stop = new AbortController();

  async function reload(): Promise<void> {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    loading.value = true;
    error.value = null;
    try {
      const found = await fetcher(signal);
      if (!signal.aborted) data.value = found;
    } catch (thrown) {
      if (!signal.aborted) error.value = thrown;
    } finally {
      if (!signal.aborted) loading.value = false;
    }
  }

  watch(source, () => {
    data.value = null;
    void reload();
  }, { immediate: true });
  onScopeDispose(() => stop.abort());
  return { data, error, loading, reload };
}
