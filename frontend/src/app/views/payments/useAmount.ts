import { computed, ref, type ComputedRef, type Ref } from "vue";
import { parseYuan } from "@/shared/money";

const MAX_INTEGER_DIGITS = 9;

export interface Typed {
  /** What stands there, as typed: "1200.5". */
  text: Ref<string>;
  /** The amount, or null while there is none above zero. */
  fen: ComputedRef<number | null>;
  digit: (digit: string) => void;
  dot: () => void;
  back: () => void;
}

/** An amount in yuan typed on the number pad, at most two decimals. */
export function useAmount(): Typed {
  const text = ref("");
  const fen = computed(() => {
    const amount = text.value === "" ? null : parseYuan(text.value);
    return amount === 0 ? null : amount;
  });
  function digit(typed: string): void {
    const [integer = "", decimals] = text.value.split(".");
    if (decimals === undefined) {
      if (integer.length < MAX_INTEGER_DIGITS) text.value = integer === "0" ? typed : integer + typed;
    } else if (decimals.length < 2) {
      text.value += typed;
    }
  }
  function dot(): void {
    if (!text.value.includes(".")) text.value = `${text.value || "0"}.`;
  }
  function back(): void {
    text.value = text.value.slice(0, -1);
  }
  return { text, fen, digit, dot, back };
}
