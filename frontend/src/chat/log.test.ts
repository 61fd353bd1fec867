import { describe, expect, it } from "vitest";
import { merge } from "./log";
import type { Message } from "./types";

function message(seq: number, version = seq, text = `${seq}`): Message {
  return {
    id: `m${seq}`, conversation_id: "c", seq, version, client_id: `k${seq}`, sender_id: "p", kind: "text", text,
    picture: null, card: null, notice: null, warning: null, at: "2026-11-23T10:00:00Z", recalled: false,
  };
}
const seqs = (messages: readonly Message[]) => messages.map((one) => one.seq);

describe("merge", () => {
  it("keeps the order whatever the order of arrival", () => {
    expect(seqs(merge([message(3)], [message(6), message(4), message(5)]))).toEqual([3, 4, 5, 6]);
  });

  it("replaces a message by its newer version, never by an older one", () => {
    const changed = merge([message(1), message(2)], [message(1, 3, "changed")]);
    expect(changed[0]?.text).toBe("changed");
    expect(merge(changed, [message(1, 1, "old")])[0]?.text).toBe("changed");
  });

  it("takes a message once, however often it comes", () => {
    expect(seqs(merge([message(1)], [message(2), message(2), message(1)]))).toEqual([1, 2]);
  });

  it("leaves out what lies before the stretch that was read, unless older messages are asked for", () => {
    expect(seqs(merge([message(5)], [message(2, 9)]))).toEqual([5]);
    expect(seqs(merge([message(5)], [message(4), message(3)], { older: true }))).toEqual([3, 4, 5]);
  });

  it("makes a stretch out of nothing, in order and each message in its newest version", () => {
    const made = merge([], [message(3), message(1, 7, "changed"), message(2), message(1), message(3)], { older: true });
    expect(made.map((one) => [one.seq, one.text])).toEqual([[1, "changed"], [2, "2"], [3, "3"]]);
  });

  it("does not change what it was given", () => {
    const before = [message(1)];
    merge(before, [message(2)]);
    expect(seqs(before)).toEqual([1]);
  });
});
