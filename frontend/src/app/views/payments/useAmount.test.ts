import { describe, expect, it } from "vitest";
import { useAmount } from "./useAmount";

function typed(keys: string): ReturnType<typeof useAmount> {
  const amount = useAmount();
  for (const key of keys) {
    if (key === ".") amount.dot();
    else if (key === "<") amount.back();
    else amount.digit(key);
  }
  return amount;
}

describe("an amount on the number pad", () => {
  it.each([
    ["", "", null],
    ["0", "0", null],
    ["0.00", "0.00", null],
    ["5", "5", 500],
    ["05", "5", 500],
    [".5", "0.5", 50],
    ["1.234", "1.23", 123],
    ["1..2", "1.2", 120],
    ["12.", "12.", 1200],
    ["12.<<", "1", 100],
    ["<", "", null],
    ["1234567890", "123456789", 12345678900],
  ])("%s reads %s", (keys, text, fen) => {
    const amount = typed(keys);
    expect(amount.text.value).toBe(text);
    expect(amount.fen.value).toBe(fen);
  });
});
