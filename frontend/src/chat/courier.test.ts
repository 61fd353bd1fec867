import { afterEach, expect, it, vi } from "vitest";
import { useCourier } from "./courier";
import type { Outgoing } from "./types";

vi.mock("./socket", () => ({ socket: { status: { value: "open" } } }));
afterEach(() => vi.unstubAllGlobals());

it.each([
  ["unavailable", 503, "again"],
  ["outcome_unknown", 503, "again"],
  ["picture_refused", 400, "failed"],
])("a picture that met %s is %s: %s", async (code, status, kind) => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ error: { code, message: "没有送出", params: {} } }, { status })));
  const picture = { kind: "picture", clientId: "c", conversationId: "t", file: new File(["x"], "x.png") } as unknown as Outgoing;
  expect(await useCourier(() => undefined).transmit(picture)).toEqual({ kind, reason: "没有送出" });
});
