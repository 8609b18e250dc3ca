/** Which media was really played: positions as the player reports them, joined while they run on, split where they jump. */

export interface Span {
  fromMs: number;
  toMs: number;
}

/** How much further than the clock a position may run before it counts as a jump: players report in steps. */
const SLACK_MS = 750;
/** A step back this small is the player settling, not a seek. */
const SETTLE_MS = 250;

/** Collects the positions of one player. All times in ms; `atMs` is a steady clock. */
export class PlayedSpans {
  private open: { fromMs: number; toMs: number; atMs: number } | null = null;
  private done: Span[] = [];

  /** Playing was at `positionMs` at `atMs`. `rate` is the playback rate. */
  note(positionMs: number, atMs: number, rate = 1): void {
    const at = Math.max(0, Math.round(positionMs));
    const open = this.open;
    if (open === null) {
      this.open = { fromMs: at, toMs: at, atMs };
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

  /** Playing stopped, stalled or jumps: what follows is another span. */
  close(): void {
    if (this.open !== null && this.open.toMs > this.open.fromMs) {
      this.done.push({ fromMs: this.open.fromMs, toMs: this.open.toMs });
    }
    this.open = null;
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

  /** Where the open span began: what of it has not been taken yet starts here. */
  pendingFrom(): number | null {
    return this.done[0]?.fromMs ?? this.open?.fromMs ?? null;
  }
}
