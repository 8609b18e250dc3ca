/** JSON over HTTP with the platform: one place for the anti-forgery token, problem+json and the server's clock. */

import { serverClock } from "./clock.ts";

/** A refusal by the server (RFC 9457). `type` is the stable slug to decide by; `title` and `detail` are for people. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterMs: number | null;
  /** Everything else that the answer says. */
  readonly extra: Record<string, unknown>;

  constructor(status: number, body: ProblemBody, retryAfterMs: number | null) {
    super(`${status} ${body.type ?? ""}`);
    this.status = status;
    this.type = body.type ?? "about:blank";
    this.title = body.title ?? "";
    this.detail = body.detail ?? "";
    this.retryAfterMs = retryAfterMs;
    this.extra = { ...body };
  }
}

interface ProblemBody {
  type?: string;
  title?: string;
  detail?: string;
  [name: string]: unknown;
}

/** No answer came: no network, the server is gone, or it took too long. */
export class Unreachable extends Error {}

interface Options {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  timeoutMs?: number;
  keepalive?: boolean;
}

const DEFAULT_TIMEOUT_MS = 15_000;

function token(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

/** The parsed JSON answer, or null for an empty one. Throws Problem or Unreachable. */
export async function call<Answer>(url: string, options: Options = {}): Promise<Answer> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  const method = options.method ?? "GET";
  if (method !== "GET") headers["X-CSRFToken"] = token();
  if (options.json !== undefined) headers["Content-Type"] = "application/json";
  const body = options.json === undefined ? (options.body ?? null) : JSON.stringify(options.json);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const askedAt = Date.now();
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers,
      body,
      credentials: "same-origin",
      cache: "no-store",
      keepalive: options.keepalive ?? false,
      signal: abort.signal,
    });
    text = await response.text();
  } catch (error) {
    throw new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
  }
  serverClock.noteDate(response.headers.get("Date"), askedAt, Date.now());
  if (!response.ok) throw problemOf(response, text);
  return (text === "" ? null : JSON.parse(text)) as Answer;
}

function problemOf(response: Response, text: string): Problem {
  let body: ProblemBody = {};
  try {
    body = JSON.parse(text) as ProblemBody;
  } catch {
    // A proxy answers in HTML: the status alone has to do.
  }
  return new Problem(response.status, body, retryAfterMs(response.headers.get("Retry-After")));
}

/** `Retry-After` in seconds; its date form is not sent by our server. */
function retryAfterMs(value: string | null): number | null {
  const seconds = value === null ? Number.NaN : Number(value);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
