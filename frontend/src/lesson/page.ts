/** Opening the sitting, and what covers the film when it cannot: turns, sign-in, dead networks. */

import { position } from "../amounts.ts";
import { Problem, Unreachable } from "../api.ts";
import { backoffMs } from "../backoff.ts";
import { datum, part } from "../dom.ts";
import { words } from "../words/index.ts";
import type { BeatStore } from "./beat-store.ts";
import type { StoredSitting } from "./beat-store.ts";
import { chooseSitting, deviceLabel, handInLeftovers, leaveWord, type Lesson, newSitting, openSitting } from "./open.ts";
import type { Sitting } from "./protocol.ts";
import { SavingLine } from "./saving-line.ts";
import { Study } from "./study.ts";
import { Overlay } from "./overlay.ts";

export class LessonPage {
  private readonly root: HTMLElement;
  private readonly store: BeatStore;
  private readonly lesson: Lesson;
  private readonly overlay: Overlay;
  private readonly saving: SavingLine;
  private kept: StoredSitting | null = null;
  private failures = 0;
  private study: Study | null = null;

  constructor(root: HTMLElement, store: BeatStore, lesson: Lesson) {
    this.root = root;
    this.store = store;
    this.lesson = lesson;
    this.overlay = new Overlay(part(root, "overlay"), () => part(root, "stage").focus({ preventScroll: true }));
    this.saving = new SavingLine(root, () => this.study?.graceMs() ?? 0);
    leaveWord(() => this.kept?.sittingId ?? null);
  }

  async open(continueHere: boolean): Promise<void> {
    this.saving.say("waiting", words.saving.opening, "hourglass-split");
    try {
      const kept = this.kept ?? (await chooseSitting(this.store, this.lesson));
      this.kept = kept;
      await handInLeftovers(this.store, this.lesson, kept);
      const sitting = await openSitting(this.lesson, kept, deviceLabel(), continueHere);
      this.store.write(kept);
      this.start(sitting, kept);
    } catch (error) {
      await this.refused(error, continueHere);
    }
  }

  private start(sitting: Sitting, kept: StoredSitting): void {
    if (sitting.media === null) {
      this.cover("failed", words.player.noFilm, words.player.noFilmWhy);
      return;
    }
    this.saving.say("waiting", words.saving.notStarted, "cloud-check");
    const study = new Study(this.root, sitting, kept, this.store, this.lesson, this.overlay, this.saving, {
      signedOut: () => this.askToSignIn(),
      leaseLost: () => this.cover("lost", words.stop.leaseLost, words.stop.leaseLostWhy, true),
      ended: (problem) => this.ended(problem),
    });
    this.study = study;
    const makesUp = this.lesson.makesUp && (sitting.ledger === null || sitting.ledger.make_up.length > 0);
    const start = makesUp
      ? { label: words.makeUp.start, icon: "arrow-repeat", act: () => study.startMakeUp() }
      : { label: startWord(sitting), icon: "play-fill", act: () => study.play() };
    this.overlay.cover("start", { title: "", text: makesUp ? words.makeUp.how : "", actions: [start] });
    void study.begin();
  }

  private async refused(error: unknown, continueHere: boolean): Promise<void> {
    if (error instanceof Problem && error.status === 401) {
      this.askToSignIn();
    } else if (error instanceof Problem && error.type === "sitting-lease-held") {
      this.saving.say("warning", words.stop.leaseHeld, "arrow-left-right");
      this.cover("held", words.stop.leaseHeld, words.stop.leaseHeldWhy, true);
    } else if (error instanceof Problem && this.isStale(error)) {
      // The sitting we meant to go on with is over: a new one, once.
      this.kept = await newSitting(this.lesson);
      await this.open(continueHere);
    } else if (error instanceof Unreachable || (error instanceof Problem && (error.status >= 500 || error.status === 429))) {
      this.tryAgainLater(error instanceof Problem ? error.retryAfterMs : null, continueHere);
    } else if (error instanceof Problem) {
      this.saving.say("bad", words.saving.stopped(error.title), "cloud-slash");
      this.cover("failed", error.title || words.stop.failed, error.detail);
    } else {
      throw error;
    }
  }

  private isStale(error: Problem): boolean {
    const old = this.kept !== null && this.kept.nextSeq > 1;
    return old && ["sitting-ended", "sitting-clash", "sitting-lease-lost"].includes(error.type);
  }

  private tryAgainLater(askedForMs: number | null, continueHere: boolean): void {
    this.failures += 1;
    const ms = backoffMs(this.failures, askedForMs);
    this.saving.say("bad", words.stop.unreachable, "wifi-off");
    const again = (): void => {
      window.clearTimeout(timer);
      void this.open(continueHere);
    };
    const timer = window.setTimeout(again, ms);
    this.overlay.cover("failed", {
      title: words.stop.unreachable,
      text: words.stop.unreachableWhy,
      actions: [{ label: words.retry, icon: "arrow-clockwise", act: again }],
    });
  }

  private askToSignIn(): void {
    this.saving.say("bad", words.saving.signedOut, "lock");
    const here = encodeURIComponent(location.pathname + location.search);
    const url = `${datum(this.root, "signInUrl")}?next=${here}`;
    this.overlay.cover("signed-out", {
      title: words.stop.signedOut,
      text: words.stop.signedOutWhy,
      actions: [{ label: words.stop.signIn, icon: "box-arrow-in-right", act: () => location.assign(url) }],
    });
  }

  private ended(problem: Problem): void {
    this.overlay.cover("ended", {
      title: problem.title || words.stop.ended,
      text: problem.detail,
      actions: [{ label: words.stop.openAgain, icon: "arrow-clockwise", act: () => location.reload() }],
    });
  }

  private cover(reason: "held" | "lost" | "failed", title: string, text: string, mayContinue = false): void {
    const goOn = {
      label: words.stop.continueHere,
      icon: "play-fill",
      act: () => void this.continueHere(reason),
    };
    const reload = { label: words.stop.reload, icon: "arrow-clockwise", act: () => location.reload() };
    this.overlay.cover(reason, { title, text, actions: [mayContinue ? goOn : reload] });
  }

  /** Take the turn. A page that has lost it starts afresh: its old sitting is over. */
  private async continueHere(reason: string): Promise<void> {
    if (reason === "lost") {
      if (this.kept !== null) this.store.forget(this.kept.sittingId);
      const url = new URL(location.href);
      url.searchParams.set("continue", "1");
      location.replace(url);
      return;
    }
    await this.open(true);
  }
}

function startWord(sitting: Sitting): string {
  if (sitting.resume_ms >= sitting.duration_ms) return words.player.again;
  return sitting.resume_ms > 0 ? words.player.resumeAt(position(sitting.resume_ms)) : words.player.start;
}
