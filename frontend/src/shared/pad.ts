import { ref, watch } from "vue";

const KEY = "rl.pad";

function kept(): boolean {
  try {
    return localStorage.getItem(KEY) === "random";
  } catch {
    return false;
  }
}

/** Whether the digits of the PIN's pad stand elsewhere each time; a choice of this device. */
export const shuffledPad = ref(kept());

watch(shuffledPad, (on) => {
  try {
    if (on) localStorage.setItem(KEY, "random");
    else localStorage.removeItem(KEY);
  } catch {
    // A browser without storage keeps the choice until the page closes.
  }
});
