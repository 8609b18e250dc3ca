/** A demonstration's page that sends what a cheating script would send, and shows what the server makes of it. */

import { call, Problem } from "./api.ts";
import { datum, make, part, uuid } from "./dom.ts";
import type { Beat, BeatsAnswer, Sitting } from "./lesson/protocol.ts";
import { words, wordsFor } from "./words/index.ts";

interface Leaves {
  length: number;
  leaves: { n: number; event: string; values: string }[];
}

const STRETCH_MS = 10_000;

class Cheat {
  private readonly root: HTMLElement;
  private sitting: Sitting | null = null;
  private seq = 0;
  private known = -1;

  constructor(root: HTMLElement) {
    this.root = root;
    for (const button of root.querySelectorAll<HTMLButtonElement>("[data-try]")) {
      button.addEventListener("click", () => void this.attempt(button));
    }
  }

  private async attempt(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      if (this.known < 0) this.known = (await this.leaves()).length - 1;
      this.answered(button.textContent ?? "", await this.sent(datum(button, "try")));
    } catch (error) {
      this.answered(button.textContent ?? "", told(error));
    } finally {
      button.disabled = false;
    }
    this.recorded(await this.leaves());
  }

  /** What came back, in lines. */
  private async sent(what: string): Promise<string[]> {
    this.sitting ??= await this.open(true);
    const at = this.sitting.resume_ms;
    const end = Number(datum(this.root, "duration"));
    if (what === "twice") {
      await this.open(false);
      return [words.cheat.opened];
    }
    const beats: Record<string, [number, number, number]> = {
      seek: [Math.max(at, end - STRETCH_MS), end, 1],
      speed: [at, Math.min(end, at + STRETCH_MS), 8],
      whole: [at, end, 1],
    };
    const [from, to, rate] = beats[what] ?? [at, at, 1];
    const answer = await this.report(this.sitting.sitting_id, from, to, rate);
    const lines = answer.refused.map((gone) => words.cheat.refused((gone.to_ms - gone.from_ms) / 1000, wordsFor(words.reasons, gone.reason)));
    return [...lines, words.cheat.earned((answer.furthest_ms - this.sitting.furthest_ms) / 1000)];
  }

  private open(continueHere: boolean): Promise<Sitting> {
    const json = {
      sitting_id: uuid(),
      enrolment_id: datum(this.root, "enrolment"),
      lesson_id: datum(this.root, "lesson"),
      device: "script",
      continue_here: continueHere,
    };
    return call<Sitting>(datum(this.root, "sittings"), { method: "POST", json });
  }

  private report(sittingId: string, from: number, to: number, rate: number): Promise<BeatsAnswer> {
    this.seq += 1;
    const beat: Beat = {
      beat_id: uuid(),
      seq: this.seq,
      from_ms: from,
      to_ms: to,
      state: "playing",
      rate,
      sent_at: new Date().toISOString(),
      interacted: false,
    };
    return call<BeatsAnswer>(`${datum(this.root, "sittings")}/${sittingId}/beats`, { method: "POST", json: { beats: [beat] } });
  }

  private leaves(): Promise<Leaves> {
    return call<Leaves>(`${datum(this.root, "leaves")}${this.known < 0 ? "" : `?after=${this.known}`}`);
  }

  private answered(tried: string, lines: string[]): void {
    const said = make("div", {}, make("h3", {}, tried), make("ul", {}, ...lines.map((line) => make("li", {}, line))));
    this.put("answers", [said]);
  }

  private recorded(found: Leaves): void {
    this.known = found.length - 1;
    const rows = found.leaves.map((leaf) => make("li", {}, make("b", {}, `#${leaf.n} ${leaf.event}`), " ", make("code", { class: "hash" }, leaf.values)));
    this.put("leaves", rows.length === 0 ? [make("p", { class: "quiet" }, words.cheat.nothing)] : [make("ul", {}, ...rows)]);
  }

  /** The newest on top. */
  private put(name: string, elements: HTMLElement[]): void {
    const place = part(this.root, name);
    if (place.querySelector("p.quiet") !== null && place.children.length === 1) place.replaceChildren();
    place.prepend(...elements);
  }
}

function told(error: unknown): string[] {
  return error instanceof Problem ? [`${error.status} · ${error.title}`, error.detail] : [String(error)];
}

const root = document.querySelector<HTMLElement>("[data-cheat]");
if (root !== null) new Cheat(root);
