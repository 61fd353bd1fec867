import { defineStore } from "pinia";
import { reactive } from "vue";

/** What the tabs show; each area sets its own. */
export const useBadges = defineStore("badges", () => {
  const counts = reactive<Record<string, number>>({});
  /** `key` is the tab's name. */
  function set(key: string, count: number): void {
    counts[key] = count;
  }
  return { counts, set };
});
