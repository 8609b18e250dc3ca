/** Sending a large file piece by piece: it goes on where it stopped, after a dead network, a pause or another day. */

import { call, Problem, Unreachable } from "../api.ts";
import { backoffMs } from "../backoff.ts";
import { pause } from "../pause.ts";

interface Begun {
  upload_id: string;
  offset: number;
  chunk_bytes: number;
}

interface Hooks {
  /** `bytesPerSecond` is measured over the last pieces; 0 when not known yet. */
  progress: (sent: number, bytesPerSecond: number) => void;
  waiting: (seconds: number) => void;
  checking: () => void;
}

/** Stopped by the person; it can be gone on with. */
export class Paused extends Error {}

const PIECE_TIMEOUT_MS = 120_000;
const FINISH_TIMEOUT_MS = 600_000;
const REMEMBERED = "xueji.upload.";

export class Transfer {
  private readonly url: string;
  private readonly file: File;
  private readonly lessonId: string;
  private readonly hooks: Hooks;
  private stopped = false;
  private failures = 0;
  private speed = 0;

  constructor(uploadsUrl: string, file: File, lessonId: string, hooks: Hooks) {
    this.url = uploadsUrl;
    this.file = file;
    this.lessonId = lessonId;
    this.hooks = hooks;
  }

  /** The id of the film that the file becomes. Throws Paused, and Problem when the server will not have it. */
  async run(): Promise<string> {
    this.stopped = false;
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
    if (id !== null) await call(`${this.url}/${id}`, { method: "DELETE" }).catch(() => undefined);
  }

  /** Go on with the upload of the same file for the same lesson, or begin a new one. */
  private async begin(): Promise<Begun> {
    const id = this.remembered();
    if (id !== null) {
      try {
        const known = await call<Begun & { size: number; film_id: string | null }>(`${this.url}/${id}`);
        if (known.size === this.file.size && known.film_id === null) return known;
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 404) throw error;
      }
    }
    const begun = await call<Begun>(this.url, {
      method: "POST",
      json: { name: this.file.name, size: this.file.size, lesson_id: this.lessonId },
    });
    window.localStorage?.setItem(this.key, begun.upload_id);
    return begun;
  }

  /** The offset after one more piece; where the server stands, when it disagrees. */
  private async sendPiece(begun: Begun, offset: number): Promise<number> {
    const startedAt = performance.now();
    const piece = this.file.slice(offset, offset + begun.chunk_bytes);
    try {
      const answer = await call<{ offset: number }>(`${this.url}/${begun.upload_id}`, {
        method: "PATCH",
        body: piece,
        headers: { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" },
        timeoutMs: PIECE_TIMEOUT_MS,
      });
      const measured = piece.size / Math.max(0.001, (performance.now() - startedAt) / 1000);
      this.speed = this.speed === 0 ? measured : this.speed * 0.7 + measured * 0.3;
      return answer.offset;
    } catch (error) {
      if (!(error instanceof Problem) || error.type !== "upload-offset") throw error;
      const where = await call<{ offset: number }>(`${this.url}/${begun.upload_id}`);
      return where.offset;
    }
  }

  /** Do it until it is done: a dead network and a busy server pass, a refusal stays. */
  private async patiently<Result>(step: () => Promise<Result>): Promise<Result> {
    for (;;) {
      if (this.stopped) throw new Paused();
      try {
        const result = await step();
        this.failures = 0;
        return result;
      } catch (error) {
        const passing = error instanceof Unreachable || (error instanceof Problem && (error.status >= 500 || error.status === 429));
        if (!passing) throw error;
        this.failures += 1;
        await this.wait(backoffMs(this.failures, error instanceof Problem ? error.retryAfterMs : null));
      }
    }
  }

  private async wait(ms: number): Promise<void> {
    for (let left = Math.ceil(ms / 1000); left > 0 && !this.stopped; left -= 1) {
      this.hooks.waiting(left);
      await pause(1_000);
    }
  }

  private get key(): string {
    return `${REMEMBERED}${this.lessonId}.${this.file.name}.${this.file.size}.${this.file.lastModified}`;
  }

  private remembered(): string | null {
    return window.localStorage?.getItem(this.key) ?? null;
  }

  private forget(): void {
    window.localStorage?.removeItem(this.key);
  }
}
