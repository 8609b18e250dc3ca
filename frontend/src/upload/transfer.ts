/** Sending a large file piece by piece: it goes on where it stopped, after a dead network, a pause or another day. */

import { call, Interposed, Problem, Unreachable } from "../api.ts";
import { backoffMs } from "../backoff.ts";
import { pause } from "../pause.ts";

interface Begun {
  upload_id: string;
  offset: number;
  chunk_bytes: number;
}

/** An upload as the server knows it. */
interface Known extends Begun {
  name: string;
  size: number;
  lesson_id: string | null;
  film_id: string | null;
  /** The last piece that arrived: what the file has to hold at that place, if it is the same one. */
  last_piece: { start: number; size: number; sha256: string } | null;
}

interface Hooks {
  /** `bytesPerSecond` is measured over the last pieces; 0 when not known yet. */
  progress: (sent: number, bytesPerSecond: number) => void;
  /**
   * `by`: with which status somebody on the way answered in the platform's place; null when nobody did. `busy`: the
   * platform itself asks to wait.
   */
  waiting: (seconds: number, by: number | null, busy: boolean) => void;
  checking: () => void;
}

/** Stopped by the person; it can be gone on with. */
export class Paused extends Error {}

/** The file is not on the disk any more as it was when it was chosen. */
export class FileChanged extends Error {}

/** The network forbids what an upload needs, in every way we know. */
export class Forbidden extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the network forbids uploads: ${status}`);
    this.status = status;
  }
}

const PIECE_TIMEOUT_MS = 120_000;
const FINISH_TIMEOUT_MS = 600_000;
const REMEMBERED = "xueji.upload.";
/** What proxies say that know no PATCH or DELETE. */
const NO_METHOD = [400, 403, 404, 405, 501];
/** So often may the same be forbidden before it is told as final: a firewall does not change its mind. */
const MOST_FORBIDDEN = 3;

export class Transfer {
  private readonly url: string;
  private readonly file: File;
  private readonly lessonId: string;
  private readonly hooks: Hooks;
  private stopped = false;
  private failures = 0;
  private forbidden = 0;
  private speed = 0;
  /** A proxy on the way knows only GET and POST: others travel as POST and say so in a header. */
  private onlyPost = false;
  /** Where the browser's storage is full or forbidden. */
  private id: string | null = null;

  constructor(uploadsUrl: string, file: File, lessonId: string, hooks: Hooks) {
    this.url = uploadsUrl;
    this.file = file;
    this.lessonId = lessonId;
    this.hooks = hooks;
  }

  /**
   * The id of the film that the file becomes. Throws Paused, FileChanged, Forbidden, and Problem when the server will not
   * have it.
   */
  async run(): Promise<string> {
    this.stopped = false;
    this.forbidden = 0;
    const begun = await this.patiently(() => this.begin());
    let { offset } = begun;
    while (offset < this.file.size) {
      this.hooks.progress(offset, this.speed);
      offset = await this.patiently(() => this.sendPiece(begun, offset));
    }
    this.hooks.progress(offset, this.speed);
    this.hooks.checking();
    const done = await this.patiently(() =>
      call<{ film_id: string }>(`${this.url}/${begun.upload_id}/finish`, { method: "POST", timeoutMs: FINISH_TIMEOUT_MS }),
    );
    this.forget();
    return done.film_id;
  }

  pause(): void {
    this.stopped = true;
  }

  /** Give the upload up, here and on the server. */
  async discard(): Promise<void> {
    this.stopped = true;
    const id = this.remembered();
    this.forget();
    if (id !== null) await this.send(`${this.url}/${id}`, "DELETE").catch(() => undefined);
  }

  /** Go on with the upload of the same file for the same lesson, or begin a new one. */
  private async begin(): Promise<Begun> {
    const id = this.remembered();
    if (id !== null) {
      try {
        const known = await call<Known>(`${this.url}/${id}`);
        if (known.film_id === null && (await this.isOf(known))) return known;
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 404) throw error;
      }
    }
    const left = await this.leftBehind();
    if (left !== null) return this.remember(left);
    const begun = await call<Begun>(this.url, {
      method: "POST",
      json: { name: this.file.name, size: this.file.size, lesson_id: this.lessonId },
    });
    return this.remember(begun);
  }

  /** An upload of this file for this lesson that a lost tab or another choice of the same file left unfinished. */
  private async leftBehind(): Promise<Begun | null> {
    const { uploads } = await call<{ uploads: Known[] }>(this.url);
    for (const known of uploads) {
      const alike = known.lesson_id === this.lessonId && known.name === this.file.name && known.offset > 0;
      if (alike && (await this.isOf(known))) return known;
    }
    return null;
  }

  /** Whether what has arrived is of this very file, as far as the last piece that arrived can tell. */
  private async isOf(known: Known): Promise<boolean> {
    if (known.size !== this.file.size) return false;
    if (known.last_piece === null) return true;
    if (crypto.subtle === undefined) return false;
    const { start, size, sha256 } = known.last_piece;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await this.bytes(start, start + size)));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
  }

  /** A part of the file. A browser that cannot read it any more says so here, and not as a dead network. */
  private async bytes(from: number, to: number): Promise<ArrayBuffer> {
    try {
      return await this.file.slice(from, to).arrayBuffer();
    } catch {
      throw new FileChanged();
    }
  }

  /** The offset after one more piece; where the server stands, when it disagrees. */
  private async sendPiece(begun: Begun, offset: number): Promise<number> {
    const piece = await this.bytes(offset, Math.min(this.file.size, offset + begun.chunk_bytes));
    const startedAt = performance.now();
    try {
      const answer = await this.send<{ offset: number }>(`${this.url}/${begun.upload_id}`, "PATCH", piece, {
        "Upload-Offset": String(offset),
        "Content-Type": "application/octet-stream",
      });
      const measured = piece.byteLength / Math.max(0.001, (performance.now() - startedAt) / 1000);
      this.speed = this.speed === 0 ? measured : this.speed * 0.7 + measured * 0.3;
      return answer.offset;
    } catch (error) {
      if (!(error instanceof Problem) || error.type !== "upload-offset") throw error;
      const where = await call<{ offset: number }>(`${this.url}/${begun.upload_id}`);
      return where.offset;
    }
  }

  /** One request by a method that some proxies do not know. */
  private async send<Answer>(
    url: string,
    method: "PATCH" | "DELETE",
    body: ArrayBuffer | null = null,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const options = { timeoutMs: PIECE_TIMEOUT_MS, ...(body === null ? {} : { body }) };
    if (!this.onlyPost) {
      try {
        return await call<Answer>(url, { ...options, method, headers });
      } catch (error) {
        if (!(error instanceof Interposed) || !NO_METHOD.includes(error.status)) throw error;
      }
    }
    const answer = await call<Answer>(url, { ...options, method: "POST", headers: { ...headers, "X-HTTP-Method-Override": method } });
    this.onlyPost = true;
    return answer;
  }

  /** Do it until it is done: a dead network and a busy server pass, a refusal stays. */
  private async patiently<Result>(step: () => Promise<Result>): Promise<Result> {
    for (;;) {
      if (this.stopped) throw new Paused();
      try {
        const result = await step();
        this.failures = 0;
        this.forbidden = 0;
        return result;
      } catch (error) {
        const passing = error instanceof Unreachable || (error instanceof Problem && (error.status >= 500 || error.status === 429));
        if (!passing) throw error;
        const by = error instanceof Interposed ? error.status : null;
        if (by !== null && by >= 400 && by < 500 && by !== 429) this.forbidden += 1;
        if (by !== null && this.forbidden >= MOST_FORBIDDEN) throw new Forbidden(by);
        this.failures += 1;
        const asked = error instanceof Problem ? error.retryAfterMs : null;
        await this.wait(backoffMs(this.failures, asked), by, error instanceof Problem);
      }
    }
  }

  private async wait(ms: number, by: number | null, busy: boolean): Promise<void> {
    for (let left = Math.ceil(ms / 1000); left > 0 && !this.stopped; left -= 1) {
      this.hooks.waiting(left, by, busy);
      await pause(1_000);
    }
  }

  private get key(): string {
    return `${REMEMBERED}${this.lessonId}.${this.file.name}.${this.file.size}.${this.file.lastModified}`;
  }

  private remember<Of extends Begun>(begun: Of): Of {
    this.id = begun.upload_id;
    try {
      window.localStorage.setItem(this.key, begun.upload_id);
    } catch {
      // Full, or forbidden: this page remembers it, and the server lists it.
    }
    return begun;
  }

  private remembered(): string | null {
    try {
      return this.id ?? window.localStorage.getItem(this.key);
    } catch {
      return this.id;
    }
  }

  private forget(): void {
    this.id = null;
    try {
      window.localStorage.removeItem(this.key);
    } catch {
      // Nothing was kept there.
    }
  }
}
