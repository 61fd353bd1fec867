import { api } from "@/shared/api";
import type { Schemas } from "@/shared/contract";
import { language } from "@/shared/i18n";
import { useLoad, type Load } from "@/shared/useLoad";

export type AgreementItem = Schemas["AgreementItem"];

/** The texts in force, and what the signed-in person agreed to last. */
export function useAgreements(): Load<Schemas["AgreementList"]> {
  return useLoad((signal) => api.get<Schemas["AgreementList"]>("/api/agreements", { signal }), () => language.value);
}

/** Whether a text in force waits for a consent. */
export function isDue(one: AgreementItem): boolean {
  return one.agreed_version !== one.version;
}
