import { ref, shallowRef } from "vue";
import { newId } from "./ids";

export interface ToastItem {
  id: string;
  text: string;
  tone: "plain" | "good" | "bad";
}

const TOAST_MS = 3200;
export const toasts = ref<ToastItem[]>([]);

/** A short line that goes by itself; never the only place of something that matters. */
export function toast(text: string, tone: ToastItem["tone"] = "plain"): void {
  const item: ToastItem = { id: newId(), text, tone };
  // The same words twice are said once, anew: three taps without a network are no three complaints.
  toasts.value = [...toasts.value.filter((other) => other.text !== text).slice(-2), item];
  setTimeout(() => {
    toasts.value = toasts.value.filter((other) => other.id !== item.id);
  }, TOAST_MS);
}

export interface Question {
  title: string;
  text?: string;
  ok: string;
  cancel?: string;
  danger?: boolean;
}

export const question = shallowRef<(Question & { resolve: (yes: boolean) => void }) | null>(null);

/** Asks before something that cannot be taken back. */
export function ask(wanted: Question): Promise<boolean> {
  question.value?.resolve(false);
  return new Promise((resolve) => {
    question.value = {
      ...wanted,
      resolve(yes) {
        question.value = null;
        resolve(yes);
      },
    };
  });
}
