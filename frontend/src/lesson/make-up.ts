/**
 * Making up as a mode: plays exactly the stretches that are held, one after the other, asks for the check before and after by
 * itself, and says in the end what was won back. What counts is decided by the server alone, as in any study.
 */

import type { Line, Range } from "./protocol.ts";
import { common, covers, from, total } from "./ranges.ts";
import type { Span } from "./spans.ts";

export interface WonBack {
  /** ms that count now and did not when making up began. */
  wonMs: number;
  /** ms that wait for whoever vouches for her. */
  waitingMs: number;
  /** ms that are still to be made up. */
  leftMs: number;
}

interface Hooks {
  /** The line as it is now. Throws when it cannot be had. */
  line: () => Promise<Line>;
  /** Have a check asked for, unless one stands open; false on the route without a camera. Throws when refused. */
  check: () => Promise<boolean>;
  /** Go to this place and play. */
  playFrom: (ms: number) => void;
  pause: () => void;
  /** Everything played so far is on the server's record. */
  recorded: () => Promise<void>;
  /** How much is still to be played, ms. */
  left: (ms: number) => void;
  /** A check on the way did not pass: nothing more is played until another has. */
  stopped: () => void;
  done: (won: WonBack) => void;
  failed: (error: unknown) => void;
}

type Phase = "off" | "before" | "playing" | "after";

/** What is shorter than this is not worth another round: a player's steps are longer. */
const CRUMB_MS = 400;
const MOST_ROUNDS = 3;
/** A player is never quite where it was sent. */
const SETTLE_MS = 300;

export class MakeUp {
  private readonly hooks: Hooks;
  private phase: Phase = "off";
  /** What was to be made up when this began. */
  private wanted: Range[] = [];
  private todo: Range[] = [];
  private rounds = 0;

  constructor(hooks: Hooks) {
    this.hooks = hooks;
  }

  get active(): boolean {
    return this.phase !== "off";
  }

  start(): void {
    void this.attempt(async () => {
      const line = await this.hooks.line();
      if (!this.active) this.wanted = line.make_up;
      this.rounds = 0;
      this.phase = "before";
      this.hooks.left(total(line.make_up));
      // After a check that failed nothing counts before another: it is asked for first, not after the next beat.
      if ((line.ahead === "held" || line.ahead === "refused") && (await this.hooks.check())) return;
      this.playAll(line.make_up);
    });
  }

  leave(): void {
    this.phase = "off";
  }

  /** A check was decided and its dialog is gone. */
  checked(passed: boolean): void {
    if (!this.active) return;
    void this.attempt(async () => {
      const line = await this.hooks.line();
      if (this.phase === "after") this.finish(line);
      else if (passed) this.playAll(line.make_up);
      else this.hooks.stopped();
    });
  }

  /** Where the film is. */
  at(ms: number): void {
    if (this.phase !== "playing") return;
    const [now] = this.todo;
    if (now === undefined) return;
    const [first, last] = now;
    if (ms >= last) this.next(ms);
    else if (ms < first - SETTLE_MS) this.hooks.playFrom(first);
    else this.hooks.left(total(from(this.todo, ms)));
  }

  /** Of what was played, that which is to be made up: a player's last step may go beyond. */
  only(spans: readonly Span[]): Span[] {
    if (!this.active) return [...spans];
    const played: Range[] = spans.map(({ fromMs, toMs }) => [fromMs, toMs]);
    return played.flatMap((span) => common([span], this.wanted)).map(([fromMs, toMs]) => ({ fromMs, toMs }));
  }

  private playAll(ranges: readonly Range[]): void {
    this.todo = [...ranges];
    this.phase = "playing";
    const [first] = this.todo;
    if (first === undefined) void this.attempt(() => this.askAfter());
    else this.hooks.playFrom(first[0]);
  }

  private next(ms: number): void {
    const passed = this.todo[0];
    this.todo = this.todo.slice(1);
    const [following] = this.todo;
    if (following === undefined) void this.attempt(() => this.askAfter());
    else if (passed !== undefined && !covers([following], ms)) this.hooks.playFrom(following[0]);
  }

  private async askAfter(): Promise<void> {
    this.phase = "after";
    this.hooks.pause();
    this.hooks.left(0);
    await this.hooks.recorded();
    const line = await this.hooks.line();
    this.rounds += 1;
    if (total(line.make_up) > CRUMB_MS && this.rounds < MOST_ROUNDS && line.ahead !== "held") {
      this.playAll(line.make_up);
    } else if (total(common(this.wanted, line.stretches.provisional)) === 0 || !(await this.hooks.check())) {
      // Confirmed already by a check on the way, or by whoever vouches for her later.
      this.finish(line);
    }
  }

  private finish(line: Line): void {
    this.phase = "off";
    this.hooks.done({
      wonMs: total(common(this.wanted, line.stretches.counted)),
      waitingMs: total(common(this.wanted, line.stretches.provisional)),
      leftMs: total(line.make_up),
    });
  }

  private async attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.phase = "off";
      this.hooks.failed(error);
    }
  }
}
