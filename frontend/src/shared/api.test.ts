import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, ApiError, messageOf, onSignedOut } from "./api";
import { useLanguage } from "./i18n";

const answers: (Response | Error)[] = [];
const calls: { url: string; init: RequestInit }[] = [];

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

beforeEach(() => {
  answers.length = 0;
  calls.length = 0;
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    calls.push({ url, init });
    if (init.signal?.aborted) return Promise.reject(init.signal.reason as Error);
    const answer = answers.shift();
    if (!answer) throw new Error("no answer was prepared");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
});
afterEach(() => vi.unstubAllGlobals());

const header = (index: number, name: string) => new Headers(calls[index]?.init.headers).get(name);

async function refused(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(() => null, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe("a call", () => {
  it("sends JSON in the reader's language and leaves out empty parts of the query", async () => {
    await useLanguage("en");
    answers.push(json({ ok: true }), json({}));
    await api.post("/api/x", { fen: 1 }, { idempotencyKey: "k" });
    await api.get("/api/x", { query: { limit: 20, before: null, q: "苏 禾" } });
    expect(header(0, "Accept-Language")).toBe("en");
    expect(header(0, "Idempotency-Key")).toBe("k");
    expect(calls[0]?.init.body).toBe('{"fen":1}');
    expect(calls[1]?.url).toBe("/api/x?limit=20&q=%E8%8B%8F+%E7%A6%BE");
    expect(header(1, "Idempotency-Key")).toBeNull();
  });

  it("gives the server's own words, code, parameters and fields when refused", async () => {
    answers.push(json({ error: { code: "insufficient_funds", message: "余额不足", params: { available_fen: 5 }, fields: { amount_fen: "太大" } } }, 422));
    const error = await refused(api.post("/api/x"));
    expect([error.code, error.message, error.status]).toEqual(["insufficient_funds", "余额不足", 422]);
    expect(error.params).toEqual({ available_fen: 5 });
    expect(error.field("amount_fen")).toBe("太大");
    expect(error.field("note")).toBeNull();
    expect(error.unanswered).toBe(false);
  });

  it("has words of its own for an answer without an envelope", async () => {
    answers.push(new Response("<h1>Bad</h1>", { status: 413 }));
    expect((await refused(api.post("/api/x"))).message).toBe("文件太大,没有上传");
  });

  it("reads again after a broken connection, at most three times", async () => {
    answers.push(new TypeError("net"), new Response("", { status: 503 }), json({ fine: 1 }));
    expect(await api.get("/api/x")).toEqual({ fine: 1 });
    answers.push(new TypeError("net"), new TypeError("net"), new TypeError("net"));
    expect((await refused(api.get("/api/x"))).code).toBe("unreachable");
    expect(calls).toHaveLength(6);
  });

  it("never repeats a write by itself", async () => {
    answers.push(new TypeError("net"));
    const error = await refused(api.post("/api/x"));
    expect(error.unanswered).toBe(true);
    expect(calls).toHaveLength(1);
  });

  it.each([
    ["unavailable", 503, false, true],
    ["contended", 503, false, true],
    ["outcome_unknown", 503, true, true],
    ["insufficient_funds", 422, false, false],
  ])("knows of %s whether it may have been done, and whether it passes", async (code, status, unanswered, passing) => {
    answers.push(json({ error: { code, message: "没有完成" } }, status));
    const error = await refused(api.post("/api/x"));
    expect([error.unanswered, error.passing, error.message]).toEqual([unanswered, passing, "没有完成"]);
    expect(calls).toHaveLength(1);
  });

  it("does not ask again after a clear refusal", async () => {
    answers.push(json({ error: { code: "not_found", message: "没有找到" } }, 404));
    await refused(api.get("/api/x"));
    expect(calls).toHaveLength(1);
  });

  it("tells when the session is gone", async () => {
    const heard = vi.fn();
    const stop = onSignedOut(heard);
    answers.push(json({ error: { code: "sign_in_needed", message: "请登录" } }, 401));
    await refused(api.get("/api/x"));
    stop();
    answers.push(json({ error: { code: "sign_in_needed", message: "请登录" } }, 401));
    await refused(api.get("/api/x"));
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it("stops with the caller's signal and says nothing of its own", async () => {
    const stop = new AbortController();
    stop.abort();
    answers.push(json({}));
    await expect(api.get("/api/x", { signal: stop.signal })).rejects.not.toBeInstanceOf(ApiError);
  });
});

it("has words for whatever was thrown", () => {
  expect(messageOf(new ApiError("x", "没有完成"))).toBe("没有完成");
  expect(messageOf(new ApiError("invalid", "没有更改", 400, {}, { at: "请选择过去的时间。" }))).toBe("请选择过去的时间。");
  expect(messageOf(new TypeError("undefined is not a function"))).toBe("出了点问题,请再试一次");
});
