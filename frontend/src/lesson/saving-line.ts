/** The line under the film that always says whether study is being saved, and if not, why. */

import { icon, part } from "../dom.ts";
import { amount, words } from "../words/index.ts";
import type { Saving } from "./beats.ts";

type Tone = "saved" | "waiting" | "warning" | "bad";

export class SavingLine {
  private readonly line: HTMLElement;
  private saving: Saving | null = null;
  private ticker: number | undefined;
  private shown = "";
  /** What is said instead of "saved" while the film stands still. */
  private still: { text: string; icon: string } | null = null;
  private readonly graceMs: () => number;

  /** `graceMs`: how long study may still go on without the network. */
  constructor(root: HTMLElement, graceMs: () => number) {
    this.line = part(root, "saving");
    this.graceMs = graceMs;
  }

  /** The film stands still, and why; null when it plays. */
  stand(still: { text: string; icon: string } | null): void {
    this.still = still;
    this.draw();
  }

  show(saving: Saving): void {
    this.saving = saving;
    window.clearInterval(this.ticker);
    if (saving.kind === "offline" || saving.kind === "busy") {
      this.ticker = window.setInterval(() => this.draw(), 1_000);
    }
    this.draw();
  }

  /** Something else than the queue's own state, until the queue changes. */
  say(tone: Tone, text: string, iconName: string): void {
    const key = tone + iconName + text;
    if (key === this.shown) return;
    this.shown = key;
    this.line.className = `saving is-${tone}`;
    part(this.line, "saving-icon").replaceChildren(icon(iconName));
    part(this.line, "saving-text").textContent = text;
  }

  private draw(): void {
    const saving = this.saving;
    if (saving === null) return;
    if (saving.kind === "saved" && this.still !== null) this.say("waiting", this.still.text, this.still.icon);
    else if (saving.kind === "saved") this.say("saved", words.saving.saved, "cloud-check");
    else if (saving.kind === "sending") this.drawSending();
    else if (saving.kind === "halted") this.drawHalt(saving);
    else {
      // Nothing is lost yet: only when the time is up is it red.
      const graceMs = this.graceMs();
      const by = saving.kind === "offline" ? saving.by : null;
      const tell = saving.kind === "offline" ? words.saving.offline : words.saving.busy;
      const inTime = by === null ? tell(saving.unsent, amount(graceMs)) : words.saving.interposed(by);
      const over = saving.kind === "busy" ? words.saving.busyOver : by === null ? words.saving.offlineOver : words.saving.interposedOver;
      const text = graceMs > 0 ? inTime : over(saving.unsent);
      this.say(graceMs > 0 ? "warning" : "bad", text, saving.kind === "offline" ? "wifi-off" : "cloud-slash");
    }
  }

  /** A request that takes no time is not worth a flicker. */
  private drawSending(): void {
    window.clearTimeout(this.ticker);
    this.ticker = window.setTimeout(() => this.say("waiting", words.saving.sending, "cloud-upload"), 1_200);
  }

  private drawHalt(saving: Extract<Saving, { kind: "halted" }>): void {
    const { problem } = saving;
    if (problem.status === 401) this.say("bad", words.saving.signedOut, "lock");
    else if (problem.type === "sitting-lease-lost") this.say("bad", words.saving.leaseLost, "arrow-left-right");
    else this.say("bad", words.saving.stopped(problem.title || String(problem.status)), "cloud-slash");
  }
}
