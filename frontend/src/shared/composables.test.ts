import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import { ApiError } from "./api";
import { toasts } from "./feedback";
import { useAction } from "./useAction";
import { useLoad } from "./useLoad";
import { useNow } from "./useNow";

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe("what a view loads", () => {
  it("comes at once, and again for another id, without the old answer in between", async () => {
    const id = ref("a");
    const answers: Record<string, (text: string) => void> = {};
    const scope = effectScope();
    const load = scope.run(() => useLoad(() => new Promise<string>((resolve) => (answers[id.value] = resolve)), () => id.value));
    expect(load?.loading.value).toBe(true);
    id.value = "b";
    await nextTick();
    answers["a"]?.("old");
    answers["b"]?.("new");
    await settle();
    expect([load?.data.value, load?.loading.value]).toEqual(["new", false]);
    scope.stop();
  });

  it("keeps what it shows while it reloads, and gives the reason of a failure", async () => {
    let broken = false;
    const scope = effectScope();
    const load = scope.run(() => useLoad(() => (broken ? Promise.reject(new ApiError("x", "没有")) : Promise.resolve("one"))));
    await settle();
    broken = true;
    await load?.reload();
    expect(load?.data.value).toBe("one");
    expect(load?.error.value).toBeInstanceOf(ApiError);
    scope.stop();
  });

  it("stops its call when the view goes", () => {
    let heard: AbortSignal | undefined;
    const scope = effectScope();
    scope.run(() => useLoad((signal) => {
      heard = signal;
      return new Promise(() => undefined);
    }));
    scope.stop();
    expect(heard?.aborted).toBe(true);
  });
});

describe("what a tap does", () => {
  it("happens once for two taps", async () => {
    const act = vi.fn(async () => {
      await settle();
      return 1;
    });
    const { run, busy } = useAction(act);
    const results = await Promise.all([run(), run()]);
    expect(results).toEqual([1, undefined]);
    expect(act).toHaveBeenCalledTimes(1);
    expect(busy.value).toBe(false);
    expect(await run()).toBe(1);
  });

  it("says its failure and can be done again", async () => {
    const { run, error } = useAction(() => Promise.reject(new ApiError("x", "余额不足")));
    expect(await run()).toBeUndefined();
    expect(toasts.value.at(-1)).toMatchObject({ text: "余额不足", tone: "bad" });
    expect(error.value).toBeInstanceOf(ApiError);
    expect(await run()).toBeUndefined();
  });
});

describe("the time", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("moves on until the view goes", () => {
    const scope = effectScope();
    const now = scope.run(() => useNow(1000));
    const start = now?.value ?? 0;
    vi.advanceTimersByTime(3000);
    expect((now?.value ?? 0) - start).toBe(3000);
    scope.stop();
    vi.advanceTimersByTime(3000);
    expect((now?.value ?? 0) - start).toBe(3000);
  });
});
