import { computed, ref } from "vue";

export type Theme = "auto" | "light" | "dark";
export type Size = "normal" | "large";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemDark = ref(dark.matches);
dark.addEventListener("change", (event) => {
  systemDark.value = event.matches;
});

const chosenTheme = ref<Theme>(root.dataset["theme"] === "dark" ? "dark" : root.dataset["theme"] === "light" ? "light" : "auto");
const chosenSize = ref<Size>(root.dataset["size"] === "large" ? "large" : "normal");

function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // A browser without storage keeps the choice until the page closes.
  }
}

export const theme = computed({
  get: () => chosenTheme.value,
  set(value: Theme) {
    chosenTheme.value = value;
    if (value === "auto") delete root.dataset["theme"];
    else root.dataset["theme"] = value;
    keep("rl.theme", value === "auto" ? null : value);
  },
});

/** True when the page is drawn dark, by choice or by the system. */
export const isDark = computed(() => chosenTheme.value === "dark" || (chosenTheme.value === "auto" && systemDark.value));

export const size = computed({
  get: () => chosenSize.value,
  set(value: Size) {
    chosenSize.value = value;
    if (value === "large") root.dataset["size"] = "large";
    else delete root.dataset["size"];
    keep("rl.size", value === "large" ? "large" : null);
  },
});
