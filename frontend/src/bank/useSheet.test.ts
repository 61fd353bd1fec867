import { effectScope, type EffectScope } from "vue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useLanguage } from "@/shared/i18n";
import { hashOf } from "./statement";
import { useSheet } from "./useSheet";

const ID = "018f0000-0000-7000-8000-000000000001";
const [told, opener] = vi.hoisted(() => [vi.fn(), { giveUp: (): void => undefined }]);
vi.mock("./opener", () => ({
  tell: told,
  framed: true,
  onCancel: (origin: string, intentId: () => string, given: () => void) => {
    opener.giveUp = () => (origin === "http://app" && intentId() === ID ? given() : undefined);
    return () => undefined;
  },
}));

/** A bank at the other end of fetch: one intent, one PIN. */
class Bank {
  amount = "¥ 10.00";
  manual = "a".repeat(64);
  nonce = 1;
  state = "prepared";
  pinState = "set";
  lies = false;
  attempts: string[] = [];
  presents: (string | undefined)[] = [];
  kind = "transfer";
  result: { state?: string } | null = null;
  refuse: { code: string; status: number; params?: object } | null = null;
  silent = false;
  /** What a refused confirmation leaves behind, and whether the next questions find anybody. */
  leaves = "prepared";
  down = false;

  statement(): string {
    return JSON.stringify({
      amount: { fen: 1, text: this.amount, words: "w" }, at: "2026-11-23T06:00:00Z", bank: "b", documents: [{ title: "Manual", sha256: this.manual }],
      lines: [{ label: "To", value: "x" }], nonce: String(this.nonce), title: "t", version: 1,
    });
  }

  async intent(): Promise<object> {
    const statement = this.state === "prepared" ? this.statement() : null;
    const hash = statement === null ? null : await hashOf(this.lies ? `${statement} ` : statement);
    return {
      id: ID, kind: this.kind, state: this.state, statement, statement_hash: hash, challenge_s: 120,
      result: this.result, pin_state: this.pinState, tries_left: 5, session: { id: ID, idle_s: 300, left_s: 900 }, passkeys: [], must_sign: false, rp_id: "localhost",
    };
  }

  answer = async (path: string, init: RequestInit): Promise<Response> => {
    if (path.endsWith("/config")) return Response.json({ app_origin: "http://app", bank_name: "b", bank_name_en: "b" });
    if (path.endsWith("/sessions")) return Response.json({ intent_id: ID, session: {} }, { status: 201 });
    if (path.endsWith("/cancel")) this.state = "cancelled";
    if (path.endsWith("/confirm") || path.endsWith("/pin")) {
      const body = JSON.parse(init.body as string) as { pin: string; statement_hash: string; current?: string };
      this.attempts.push(body.pin);
      this.presents.push(body.current);
      if (this.silent) {
        this.silent = false;
        this.state = "executed";
        throw new TypeError("cut");
      }
      const refusal = this.refuse ?? (body.statement_hash === (await hashOf(this.statement())) ? null : { code: "statement_stale", status: 409 });
      this.refuse = null;
      if (refusal) this.state = this.leaves;
      if (refusal) return Response.json({ error: { message: refusal.code, params: {}, ...refusal } }, { status: refusal.status });
      if (path.endsWith("/pin")) this.pinState = "set";
      else this.state = "executed";
    }
    if (this.down) return Response.json({ error: { code: "unavailable", message: "unavailable", params: {} } }, { status: 503 });
    return Response.json(await this.intent());
  };
}

let bank: Bank;
let scope: EffectScope;
let sheet: ReturnType<typeof useSheet>;

async function type(pin: string): Promise<void> {
  for (const digit of pin) sheet.press(digit);
  await settled();
}

async function settled(): Promise<void> {
  await vi.waitFor(() => expect(sheet.busy.value).toBe(false));
}

beforeEach(async () => {
  await useLanguage("en");
  bank = new Bank();
  told.mockClear();
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => bank.answer(path, init));
  scope = effectScope();
  scope.run(() => {
    sheet = useSheet();
  });
});
afterEach(() => {
  scope.stop();
  vi.unstubAllGlobals();
});

describe("the sheet", () => {
  it("confirms with six digits, says so once, and forgets them", async () => {
    await sheet.start("code");
    expect(sheet.phase.value).toBe("confirm");
    await type("258369");
    expect(sheet.phase.value).toBe("done");
    expect(sheet.pin.value).toBe("");
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith("http://app", "done", ID), 2_000);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["transfer", { state: "pending" }, "Sent, not yet received"],
    ["wealth.subscribe", { state: "accepted" }, "Accepted, not yet confirmed"],
    ["payout", { state: "accepted" }, "Accepted, on its way"],
    ["own_transfer", {}, "In your account"],
    ["change_pin", null, "Done"],
    ["something new", { state: "new" }, "Done"],
  ])("says of a %s what came of it", async (kind, result, words) => {
    await sheet.start("code");
    Object.assign(bank, { kind, result, state: "executed" });
    await sheet.start("code");
    expect([sheet.phase.value, sheet.outcome.value]).toEqual(["done", words]);
  });

  it("is given up when the page that opened it says so, but not while it is being done", async () => {
    await sheet.start("code");
    opener.giveUp();
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith("http://app", "cancelled", ID));
    expect([bank.state, sheet.phase.value]).toEqual(["cancelled", "over"]);
  });

  it("does not draw a statement whose hash is another", async () => {
    bank.lies = true;
    await sheet.start("code");
    expect(sheet.phase.value).toBe("failed");
    expect(sheet.statement.value).toBeNull();
  });

  it("renews a challenge over the same words without a word", async () => {
    await sheet.start("code");
    bank.nonce = 2;
    await type("258369");
    expect(sheet.phase.value).toBe("done");
    expect(bank.attempts).toEqual(["258369", "258369"]);
  });

  it("waits for a passkey to be made, however long that takes, and does not call it done", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    scope.stop();
    scope = effectScope();
    scope.run(() => {
      sheet = useSheet();
    });
    try {
      bank.kind = "add_passkey";
      await sheet.start("code");
      await type("258369");
      expect(sheet.phase.value).toBe("making");
      await vi.advanceTimersByTimeAsync(200_000);
      expect(sheet.phase.value).toBe("making");
      expect(told).not.toHaveBeenCalled();
    } finally {
      vi.useRealTimers();
    }
  });

  it("shows what has changed and does not confirm it", async () => {
    await sheet.start("code");
    bank.amount = "¥ 11.00";
    await type("258369");
    expect(sheet.phase.value).toBe("confirm");
    expect(sheet.amountBefore.value).toBe("¥ 10.00");
    expect(sheet.statement.value?.amount?.text).toBe("¥ 11.00");
    expect([bank.attempts.length, bank.state, sheet.pin.value]).toEqual([1, "prepared", ""]);
  });

  it("does not confirm a statement whose document is another than the one that was seen, and marks it", async () => {
    await sheet.start("code");
    bank.manual = "b".repeat(64);
    await type("258369");
    expect([sheet.phase.value, bank.state, bank.attempts.length]).toEqual(["confirm", "prepared", 1]);
    expect(sheet.changed.value).toBe(true);
    expect(sheet.documents.value).toEqual([{ title: "Manual", sha256: "b".repeat(64), before: "a".repeat(64) }]);
  });

  it("says how many tries are left, and stops when there is none", async () => {
    await sheet.start("code");
    bank.refuse = { code: "wrong_pin", status: 403, params: { tries_left: 4 } };
    await type("111112");
    expect([sheet.error.value, sheet.shaken.value, sheet.intent.value?.tries_left]).toEqual(["wrong_pin", true, 4]);
    bank.refuse = { code: "pin_locked", status: 423 };
    await type("111112");
    expect([sheet.phase.value, sheet.typing.value, sheet.mayGoBack.value]).toEqual(["prove", false, false]);
    sheet.press("1");
    expect(sheet.pin.value).toBe("");
  });

  it("asks for another proof where the server has none", async () => {
    bank.pinState = "none";
    await sheet.start("code");
    sheet.proved();
    bank.refuse = { code: "proof_needed", status: 403 };
    await type("147036147036");
    expect([sheet.phase.value, sheet.error.value, bank.pinState]).toEqual(["prove", "proof_needed", "none"]);
  });

  it("changes a PIN with the present one, and asks for that again when it was wrong", async () => {
    bank.kind = "change_pin";
    await sheet.start("code");
    expect(sheet.phase.value).toBe("current");
    bank.refuse = { code: "wrong_pin", status: 403, params: { tries_left: 4 } };
    await type("258368147036147036");
    expect([sheet.phase.value, sheet.shaken.value, sheet.pin.value]).toEqual(["current", true, ""]);
    await type("258369147036147036");
    expect(bank.presents).toEqual(["258368", "258369"]);
  });

  it("lets a person who has forgotten the PIN prove themselves, and go back", async () => {
    await sheet.start("code");
    sheet.forgot();
    expect([sheet.phase.value, sheet.mayGoBack.value]).toEqual(["prove", true]);
    sheet.forgot();
    expect(sheet.phase.value).toBe("confirm");
  });

  it("asks again while the same confirmation is at work elsewhere", async () => {
    await sheet.start("code");
    Object.assign(bank, { refuse: { code: "in_flight", status: 409 } });
    await type("258369");
    await vi.waitFor(() => expect(sheet.phase.value).toBe("done"), 2_000);
    expect(bank.attempts).toEqual(["258369", "258369"]);
  });

  it("looks at what became of it when no answer came", async () => {
    await sheet.start("code");
    bank.silent = true;
    await type("258369");
    await vi.waitFor(() => expect(sheet.phase.value).toBe("done"));
    expect(bank.attempts.length).toBe(1);
  });

  it("looks at what became of it when the server does not know, and says done where it was done", async () => {
    await sheet.start("code");
    Object.assign(bank, { refuse: { code: "outcome_unknown", status: 503 }, leaves: "executed" });
    await type("258369");
    await vi.waitFor(() => expect(sheet.phase.value).toBe("done"));
    expect(bank.attempts.length).toBe(1);
  });

  it.each([
    ["outcome_unknown", "No answer came. Confirm again; it will not be done twice"],
    ["unavailable", "unavailable"],
    ["contended", "contended"],
  ])("lets it be confirmed again after %s, in words that are true", async (code, words) => {
    await sheet.start("code");
    bank.refuse = { code, status: 503 };
    await type("258369");
    await vi.waitFor(() => expect([sheet.phase.value, sheet.error.value]).toEqual(["confirm", words]));
    await type("258369");
    expect([sheet.phase.value, bank.attempts.length]).toEqual(["done", 2]);
  });

  it("claims nothing while it cannot be found out, and finds it out at the next try", async () => {
    await sheet.start("code");
    Object.assign(bank, { refuse: { code: "outcome_unknown", status: 503 }, leaves: "executed", down: true });
    await type("258369");
    await vi.waitFor(() => expect(sheet.phase.value).toBe("confirm"), 3_000);
    expect([sheet.error.value, told.mock.calls.length]).toEqual(["No answer came. Confirm again; it will not be done twice", 0]);
    bank.down = false;
    await type("258369");
    await vi.waitFor(() => expect(sheet.phase.value).toBe("done"));
  });

  it("has a first PIN chosen twice after a proof of identity, and then still wants it confirmed", async () => {
    bank.pinState = "none";
    await sheet.start("code");
    expect([sheet.phase.value, sheet.typing.value]).toEqual(["prove", false]);
    sheet.proved();
    expect(sheet.phase.value).toBe("choose");
    await type("147036");
    await type("147037");
    expect([sheet.phase.value, bank.attempts.length]).toEqual(["choose", 0]);
    await type("147036");
    await type("147036");
    expect([sheet.phase.value, bank.attempts.length, bank.state]).toEqual(["confirm", 1, "prepared"]);
  });

  it("cancels, and says so", async () => {
    await sheet.start("code");
    await sheet.cancel();
    expect(bank.state).toBe("cancelled");
    expect(told).toHaveBeenCalledWith("http://app", "cancelled", ID);
  });

  it("opens nothing without a code", async () => {
    await sheet.start(null);
    expect(sheet.phase.value).toBe("over");
  });
});
