/**
 * The lesson's line of the statement of hours, as the server last said it. Nothing is reckoned here: every answer brings
 * the line, and where it does not, because a check or a person has just changed what time is worth, it is asked for.
 */

import { make, part, show } from "../dom.ts";
import { amount, words, wordsFor } from "../words/index.ts";
import type { Line } from "./protocol.ts";

const FATES = ["counted", "provisional", "held"] as const;

export class Ledger {
  private readonly root: HTMLElement;
  private readonly reckon: () => Promise<Line>;
  private asking = false;

  /** `reckon` asks the server for the line. It may fail: the next answer will say again that it is to be asked for. */
  constructor(root: HTMLElement, line: Line | null, reckon: () => Promise<Line>) {
    this.root = root;
    this.reckon = reckon;
    this.hear(line);
  }

  /** What an answer said of the line; null means that it has to be asked for. */
  hear(line: Line | null): void {
    if (line === null) this.ask();
    else this.draw(line);
  }

  ask(): void {
    if (this.asking) return;
    this.asking = true;
    this.reckon()
      .then((line) => this.draw(line))
      .catch(() => undefined)
      .finally(() => (this.asking = false));
  }

  private draw(line: Line): void {
    const { root } = this;
    const refusedMs = line.refused.reduce((sum, { ms }) => sum + ms, 0);
    const sums = { counted: line.counted_ms, provisional: line.provisional_ms, held: line.held_ms, refused: refusedMs };
    for (const [name, ms] of Object.entries(sums)) {
      const place = part(root, `ledger-${name}`);
      place.textContent = amount(ms);
      place.dataset.ms = String(ms);
    }
    show(part(root, "ledger-held-row"), line.held_ms > 0);
    part(root, "credited").textContent = amount(line.counted_ms);
    this.drawBar(line);
    const reasons = part(root, "ledger-reasons");
    show(reasons, line.refused.length > 0);
    reasons.replaceChildren(
      ...line.refused.map(({ reason, ms }) => make("li", {}, words.joined(wordsFor(words.reasons, reason), amount(ms)))),
    );
  }

  private drawBar(line: Line): void {
    const bar = part(this.root, "credited-bar");
    const recordedMs = line.counted_ms + line.provisional_ms + line.held_ms;
    bar.setAttribute("aria-valuenow", String(Math.min(recordedMs, line.duration_ms)));
    bar.setAttribute("aria-valuetext", words.recorded(amount(line.counted_ms), amount(recordedMs)));
    for (const name of FATES) {
      const ms = line[`${name}_ms`];
      part(bar, `bar-${name}`).style.width = `${Math.min(100, (ms / Math.max(1, line.duration_ms)) * 100)}%`;
    }
  }
}
