/** The queue of beats: numbered, kept until the server has answered, one request in flight, patient when it fails. */

import { Interposed, Problem, Unreachable } from "../api.ts";
import { backoffMs } from "../backoff.ts";
import { uuid } from "../dom.ts";
import type { StoredSitting, BeatStore } from "./beat-store.ts";
import type { Beat, BeatsAnswer, PlayState } from "./protocol.ts";
import type { Span } from "./spans.ts";

/** Where the record stands. `by`: with which status somebody on the way answered in the platform's place. `halted` means that nothing more is sent until the person does something. */
export type Saving =
  | { kind: "saved" }
  | { kind: "sending"; unsent: number }
  | { kind: "offline"; unsent: number; retryAt: number; by: number | null }
  | { kind: "busy"; unsent: number; retryAt: number }
  | { kind: "halted"; problem: Problem; unsent: number };

interface Hooks {
  send: (beats: Beat[]) => Promise<BeatsAnswer>;
  answered: (answer: BeatsAnswer, askedAt: number) => void;
  /** A batch was refused as a whole and will not be sent again. */
  dropped: (problem: Problem) => void;
  changed: (saving: Saving) => void;
}

const MOST_AT_ONCE = 60;

export class BeatQueue {
  private readonly store: BeatStore;
  private readonly kept: StoredSitting;
  private readonly hooks: Hooks;
  private inFlight = false;
  private failures = 0;
  private timer: number | undefined;
  private halt: Problem | null = null;
  /** Since when each beat waits, by a clock that nobody sets; one kept from before waits since this page was opened. */
  private readonly since = new Map<string, number>();
  private readonly openedAt = performance.now();

  constructor(store: BeatStore, kept: StoredSitting, hooks: Hooks) {
    this.store = store;
    this.kept = kept;
    this.hooks = hooks;
  }

  get unsent(): number {
    return this.kept.unsent.length;
  }

  /** How long the oldest unsent beat has waited, ms. */
  waitedMs(): number {
    const oldest = this.kept.unsent[0];
    if (oldest === undefined) return 0;
    const before = Math.max(0, this.openedAt + performance.timeOrigin - Date.parse(oldest.sent_at));
    const since = this.since.get(oldest.beat_id);
    return since === undefined ? before + performance.now() - this.openedAt : performance.now() - since;
  }

  add(span: Span, state: PlayState, rate: number, interacted: boolean): void {
    if (this.halt !== null) return;
    const id = uuid();
    this.since.set(id, performance.now());
    this.kept.unsent.push({
      beat_id: id,
      seq: this.kept.nextSeq,
      from_ms: span.fromMs,
      to_ms: span.toMs,
      state,
      rate,
      sent_at: new Date().toISOString(),
      interacted,
    });
    this.kept.nextSeq += 1;
    this.store.write(this.kept);
  }

  /** Send now what waits, unless a request is under way or the queue is halted. */
  flush(): void {
    if (this.inFlight || this.halt !== null) return;
    window.clearTimeout(this.timer);
    this.timer = undefined;
    if (this.kept.unsent.length > 0) void this.sendBatch();
  }

  /** The same, unless a failed attempt is waiting for its turn: then it keeps waiting. */
  flushWhenDue(): void {
    if (this.timer === undefined) this.flush();
  }

  /** The network is back: try at once, a little apart from everybody else. */
  retrySoon(): void {
    if (this.halt !== null || this.kept.unsent.length === 0) return;
    this.failures = 0;
    this.wait(Math.random() * 1_500);
  }

  /** The page goes away: hand in what waits without waiting for the answer. Told again next time with the same numbers. */
  leave(send: (beats: Beat[]) => void): void {
    if (this.halt === null && this.kept.unsent.length > 0) send(this.kept.unsent.slice(0, MOST_AT_ONCE));
  }

  stop(problem: Problem): void {
    this.halt = problem;
    window.clearTimeout(this.timer);
    this.hooks.changed({ kind: "halted", problem, unsent: this.unsent });
  }

  private async sendBatch(): Promise<void> {
    const batch = this.kept.unsent.slice(0, MOST_AT_ONCE);
    const askedAt = Date.now();
    this.inFlight = true;
    if (this.failures === 0) this.hooks.changed({ kind: "sending", unsent: this.unsent });
    try {
      const answer = await this.hooks.send(batch);
      this.failures = 0;
      this.remove(batch);
      this.hooks.answered(answer, askedAt);
      if (this.halt === null && this.unsent === 0) this.hooks.changed({ kind: "saved" });
    } catch (error) {
      this.failed(error, batch);
    } finally {
      this.inFlight = false;
    }
    if (this.timer === undefined && this.unsent > 0) this.flush();
  }

  private failed(error: unknown, batch: Beat[]): void {
    // A proxy that says 502 or 503 speaks of the platform; one that forbids or invents speaks of itself.
    if (error instanceof Interposed && error.status >= 500) {
      this.failures += 1;
      const ms = backoffMs(this.failures);
      this.hooks.changed({ kind: "busy", unsent: this.unsent, retryAt: Date.now() + ms });
      this.wait(ms);
    } else if (error instanceof Unreachable) {
      this.failures += 1;
      const ms = backoffMs(this.failures);
      const by = error instanceof Interposed ? error.status : null;
      this.hooks.changed({ kind: "offline", unsent: this.unsent, retryAt: Date.now() + ms, by });
      this.wait(ms);
    } else if (error instanceof Problem && (error.status === 429 || error.status >= 500)) {
      this.failures += 1;
      const ms = backoffMs(this.failures, error.retryAfterMs);
      this.hooks.changed({ kind: "busy", unsent: this.unsent, retryAt: Date.now() + ms });
      this.wait(ms);
    } else if (error instanceof Problem && (error.type === "beat-conflict" || error.status === 422)) {
      this.remove(batch);
      this.hooks.dropped(error);
    } else if (error instanceof Problem) {
      // Signed out: the beats stay for the next sign-in. The lease is lost or the sitting over: the server has them on
      // record as refused, and sending them again would change nothing.
      if (error.status === 409) this.remove(this.kept.unsent.slice());
      this.stop(error);
    } else {
      throw error;
    }
  }

  private remove(batch: Beat[]): void {
    const gone = new Set(batch.map((beat) => beat.beat_id));
    for (const id of gone) this.since.delete(id);
    this.kept.unsent = this.kept.unsent.filter((beat) => !gone.has(beat.beat_id));
    this.store.write(this.kept);
  }

  private wait(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, ms);
  }
}
