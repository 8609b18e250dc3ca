/**
 * The lesson's line of the statement of hours, as the server last said it. Nothing is reckoned here: every answer brings
 * the line, and where it does not, because a check or a person has just changed what time is worth, it is asked for.
 */

import { make, part, show } from "../dom.ts";
import { amount, words, wordsFor } from "../words/index.ts";
import { type Did, FATES, type Line, type Reckoned } from "./protocol.ts";

const SHOWN = [...FATES, "unseen"] as const;

export class Ledger {
  private readonly root: HTMLElement;
  private readonly reckon: (checkId: string | null) => Promise<Reckoned>;
  private readonly drawn: (line: Line) => void;
  private asking: Promise<Reckoned> | null = null;
  private last: Line | null = null;

  /**
   * `reckon` asks the server for the line, and for what a check did. It may fail: the next answer will say again that it is
   * to be asked for. `drawn` hears of every line.
   */
  constructor(
    root: HTMLElement,
    line: Line | null,
    reckon: (checkId: string | null) => Promise<Reckoned>,
    drawn: (line: Line) => void,
  ) {
    this.root = root;
    this.reckon = reckon;
    this.drawn = drawn;
    this.hear(line);
  }

  /** The line as it was told last; null while it is asked for the first time. */
  get line(): Line | null {
    return this.last;
  }

  /** What an answer said of the line; null means that it has to be asked for. */
  hear(line: Line | null): void {
    if (line === null) this.ask().catch(() => undefined);
    else this.draw(line);
  }

  /** The line as it is now. Throws Problem or Unreachable. */
  async ask(): Promise<Line> {
    this.asking ??= this.reckon(null).finally(() => (this.asking = null));
    const line = await this.asking;
    this.draw(line);
    return line;
  }

  /** The same, and what this check did to her hours; null when it has no verdict. Throws Problem or Unreachable. */
  async askAbout(checkId: string): Promise<Did | null> {
    const line = await this.reckon(checkId);
    this.draw(line);
    return line.check;
  }

  private draw(line: Line): void {
    this.last = line;
    const { root } = this;
    for (const name of SHOWN) {
      const place = part(root, `ledger-${name}`);
      place.textContent = amount(line.shown[name] * 1000);
      place.dataset.seconds = String(line.shown[name]);
    }
    for (const name of ["counted", "provisional", "held"] as const) {
      part(root, `ledger-${name}`).dataset.ms = String(line[`${name}_ms`]);
    }
    part(root, "credited").textContent = amount(line.shown.counted * 1000);
    show(part(root, "ledger-awaited"), line.awaited_ms > 0);
    this.drawBar(line);
    show(part(root, "ledger-more"), line.refused.length > 0);
    part(root, "ledger-reasons").replaceChildren(
      ...line.refused.map(({ reason, ms }) => make("li", {}, words.joined(wordsFor(words.reasons, reason), amount(ms)))),
    );
    this.drawn(line);
  }

  private drawBar(line: Line): void {
    const bar = part(this.root, "credited-bar");
    bar.setAttribute("aria-valuenow", String(line.furthest_ms));
    const told = FATES.filter((name) => line.shown[name] > 0).map((name) =>
      words.joined(words.fates[name], amount(line.shown[name] * 1000)),
    );
    bar.setAttribute("aria-valuetext", told.join(words.comma));
    drawStretches(bar, line);
  }
}

/** Each fate's stretches of the film as coloured marks along an element that is as long as the film. */
export function drawStretches(place: HTMLElement, line: Line): void {
  const whole = Math.max(1, line.duration_ms);
  const marks = FATES.flatMap((name) => line.stretches[name].map(([from, to]) => ({ name, from, to })));
  place.replaceChildren(
    ...marks.map(({ name, from, to }) => {
      const mark = make("span", { class: `mark is-${CLASSES[name]}`, "data-from": String(from), "data-to": String(to) });
      mark.style.left = `${(from / whole) * 100}%`;
      mark.style.width = `${((to - from) / whole) * 100}%`;
      return mark;
    }),
  );
}

const CLASSES = { counted: "confirmed", provisional: "provisional", held: "held", refused: "refused" } as const;
