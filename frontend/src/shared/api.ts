import { language, t } from "./i18n";
import { online } from "./online";

const DEFAULT_TIMEOUT_MS = 15_000;
const UPLOAD_TIMEOUT_MS = 120_000;
const GET_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 300;
const OUT_OF_ORDER: readonly number[] = [502, 503, 504];

export interface ErrorBody {
  code: string;
  message: string;
  params?: Record<string, unknown>;
  fields?: Record<string, string>;
}

/** A refusal by the server, or the network's failure, in words that one may show. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly code: string,
    message: string,
    readonly status: number = 0,
    readonly params: Record<string, unknown> = {},
    readonly fields: Record<string, string> = {},
  ) {
    super(message);
  }

  /** No answer came, or the server says that it does not know: it may or may not have been done. */
  get unanswered(): boolean {
    return this.status === 0 || this.code === "outcome_unknown";
  }

  /** The server, or the way to it, is out of order for a while; the same may be asked again. */
  get passing(): boolean {
    return this.unanswered || OUT_OF_ORDER.includes(this.status);
  }

  /** The first message about one field of a form. */
  field(name: string): string | null {
    return this.fields[name] ?? null;
  }
}

export type QueryValue = string | number | boolean | null | undefined;

export interface CallOptions {
  query?: Record<string, QueryValue>;
  signal?: AbortSignal;
  /** Makes a repeat of a write harmless; keep it for the retry of the same tap. */
  idempotencyKey?: string;
  timeoutMs?: number;
}

type SignedOut = () => void;
const signedOut = new Set<SignedOut>();

/** Called when the server no longer knows the session. */
export function onSignedOut(handler: SignedOut): () => void {
  signedOut.add(handler);
  return () => signedOut.delete(handler);
}

function address(path: string, query: CallOptions["query"]): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  const tail = search.toString();
  return tail ? `${path}?${tail}` : path;
}

function isErrorBody(value: unknown): value is { error: ErrorBody } {
  if (typeof value !== "object" || value === null || !("error" in value)) return false;
  const error = value.error;
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  if (isErrorBody(body)) {
    const { code, message, params, fields } = body.error;
    // The line does not break between the sign and the figure.
    return new ApiError(code, message.replaceAll("¥ ", "¥\u00a0"), response.status, params, fields);
  }
  const known: Record<number, string> = { 401: "signedOut", 403: "notAllowed", 404: "notFound", 413: "tooLarge", 429: "tooMany" };
  const key = known[response.status] ?? (response.status >= 500 ? "server" : "refused");
  return new ApiError(`http_${response.status}`, t(`errors.${key}`), response.status);
}

async function once<T>(method: string, path: string, body: unknown, options: CallOptions): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": language.value };
  if (options.idempotencyKey) headers["Idempotency-Key"] = options.idempotencyKey;
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const timeout = AbortSignal.timeout(options.timeoutMs ?? (form ? UPLOAD_TIMEOUT_MS : DEFAULT_TIMEOUT_MS));
  let response: Response;
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (timeout.aborted) throw new ApiError("timeout", t("errors.timeout"));
    throw new ApiError(online.value ? "unreachable" : "offline", t(online.value ? "errors.unreachable" : "errors.offline"));
  }
  if (!response.ok) {
    const error = await refusal(response);
    if (response.status === 401) for (const handler of signedOut) handler();
    throw error;
  }
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** Reading again is harmless, so a read is tried again; a write only by a person or with its key. */
async function read<T>(path: string, options: CallOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once<T>("GET", path, undefined, options);
    } catch (error) {
      const passing = error instanceof ApiError && (error.code === "unreachable" || OUT_OF_ORDER.includes(error.status));
      if (!passing || attempt === GET_ATTEMPTS) throw error;
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), options.signal);
    }
  }
}

export const api = {
  get: <T>(path: string, options: CallOptions = {}) => read<T>(path, options),
  post: <T>(path: string, body: unknown = {}, options: CallOptions = {}) => once<T>("POST", path, body, options),
  put: <T>(path: string, body: unknown = {}, options: CallOptions = {}) => once<T>("PUT", path, body, options),
  patch: <T>(path: string, body: unknown = {}, options: CallOptions = {}) => once<T>("PATCH", path, body, options),
  delete: <T = undefined>(path: string, options: CallOptions = {}, body?: unknown) => once<T>("DELETE", path, body, options),
  /** A multipart form: pictures. */
  upload: <T>(path: string, form: FormData, options: CallOptions = {}) => once<T>("POST", path, form, options),
};

/** One page of a list; `next` is the cursor for `before`, or null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Words for whatever was thrown: what one field lacks says more than that something does. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return t("errors.unknown");
  return Object.values(error.fields)[0] ?? error.message;
}
