/** Which media was really played: positions as the player reports them, joined while they run on, split where they jump. */

export interface Span {
  fromMs: number;
  toMs: number;
}

/** How much further than the clock a position may run before it counts as a jump: players report in steps. */
const SLACK_MS = 750;
/** A step back this small is the player settling, not a seek. */
const SETTLE_MS = 250;
/**
 * Players go on for some frames before they say that they stop, and after they say that they begin: what is this near to where
 * playing stopped, or was sent to, was played. Without the bridge a gap of one millisecond would stay in the record for ever.
 */
const BRIDGE_MS = 500;

/** Collects the positions of one player. All times in ms; `atMs` is a steady clock. */
export class PlayedSpans {
  private open: { fromMs: number; toMs: number; atMs: number } | null = null;
  private done: Span[] = [];
  /** Where playing stopped or was sent to: the next span begins there. */
  private expectedMs: number | null = null;

  /** Playing was at `positionMs` at `atMs`. `rate` is the playback rate. */
  note(positionMs: number, atMs: number, rate = 1): void {
    const at = Math.max(0, Math.round(positionMs));
    const open = this.open;
    if (open === null) {
      const ahead = this.expectedMs === null ? -1 : at - this.expectedMs;
      const fromMs = ahead >= 0 && ahead <= BRIDGE_MS ? at - ahead : at;
      this.open = { fromMs, toMs: at, atMs };
      return;
    }
    const step = at - open.toMs;
    const possible = (atMs - open.atMs) * rate + SLACK_MS;
    if (step < -SETTLE_MS || step > possible) {
      this.close();
      this.open = { fromMs: at, toMs: at, atMs };
      return;
    }
    open.toMs = Math.max(open.toMs, at);
    open.atMs = atMs;
  }

  /** Playing stopped or stalled: what follows is another span. */
  close(): void {
    if (this.open === null) return;
    if (this.open.toMs > this.open.fromMs) this.done.push({ fromMs: this.open.fromMs, toMs: this.open.toMs });
    this.expectedMs = this.open.toMs;
    this.open = null;
  }

  /** Playing is sent elsewhere. */
  jump(toMs: number): void {
    this.close();
    this.expectedMs = Math.round(toMs);
  }

  /** Forget what was not taken yet: it will not count. */
  drop(): void {
    this.open = null;
    this.done = [];
  }

  /** Everything played since the last time, in the order it was played; the open span goes on from its end. */
  take(): Span[] {
    const open = this.open;
    const taken = this.done;
    this.done = [];
    if (open !== null && open.toMs > open.fromMs) {
      taken.push({ fromMs: open.fromMs, toMs: open.toMs });
      open.fromMs = open.toMs;
    }
    return taken;
  }
}
