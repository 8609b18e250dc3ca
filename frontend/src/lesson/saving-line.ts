/** The line under the film that always says whether study is being saved, and if not, why. */

import { icon, part } from "../dom.ts";
import { words } from "../words/index.ts";
import type { Saving } from "./beats.ts";

type Tone = "saved" | "waiting" | "warning" | "bad";

export class SavingLine {
  private readonly line: HTMLElement;
  private saving: Saving | null = null;
  private ticker: number | undefined;
  private shown = "";

  constructor(root: HTMLElement) {
    this.line = part(root, "saving");
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
    if (saving.kind === "saved") this.say("saved", words.saving.saved, "cloud-check");
    else if (saving.kind === "sending") this.drawSending();
    else if (saving.kind === "halted") this.drawHalt(saving);
    else {
      const left = Math.max(0, Math.ceil((saving.retryAt - Date.now()) / 1000));
      const tell = saving.kind === "offline" ? words.saving.offline : words.saving.busy;
      this.say("bad", tell(saving.unsent, left), saving.kind === "offline" ? "wifi-off" : "cloud-slash");
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
