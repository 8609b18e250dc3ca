/** Signs of the person: touches since the last beat, the server's question, the page in sight, the screen kept on. */

import { call, Problem } from "../api.ts";
import { serverClock } from "../clock.ts";
import type { Question } from "./protocol.ts";

const SIGNS = ["pointerdown", "pointermove", "keydown", "touchstart", "wheel"] as const;

export class Interactions {
  private seen = false;

  constructor() {
    for (const name of SIGNS) window.addEventListener(name, () => (this.seen = true), { passive: true, capture: true });
  }

  /** Whether there was a sign since the last call. */
  take(): boolean {
    const seen = this.seen;
    this.seen = false;
    return seen;
  }
}

interface Hooks {
  ask: (secondsLeft: number) => void;
  missed: () => void;
  answered: () => void;
}

/** "Are you still there?", asked by the server; only its answer there counts, not what the page shows. */
export class IdleQuestion {
  private readonly hooks: Hooks;
  private readonly url: string;
  private question: Question | null = null;
  private late = false;
  private ticker: number | undefined;

  constructor(url: string, hooks: Hooks) {
    this.url = url;
    this.hooks = hooks;
  }

  get pending(): boolean {
    return this.question !== null;
  }

  /** What the last answer of the server says; null: no question stands. */
  hear(question: Question | null): void {
    if (question === null) {
      if (this.question !== null) this.done();
      return;
    }
    if (this.question?.question_id === question.question_id) return;
    this.question = question;
    this.late = false;
    window.clearInterval(this.ticker);
    this.ticker = window.setInterval(() => this.tick(), 1_000);
    this.tick();
  }

  /** Throws Problem or Unreachable: the question stays. */
  async answer(): Promise<void> {
    const { question } = this;
    if (question === null) return;
    try {
      await call(this.url, { method: "POST", json: { question_id: question.question_id } });
    } catch (error) {
      // A touch that came with a beat was answer enough: the question is gone, and only has to leave the page.
      if (!(error instanceof Problem && error.type === "question-not-open")) throw error;
    }
    if (this.question === question) this.done();
  }

  private tick(): void {
    const { question } = this;
    if (question === null) return;
    const left = Math.ceil(serverClock.until(question.answer_by) / 1000);
    if (left > 0) {
      this.hooks.ask(left);
    } else if (!this.late) {
      this.late = true;
      this.hooks.missed();
    }
  }

  private done(): void {
    window.clearInterval(this.ticker);
    this.question = null;
    this.hooks.answered();
  }
}

/** Keeps a phone's screen on while the film runs, where the browser can. */
export class ScreenLock {
  private lock: WakeLockSentinel | null = null;

  async keepOn(on: boolean): Promise<void> {
    if (!on) {
      await this.lock?.release();
      this.lock = null;
    } else if ("wakeLock" in navigator && this.lock === null && !document.hidden) {
      // Refused on a low battery: then the screen goes dark as it always would.
      this.lock = await navigator.wakeLock.request("screen").catch(() => null);
      this.lock?.addEventListener("release", () => (this.lock = null), { once: true });
    }
  }
}
