import { defineStore } from "pinia";
import { onScopeDispose, ref } from "vue";
import { onHint } from "@/chat/socket";
import { api } from "@/shared/api";
import { useLoad, type Load } from "@/shared/useLoad";
import type { Wealth } from "@/shared/wealth";

const HIDDEN_KEY = "rl.amounts-hidden";

function remembered(): boolean {
  try {
    return localStorage.getItem(HIDDEN_KEY) === "1";
  } catch {
    return false;
  }
}

type Reader = () => unknown;

/** What 财富 shares between its pages: whether amounts are hidden, and who wants to know when money has moved. */
export const useFinance = defineStore("finance", () => {
  const hidden = ref(remembered());
  const readers = new Set<Reader>();

  /** Hides amounts on this device, or shows them again. */
  function toggleHidden(): void {
    hidden.value = !hidden.value;
    try {
      localStorage.setItem(HIDDEN_KEY, hidden.value ? "1" : "0");
    } catch {
      // A browser without storage keeps the choice until the page closes.
    }
  }

  /** Something of this person's money has changed: every page that shows it reads it again. */
  function changed(): void {
    for (const reader of readers) void reader();
  }

  onHint("finance", changed);

  /** Reads again whenever money has moved or the page comes back into sight, as long as the view stands. */
  function follow(reader: Reader): void {
    const seen = () => {
      if (document.visibilityState === "visible") void reader();
    };
    readers.add(reader);
    document.addEventListener("visibilitychange", seen);
    onScopeDispose(() => {
      readers.delete(reader);
      document.removeEventListener("visibilitychange", seen);
    });
  }

  function useWealth(): Load<Wealth> {
    const load = useLoad((signal) => api.get<Wealth>("/api/finance/wealth", { signal }));
    follow(load.reload);
    return load;
  }

  return { hidden, toggleHidden, changed, follow, useWealth };
});
