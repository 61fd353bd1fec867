import type { Message } from "./types";

/** Where a seq stands, or would stand, in messages that are in order. */
function place(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A stretch out of nothing but what came. */
function first(fresh: readonly Message[]): readonly Message[] {
  const newest = new Map<number, Message>();
  for (const message of fresh) if (message.version >= (newest.get(message.seq)?.version ?? 0)) newest.set(message.seq, message);
  return [...newest.values()].sort((one, other) => one.seq - other.seq);
}

/**
 * Puts messages (in any order, new ones or new versions) into a stretch that is in order. An older version never
 * replaces a newer one; what lies before the stretch stays out while `floor` says that it was never read.
 */
export function merge(messages: readonly Message[], fresh: readonly Message[], options: { older?: boolean } = {}): readonly Message[] {
  if (messages.length === 0) return first(fresh);
  const merged = messages.slice();
  for (const message of fresh) {
    const index = place(merged, message.seq);
    const there = merged[index];
    if (there?.seq === message.seq) {
      if (message.version >= there.version) merged[index] = message;
    } else if (index > 0 || options.older || merged.length === 0) {
      merged.splice(index, 0, message);
    }
  }
  return merged;
}
