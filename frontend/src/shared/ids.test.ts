import { expect, it } from "vitest";
import { newId } from "./ids";

it("makes ids of version 7 that sort by their time and do not repeat", () => {
  const ids = Array.from({ length: 500 }, (_, index) => newId(1_800_000_000_000 + index));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(Array.from({ length: 500 }, () => newId(1))).size).toBe(500);
});

it("carries the time in its first 48 bits", () => {
  const at = 1_795_000_123_456;
  expect(parseInt(newId(at).replaceAll("-", "").slice(0, 12), 16)).toBe(at);
});
