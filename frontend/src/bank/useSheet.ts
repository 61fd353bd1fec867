import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { ApiError, messageOf } from "@/shared/api";
import { i18n, t } from "@/shared/i18n";
import { online } from "@/shared/online";
import { bank, type Asked, type Config, type Intent } from "./bank";
import { onCancel, tell } from "./opener";
import { make, passkeysWork, sign } from "./passkey";
import { compare, hashOf, parseStatement, sameWords, type ShownDocument, type ShownFact, type Statement } from "./statement";

export const PIN_LENGTH = 6;
const DONE_SHOWN_MS = 1_100;
const TICK_MS = 500;
/** A challenge is renewed when this much of its life is left: more than the server's half, so that it is a new one. */
const RENEW_BEFORE_S = 50;
const RENEW_AGAIN_S = 10;

type Phase = "loading" | "failed" | "confirm" | "prove" | "current" | "choose" | "repeat" | "making" | "sending" | "done" | "over";
/** The person is at it: the session's clock runs, and the challenge is renewed. */
const LIVE: readonly Phase[] = ["confirm", "prove", "current", "choose", "repeat", "making"];
const PIN_KINDS: readonly string[] = ["set_pin", "change_pin", "reset_pin"];

/** The sheet's whole state: one hand-off, one intent, one session. The PIN lives here and nowhere else. */
export function useSheet() {
  const phase = ref<Phase>("loading");
  const config = shallowRef<Config | null>(null);
  const intent = shallowRef<Intent | null>(null);
  const statement = shallowRef<Statement | null>(null);
  const facts = shallowRef<ShownFact[]>([]);
  const documents = shallowRef<ShownDocument[]>([]);
  const amountBefore = ref<string | null>(null);
  const error = ref("");
  const note = ref("");
  const shaken = ref(false);
  const pin = ref("");
  const left = ref(0);
  let chosen = "";
  let present: string | undefined;
  let hash = "";
  let intentId = "";
  let idleUntil = 0;
  let renewAt = Infinity;
  let told = false;
  let deafen = (): void => undefined;
  let leaving: ReturnType<typeof setTimeout> | undefined;

  const busy = computed(() => phase.value === "loading" || phase.value === "sending");
  const locked = computed(() => intent.value?.pin_state === "locked");
  const live = computed(() => LIVE.includes(phase.value));
  /** What the statement says must be signed by a passkey; the PIN does not authorise so much. */
  const mustSign = computed(() => intent.value?.must_sign === true);
  const maySign = computed(() => phase.value === "confirm" && passkeysWork && (intent.value?.passkeys.length ?? 0) > 0);
  const typing = computed(
    () => ["choose", "repeat", "current"].includes(phase.value) || (phase.value === "confirm" && !locked.value && !mustSign.value),
  );
  /** What came of it, in words: confirmed here does not mean that the thing itself is over. */
  const outcome = computed(() => {
    const { kind, result } = intent.value ?? {};
    const key = `bank.outcome.${[kind?.replace(".", "_"), result?.state].filter(Boolean).join("_")}`;
    return i18n.global.te(key) ? t(key) : t("bank.done");
  });
  const asked = ref<Asked>("pin");
  /** One may go back from the proof of identity to the PIN that one knows after all. */
  const mayGoBack = computed(() => asked.value === "device" || (intent.value?.pin_state === "set" && intent.value.kind !== "reset_pin"));
  const changed = computed(() => amountBefore.value !== null || [...facts.value, ...documents.value].some((one) => one.before !== undefined));

  function say(message: string, shake = false): void {
    error.value = message;
    note.value = "";
    shaken.value = shake;
  }

  function forget(): void {
    pin.value = chosen = "";
    present = undefined;
  }

  function end(message: string): void {
    forget();
    phase.value = "over";
    say(message);
  }

  /** Takes an intent as the server tells it; answers whether its words are those that were seen before. */
  async function take(fresh: Intent): Promise<boolean> {
    const seen = statement.value;
    intent.value = fresh;
    idleUntil = performance.now() + fresh.session.idle_s * 1000;
    renewAt = performance.now() + Math.max(RENEW_AGAIN_S, fresh.challenge_s - RENEW_BEFORE_S) * 1000;
    tick();
    if (fresh.state === "executed") {
      // Nothing is left to be signed; and a passkey that may be made is not made by waiting.
      renewAt = Infinity;
      if (fresh.kind === "add_passkey" && (phase.value === "sending" || phase.value === "making")) phase.value = "making";
      else finish();
      return true;
    }
    if (fresh.state !== "prepared" || fresh.statement === null) {
      end(t(`bank.over.${fresh.state}`));
      return true;
    }
    hash = await hashOf(fresh.statement);
    if (hash !== fresh.statement_hash) throw new TypeError("the statement is not what its hash says");
    const next = parseStatement(fresh.statement);
    const same = seen === null || sameWords(next, seen);
    statement.value = next;
    if (seen === null) [facts.value, documents.value] = [next.lines, next.documents];
    else if (!same) {
      const { amountBefore: old, ...marked } = compare(next, seen);
      [facts.value, documents.value, amountBefore.value] = [marked.facts, marked.documents, old ?? null];
    }
    return same;
  }

  function ready(): void {
    const { pin_state: state, kind } = intent.value ?? {};
    asked.value = "pin";
    if (state !== "set" || kind === "reset_pin") phase.value = "prove";
    else phase.value = kind === "change_pin" ? "current" : "confirm";
    if (state === "locked") say(t("bank.locked"));
    else if (state === "none" && kind !== "set_pin") note.value = t("bank.pinFirst");
  }

  async function start(code: string | null): Promise<void> {
    phase.value = "loading";
    say("");
    try {
      if (!config.value) {
        config.value = await bank.config();
        deafen = onCancel(config.value.app_origin, () => intentId, () => void cancel());
      }
      if (!intentId) {
        if (!code) {
          end(t("bank.over.noCode"));
          return;
        }
        intentId = (await bank.open(code)).intent_id;
      }
      await take(await bank.intent(intentId));
      if (phase.value === "loading") ready();
    } catch (thrown) {
      if (thrown instanceof ApiError && !thrown.unanswered && thrown.status < 500) end(thrown.message);
      else {
        phase.value = "failed";
        say(thrown instanceof ApiError ? thrown.message : t("bank.broken"));
      }
    }
  }

  /** Another challenge over the same words, unnoticed; other words are shown as such. */
  async function renew(): Promise<void> {
    renewAt = Infinity;
    try {
      if (!(await take(await bank.intent(intentId)))) stale();
    } catch (thrown) {
      renewAt = performance.now() + RENEW_AGAIN_S * 1000;
      if (thrown instanceof ApiError && thrown.status >= 400 && thrown.status < 500) end(thrown.message);
    }
  }

  function stale(): void {
    forget();
    if (phase.value === "sending") ready();
    say(t("bank.stale"));
  }

  function finish(): void {
    forget();
    phase.value = "done";
    clearTimeout(leaving);
    leaving = setTimeout(() => report("done"), DONE_SHOWN_MS);
  }

  function report(outcome: "done" | "cancelled" | "failed"): void {
    if (told || !config.value) return;
    told = true;
    tell(config.value.app_origin, outcome, intentId);
  }

  async function send(again = true): Promise<void> {
    const digits = pin.value;
    const setting = phase.value === "repeat";
    phase.value = "sending";
    say("");
    try {
      const answer = await (setting ? bank.choosePin(intentId, digits, hash, present) : bank.confirm(intentId, { pin: digits }, hash));
      const wasKind = answer.kind;
      await take(answer);
      if (phase.value === "sending") {
        forget();
        ready();
        if (setting && !PIN_KINDS.includes(wasKind)) note.value = t("bank.pinSet");
      }
    } catch (thrown) {
      await refused(thrown, digits, setting, again);
    }
  }

  /** A passkey signs the hash of what is shown, and the server is told. */
  async function signIt(): Promise<void> {
    if (!maySign.value || !intent.value) return;
    const { passkeys, rp_id: rpId } = intent.value;
    phase.value = "sending";
    say("");
    try {
      const passkey = await sign(hash, passkeys, rpId);
      await take(await bank.confirm(intentId, { passkey }, hash));
    } catch (thrown) {
      if (thrown instanceof DOMException) {
        phase.value = "confirm";
        say(t("bank.passkey.notUsed"));
      } else await refused(thrown, "", false, false);
    }
  }

  /** What was just confirmed allows a passkey to be made here. */
  async function makeIt(): Promise<void> {
    if (phase.value !== "making") return;
    phase.value = "sending";
    say("");
    try {
      await bank.addPasskey(intentId, await make((await bank.passkeyOptions(intentId)).options));
      finish();
    } catch (thrown) {
      phase.value = "making";
      if (thrown instanceof ApiError && ["passkey_over", "bank_session_needed"].includes(thrown.code)) end(thrown.message);
      else say(thrown instanceof ApiError ? thrown.message : t("bank.passkey.notMade"));
    }
  }

  async function refused(thrown: unknown, digits: string, setting: boolean, again: boolean): Promise<void> {
    const code = thrown instanceof ApiError ? thrown.code : "";
    pin.value = "";
    phase.value = setting ? "repeat" : "confirm";
    if (code === "wrong_pin" && thrown instanceof ApiError && intent.value) {
      forget();
      intent.value = { ...intent.value, tries_left: Number(thrown.params["tries_left"]) };
      if (setting) phase.value = "current";
      say(thrown.message, true);
    } else if (code === "pin_locked" && intent.value) {
      forget();
      intent.value = { ...intent.value, pin_state: "locked", tries_left: 0 };
      phase.value = "prove";
      say(messageOf(thrown));
    } else if (code === "pin_too_simple" || code === "pin_unchanged") {
      chosen = "";
      phase.value = "choose";
      say(messageOf(thrown), true);
    } else if (code === "device_unverified") {
      asked.value = "device";
      phase.value = "prove";
      say(messageOf(thrown));
    } else if (["passkey_needed", "passkey_refused", "passkey_young"].includes(code)) {
      if (intent.value && code === "passkey_needed") intent.value = { ...intent.value, must_sign: true };
      say(messageOf(thrown));
    } else if (code === "proof_needed") {
      forget();
      phase.value = "prove";
      say(messageOf(thrown));
    } else if (code === "statement_stale" || code === "challenge_over") {
      await repeatOver(digits, setting, again);
    } else if (["bank_session_needed", "handoff_gone", "not_found"].includes(code)) {
      end(messageOf(thrown));
    } else {
      await look(thrown);
    }
  }

  /** The bytes were not the newest. Over the same words the person's PIN still holds; over others it does not. */
  async function repeatOver(digits: string, setting: boolean, again: boolean): Promise<void> {
    try {
      const same = await take(await bank.intent(intentId));
      if (!same) stale();
      else if (again && (phase.value === "confirm" || phase.value === "repeat")) {
        phase.value = setting ? "repeat" : "confirm";
        pin.value = digits;
        await send(false);
      }
    } catch (thrown) {
      await look(thrown);
    }
  }

  /** After an answer that says little, or none at all: what the intent says is what counts. */
  async function look(thrown: unknown): Promise<void> {
    const unanswered = thrown instanceof ApiError && thrown.unanswered;
    say(unanswered ? t(online.value ? "bank.unanswered" : "bank.offline") : messageOf(thrown));
    if (unanswered && !online.value) return;
    const words = error.value;
    try {
      const same = await take(await bank.intent(intentId));
      if (!same) stale();
      else if (live.value) ready();
      if (live.value && same) say(words);
    } catch {
      say(words);
    }
  }

  function press(digit: string): void {
    if (!typing.value || pin.value.length >= PIN_LENGTH) return;
    if (pin.value === "") {
      shaken.value = false;
      if (!changed.value) error.value = "";
    }
    pin.value += digit;
    if (pin.value.length < PIN_LENGTH) return;
    if (phase.value === "confirm") void send();
    else if (phase.value === "current") {
      present = pin.value;
      next("choose");
    } else if (phase.value === "choose") {
      chosen = pin.value;
      next("repeat");
    } else if (pin.value === chosen) void send();
    else {
      chosen = "";
      next("choose");
      say(t("bank.mismatch"), true);
    }
  }

  function next(step: Phase): void {
    pin.value = "";
    phase.value = step;
    say("");
  }

  /** Who they are has been proved in this sheet: now a PIN may be chosen. */
  function proved(): void {
    if (phase.value !== "prove") return;
    if (asked.value === "pin") next("choose");
    else {
      next("confirm");
      asked.value = "pin";
      note.value = t("bank.deviceVerified");
    }
  }

  /** The PIN is forgotten, or was remembered after all. */
  function forgot(): void {
    forget();
    asked.value = "pin";
    next(phase.value === "prove" ? (intent.value?.kind === "change_pin" ? "current" : "confirm") : "prove");
  }

  function back(): void {
    if (typing.value) pin.value = pin.value.slice(0, -1);
  }

  async function cancel(): Promise<void> {
    if (phase.value === "sending") return;
    forget();
    const waiting = intentId !== "" && live.value && phase.value !== "making";
    if (waiting) await bank.cancel(intentId).catch(() => undefined);
    report(phase.value === "over" || phase.value === "failed" ? "failed" : "cancelled");
    if (phase.value !== "done") end(t("bank.over.cancelled"));
  }

  function tick(): void {
    left.value = Math.max(0, Math.ceil((idleUntil - performance.now()) / 1000));
    if (!intent.value || phase.value === "sending") return;
    if (!live.value) return;
    if (left.value === 0) end(t("bank.over.idle"));
    else if (performance.now() >= renewAt && online.value) void renew();
  }
  const timer = setInterval(tick, TICK_MS);
  onScopeDispose(() => {
    clearInterval(timer);
    clearTimeout(leaving);
    deafen();
  });

  return {
    phase, config, intent, statement, facts, documents, amountBefore, changed, error, note, shaken, pin, left, busy, live, typing, mayGoBack,
    asked, outcome, mustSign, maySign, start, press, back, cancel, proved, forgot, signIt, makeIt,
  };
}
