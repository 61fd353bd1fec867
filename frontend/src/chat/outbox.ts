import type { Kept } from "./kept";
import type { KeptOutgoing } from "./keptDatabase";
import { newOutgoing } from "./talks";
import type { Outgoing } from "./types";

const MAX_TRIES = 3;
const AGAIN_AFTER_MS = 1_500;

/** What became of a message that was handed over. */
export type Outcome =
  | { kind: "done" }
  | { kind: "failed"; reason: string }
  /** The server asks for patience, or did not answer; a few times. */
  | { kind: "again"; reason: string }
  /** No connection: it waits until there is one. */
  | { kind: "later" };

export interface OutboxPort {
  personId: string;
  kept: Kept;
  /** Hands one message over; resolves when it is known what became of it. */
  transmit: (out: Outgoing) => Promise<Outcome>;
  /** What a conversation has to show as not yet sent. */
  show: (conversationId: string, waiting: readonly Outgoing[]) => void;
}

function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  return "locks" in navigator ? (navigator.locks.request(name, work) as Promise<T>) : work();
}

/**
 * What the person said and the server has not confirmed. It is on the device before it leaves, goes out one after the
 * other in each conversation, under the id that it was given at first, and stays until it is confirmed or given up.
 * Several tabs share it: whoever holds a conversation's lock sends, and looks first at what the others already did.
 */
export class Outbox {
  private waiting: Outgoing[] = [];
  private readonly stored = new Set<string>();
  private readonly settled = new Set<string>();
  private readonly busy = new Set<string>();
  private readonly wanted = new Set<string>();
  private readonly channel: BroadcastChannel | null;
  private closed = false;

  constructor(private readonly port: OutboxPort) {
    this.channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`rongliao-outbox-${port.personId}`);
    if (this.channel) {
      this.channel.onmessage = (event: MessageEvent<string>) => {
        void this.look().then(() => this.pump(event.data));
      };
    }
  }

  /** How many messages have not been sent. */
  get size(): number {
    return this.waiting.length;
  }

  of(conversationId: string): readonly Outgoing[] {
    return this.waiting.filter((out) => out.conversationId === conversationId);
  }

  find(clientId: string): Outgoing | undefined {
    return this.waiting.find((out) => out.clientId === clientId);
  }

  /** Takes in what this and other tabs left on the device. */
  async look(): Promise<void> {
    const stored = new Set(this.stored);
    // A row that was settled while the store was being read is still among what was read.
    const rows = (await this.port.kept.waiting())?.filter((row) => !this.settled.has(row.clientId));
    if (!rows || this.closed) return;
    const there = new Map(this.waiting.map((out) => [out.clientId, out]));
    const before = new Set(this.waiting.map((out) => out.conversationId));
    const known = new Set(rows.map((row) => row.clientId));
    const unkept = this.waiting.filter((out) => !known.has(out.clientId) && !stored.has(out.clientId));
    for (const out of this.waiting) if (!known.has(out.clientId) && stored.has(out.clientId)) this.let(out);
    this.waiting = [...rows.map((row) => this.shown(row, there.get(row.clientId))), ...unkept];
    for (const row of rows) this.stored.add(row.clientId);
    for (const out of this.waiting) before.add(out.conversationId);
    for (const id of before) this.port.show(id, this.of(id));
  }

  private shown(row: KeptOutgoing, known: Outgoing | undefined): Outgoing {
    if (known && known.state === row.state && known.reason === row.reason) return known;
    const { clientId, conversationId, kind, text, at, state, reason } = row;
    const file = row.file === null ? null : new File([row.file], "picture", { type: row.file.type });
    const preview = known?.preview ?? (file ? URL.createObjectURL(file) : null);
    return { clientId, conversationId, kind, text, file, preview, at, state, reason, tries: 0 };
  }

  /** Says something: shown at once, then kept, then sent. Resolves when the device has it. */
  async say(conversationId: string, what: { text: string } | { file: File }): Promise<void> {
    const out = newOutgoing(conversationId, what);
    this.waiting = [...this.waiting, out];
    this.port.show(conversationId, this.of(conversationId));
    const { clientId, kind, text, file, at, state, reason } = out;
    if (await this.port.kept.post({ clientId, conversationId, kind, text, file, at, state, reason })) this.stored.add(clientId);
    this.tellTabs(conversationId);
    void this.pump(conversationId);
  }

  /** There is a connection again: everything that waits goes out. */
  async resume(): Promise<void> {
    await this.look();
    await Promise.all([...new Set(this.waiting.map((out) => out.conversationId))].map((id) => this.pump(id)));
  }

  /** Tries a failed message again, under its old id. */
  async retry(clientId: string): Promise<void> {
    const out = this.find(clientId);
    if (!out) return;
    await this.change(out, { state: "sending", reason: "", tries: 0 });
    await this.pump(out.conversationId);
  }

  /** It was confirmed, or the person gave it up. */
  async settle(clientId: string): Promise<void> {
    const out = this.find(clientId);
    if (!out) return;
    this.let(out);
    this.settled.add(clientId);
    this.waiting = this.waiting.filter((one) => one.clientId !== clientId);
    this.port.show(out.conversationId, this.of(out.conversationId));
    await this.port.kept.settle(clientId);
    this.tellTabs(out.conversationId);
  }

  private let(out: Outgoing): void {
    if (out.preview) URL.revokeObjectURL(out.preview);
  }

  private async change(out: Outgoing, what: Partial<Pick<Outgoing, "state" | "reason" | "tries">>): Promise<void> {
    this.waiting = this.waiting.map((one) => (one.clientId === out.clientId ? { ...one, ...what } : one));
    this.port.show(out.conversationId, this.of(out.conversationId));
    const { state, reason } = what;
    if (state === undefined) return;
    await this.port.kept.change(out.clientId, { state, reason: reason ?? out.reason });
    this.tellTabs(out.conversationId);
  }

  private tellTabs(conversationId: string): void {
    if (!this.closed) this.channel?.postMessage(conversationId);
  }

  /** Sends what waits in a conversation, the oldest first, one at a time: nothing overtakes. */
  private async pump(conversationId: string): Promise<void> {
    if (this.busy.has(conversationId)) {
      this.wanted.add(conversationId);
      return;
    }
    if (!this.head(conversationId)) return;
    this.busy.add(conversationId);
    try {
      await alone(`rongliao-outbox-${this.port.personId}-${conversationId}`, async () => {
        // While we waited for the lock another tab may have sent some of it.
        await this.look();
        for (let out = this.head(conversationId); out; out = this.head(conversationId)) {
          if (!(await this.sent(out))) return;
        }
      });
    } finally {
      this.busy.delete(conversationId);
    }
    if (this.wanted.delete(conversationId)) await this.pump(conversationId);
  }

  private head(conversationId: string): Outgoing | undefined {
    return this.closed ? undefined : this.waiting.find((out) => out.conversationId === conversationId && out.state === "sending");
  }

  /** False where the rest has to wait for a connection. */
  private async sent(out: Outgoing): Promise<boolean> {
    const outcome = await this.port.transmit(out);
    if (this.closed || outcome.kind === "later") return false;
    if (outcome.kind === "done") await this.settle(out.clientId);
    else if (outcome.kind === "failed" || out.tries + 1 >= MAX_TRIES) await this.change(out, { state: "failed", reason: outcome.reason });
    else {
      await this.change(out, { tries: out.tries + 1 });
      await new Promise((resolve) => {
        setTimeout(resolve, AGAIN_AFTER_MS);
      });
    }
    return true;
  }

  /** Ends for this person; what waits stays on the device. */
  close(): void {
    this.closed = true;
    this.channel?.close();
    for (const out of this.waiting) this.let(out);
    this.waiting = [];
  }
}
