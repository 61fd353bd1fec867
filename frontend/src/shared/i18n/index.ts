import { computed } from "vue";
import { createI18n } from "vue-i18n";
import { site } from "@/shared/site";

export type Language = "zh-CN" | "en";
export const LANGUAGES: readonly Language[] = ["zh-CN", "en"];

const loaders: Record<Language, () => Promise<{ default: Record<string, object> }>> = {
  "zh-CN": () => import("./zh-CN"),
  en: () => import("./en"),
};

export const i18n = createI18n({
  legacy: false,
  locale: "zh-CN",
  fallbackLocale: false,
  missingWarn: import.meta.env.DEV,
  messages: {} as Record<string, Record<string, object>>,
});

export const language = computed<Language>(() => i18n.global.locale.value as Language);

/** Words outside of components; inside, useI18n gives the same. */
export function t(key: string, params: Record<string, unknown> = {}): string {
  return typeof params["n"] === "number" ? i18n.global.t(key, params, params["n"]) : i18n.global.t(key, params);
}

function stored(): string | null {
  try {
    return localStorage.getItem("rl.lang");
  } catch {
    return null;
  }
}

/** What the address asks for (the bank sheet), else what was chosen before, else the browser's, else Chinese. */
export function preferredLanguage(): Language {
  const wanted = [new URLSearchParams(location.hash.slice(1)).get("lang"), stored(), ...navigator.languages];
  for (const tag of wanted) {
    if (tag?.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag?.toLowerCase().startsWith("en")) return "en";
  }
  return "zh-CN";
}

export async function useLanguage(wanted: Language): Promise<void> {
  if (!i18n.global.availableLocales.includes(wanted)) {
    i18n.global.setLocaleMessage(wanted, (await loaders[wanted]()).default);
    const brand = wanted === "en" ? site.brand_en : site.brand;
    if (brand) i18n.global.mergeLocaleMessage(wanted, { shell: { brand, brandMark: [...(site.brand ?? brand)][0] } });
  }
  i18n.global.locale.value = wanted;
  document.documentElement.lang = wanted;
}

/** A person's choice: shown at once and remembered on this device. */
export async function chooseLanguage(wanted: Language): Promise<void> {
  await useLanguage(wanted);
  try {
    localStorage.setItem("rl.lang", wanted);
  } catch {
    // A browser without storage keeps the choice until the page closes.
  }
}
