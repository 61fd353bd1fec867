import { defineStore } from "pinia";
import { reactive } from "vue";

/** What a person has decided on the way to buying, until the page is closed: the risk disclosures they have ticked. */
export const usePurchase = defineStore("purchase", () => {
  const acknowledged = reactive<Record<string, string | null>>({});
  /** `sha256` of the disclosure that was ticked; null takes it back. */
  function acknowledge(productId: string, sha256: string | null): void {
    acknowledged[productId] = sha256;
  }
  return { acknowledged, acknowledge };
});
