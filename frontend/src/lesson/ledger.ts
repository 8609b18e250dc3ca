/** The live figures of the lesson: what is on record, what still awaits a check, what was refused in this sitting and why. */

import { position } from "../amounts.ts";
import { make, part, show } from "../dom.ts";
import { amount, words, wordsFor } from "../words/index.ts";
import type { Refused } from "./protocol.ts";

/** Watching again what has counted is no loss: it is not shown as one. */
const NO_LOSS = new Set(["already_counted"]);

export class Ledger {
  private readonly root: HTMLElement;
  private readonly durationMs: number;
  private creditedMs = 0;
  private confirmedToMs = 0;
  private readonly refused = new Map<string, number>();

  constructor(root: HTMLElement, durationMs: number, creditedMs: number) {
    this.root = root;
    this.durationMs = Math.max(1, durationMs);
    this.creditedMs = creditedMs;
    this.confirmedToMs = creditedMs;
    this.draw();
  }

  credited(ms: number): void {
    this.creditedMs = ms;
    this.draw();
  }

  /** A check was passed: what was recorded before it is confirmed. */
  confirmed(): void {
    this.confirmedToMs = this.creditedMs;
    this.draw();
  }

  refuse(pieces: Refused[]): void {
    for (const { from_ms, to_ms, reason } of pieces) {
      if (to_ms > from_ms && !NO_LOSS.has(reason)) {
        this.refused.set(reason, (this.refused.get(reason) ?? 0) + to_ms - from_ms);
      }
    }
    this.draw();
  }

  private draw(): void {
    const { root, creditedMs, durationMs } = this;
    part(root, "credited").textContent = position(creditedMs);
    part(root, "ledger-credited").textContent = amount(creditedMs);
    part(root, "ledger-provisional").textContent = amount(Math.max(0, creditedMs - this.confirmedToMs));
    const total = [...this.refused.values()].reduce((sum, ms) => sum + ms, 0);
    part(root, "ledger-refused").textContent = amount(total);
    const bar = part(root, "credited-bar");
    bar.setAttribute("aria-valuenow", String(Math.min(creditedMs, durationMs)));
    bar.setAttribute("aria-valuetext", amount(creditedMs));
    const fill = bar.querySelector<HTMLElement>("span");
    if (fill !== null) fill.style.width = `${Math.min(100, (creditedMs / durationMs) * 100)}%`;
    const reasons = part(root, "ledger-reasons");
    show(reasons, this.refused.size > 0);
    reasons.replaceChildren(
      ...[...this.refused].map(([reason, ms]) => make("li", {}, words.joined(wordsFor(words.reasons, reason), amount(ms)))),
    );
  }
}
