import { defineStore } from "pinia";
import { reactive } from "vue";
import { readDraft, writeDraft } from "@/app/drafts";

const DRAFT = "acknowledged";

/** What a person has decided on the way to buying, until the tab is closed: the risk disclosures they have ticked. */
export const usePurchase = defineStore("purchase", () => {
  const ticked = Object.entries(readDraft(DRAFT)).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const acknowledged = reactive<Record<string, string | null>>(Object.fromEntries(ticked));
  /** `sha256` of the disclosure that was ticked; null takes it back. */
  function acknowledge(productId: string, sha256: string | null): void {
    acknowledged[productId] = sha256;
    writeDraft(DRAFT, acknowledged);
  }
  return { acknowledged, acknowledge };
});
