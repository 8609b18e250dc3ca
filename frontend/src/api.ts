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

/**
 * Somebody between here and the platform answered: a proxy, a firewall, a page to sign in to the network. What it says is
 * not the platform's word, so it is as good as no answer; `status` is for who has to put it right.
 */
export class Interposed extends Unreachable {
  readonly status: number;

  constructor(status: number) {
    super(`answered by somebody else with ${status}`);
    this.status = status;
  }
}

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
  const said = parsed(response, text);
  if (!response.ok) throw new Problem(response.status, said as ProblemBody, retryAfterMs(response.headers.get("Retry-After")));
  return said as Answer;
}

/** What the platform said. It refuses in one form and answers in JSON or not at all; anything else is not from it. */
function parsed(response: Response, text: string): unknown {
  const type = response.headers.get("Content-Type") ?? "";
  if (response.ok && text === "") return null;
  if (!type.includes("json")) throw new Interposed(response.status);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Interposed(response.status);
  }
  if (!response.ok && typeof (body as ProblemBody | null)?.type !== "string") throw new Interposed(response.status);
  return body;
}

/** `Retry-After` in seconds; its date form is not sent by our server. */
function retryAfterMs(value: string | null): number | null {
  const seconds = value === null ? Number.NaN : Number(value);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
