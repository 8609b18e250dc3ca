/** A sitting under way: what was played becomes beats; answers, checks and questions act on the film. */

import { call, Problem, Unreachable } from "../api.ts";
import { serverClock } from "../clock.ts";
import { datum, part, show } from "../dom.ts";
import { pause } from "../pause.ts";
import { amount, words, wordsFor } from "../words/index.ts";
import { sentenceOf } from "./check-effect.ts";
import { BeatQueue, type Saving } from "./beats.ts";
import { CheckDialog } from "./check-dialog.ts";
import type { StoredSitting, BeatStore } from "./beat-store.ts";
import { drawStretches, Ledger } from "./ledger.ts";
import { MakeUp, type WonBack } from "./make-up.ts";
import type { Lesson } from "./open.ts";
import { Player } from "./player.ts";
import { IdleQuestion, Interactions, ScreenLock } from "./presence.ts";
import type { Beat, BeatsAnswer, Check, Line, PlayState, Reckoned, Sitting } from "./protocol.ts";
import type { SavingLine } from "./saving-line.ts";
import { listen } from "./socket.ts";
import type { Span } from "./spans.ts";
import type { Action, Reason, Overlay } from "./overlay.ts";
import { sumsOf, waysOn } from "./ways-on.ts";

interface Hooks {
  signedOut: () => void;
  leaseLost: () => void;
  ended: (problem: Problem) => void;
}

/** A covered film may be started by hand under these; under any other reason something has to happen first. */
const STARTABLE: ReadonlySet<Reason> = new Set(["start", "hidden", "finished", "idle"]);
/** Stop before the server's limit for what may be handed in late, so that the last beats still arrive within it. */
const OFFLINE_MARGIN_MS = 15_000;
const REMARK_MS = 3_500;
const RECORDED_STEP_MS = 200;
const MOST_WAITED_MS = 30_000;
/** Answers that mean that this sitting earns no more, whatever else is asked of it. */
const OVER: readonly string[] = ["sitting-ended", "sitting-lease-lost"];
/** Reasons that nothing done on this page will change: it stops instead of playing on unrecorded. */
const ENDS_STUDY: ReadonlySet<string> = new Set(["daily_maximum", "outside_dates", "not_supervised"]);
/** A paused page needs to be heard of often enough to keep its turn, and no oftener. */
const IDLE_BEATS_EVERY = 2;

export class Study {
  private readonly root: HTMLElement;
  private readonly sitting: Sitting;
  private readonly url: string;
  private readonly overlay: Overlay;
  private readonly saving: SavingLine;
  private readonly hooks: Hooks;
  private readonly queue: BeatQueue;
  private readonly player: Player;
  private readonly ledger: Ledger;
  private readonly check: CheckDialog;
  private readonly question: IdleQuestion;
  private readonly interactions = new Interactions();
  private readonly screen = new ScreenLock();
  private halted = false;
  /** Why beats wait, as the last attempt to send them ended. */
  private unsaved: Extract<Saving, { kind: "offline" | "busy" }> | null = null;
  private lastState: PlayState = "paused";
  private quietBeats = 0;
  private remarkTimer: number | undefined;
  private readonly makeUp: MakeUp;
  /** How the check that is open, or was last, ended. */
  private lastOutcome = "";

  constructor(
    root: HTMLElement,
    sitting: Sitting,
    kept: StoredSitting,
    store: BeatStore,
    lesson: Lesson,
    overlay: Overlay,
    saving: SavingLine,
    hooks: Hooks,
  ) {
    this.root = root;
    this.sitting = sitting;
    this.url = `${lesson.sittingsUrl}/${kept.sittingId}`;
    this.overlay = overlay;
    this.saving = saving;
    this.hooks = hooks;
    this.queue = new BeatQueue(store, kept, {
      send: (beats) => this.report(beats),
      answered: (answer, askedAt) => this.heard(answer, askedAt),
      dropped: (problem) => this.remark(words.saving.refusedBatch(problem.title)),
      changed: (state) => this.onSaving(state),
    });
    this.player = new Player(part(root, "stage"), sitting.duration_ms, {
      changed: () => this.onPlayerChange(),
      mayPlay: () => this.mayPlay(),
      remark: (text) => this.remark(text),
      finished: () => this.onFinished(),
      failed: (why, again) => this.onFilmFailed(why, again),
      at: (ms) => this.makeUp.at(ms),
      speedChanges: () => this.beatNow(),
    });
    this.makeUp = new MakeUp({
      line: () => this.ledger.ask(),
      check: () => this.haveChecked(),
      playFrom: (ms) => {
        this.overlay.lift();
        this.player.playFrom(ms);
      },
      pause: () => this.player.pause(),
      recorded: () => this.recorded(),
      left: (ms) => this.tellLeft(ms),
      stopped: () => this.onMakeUpStopped(),
      done: (won) => this.onMadeUp(won),
      failed: (error) => {
        this.tellLeft(null);
        this.onRefused(error);
      },
    });
    this.ledger = new Ledger(
      root,
      sitting.ledger,
      (checkId) => call<Reckoned>(`${this.url}/ledger${checkId === null ? "" : `?check=${checkId}`}`, { method: "POST" }),
      (line) => this.onLine(line),
    );
    part(root, "make-up").addEventListener("click", () => this.startMakeUp());
    part(root, "make-up-leave").addEventListener("click", () => this.leaveMakeUp());
    this.check = new CheckDialog(part<HTMLDialogElement>(root, "check"), {
      checksUrl: datum(root, "checksUrl"),
      otherRouteUrl: datum(root, "otherRouteUrl"),
      myChecksUrl: datum(root, "myChecksUrl"),
      frames: sitting.plan.frames,
      minPixels: sitting.plan.min_pixels,
      opened: () => this.onCheckOpened(),
      closed: (goOn) => this.onCheckClosed(goOn),
      decided: (checkId, outcome) => this.whatItDid(checkId, outcome),
    });
    this.question = new IdleQuestion(`${this.url}/presence`, {
      ask: (left) => this.askPresence(left),
      missed: () => this.onPresenceMissed(),
      answered: () => this.overlay.lift("idle"),
    });
  }

  /** Load the film and start listening. */
  async begin(): Promise<void> {
    const { sitting } = this;
    if (sitting.media === null) return;
    this.player.setFrontier(sitting.furthest_ms);
    const startMs = sitting.resume_ms >= sitting.duration_ms ? 0 : sitting.resume_ms;
    window.setInterval(() => this.beat(), sitting.beat_seconds * 1000);
    document.addEventListener("visibilitychange", () => this.onVisibility());
    window.addEventListener("online", () => this.queue.retrySoon());
    window.addEventListener("pagehide", () => this.leave());
    this.offerCheckNow();
    if (sitting.question !== null) this.question.hear(sitting.question);
    if (sitting.check !== null) this.check.offer(sitting.check);
    this.queue.flush();
    void listen(sitting.sitting_id, {
      checkDue: (check) => this.onCheck(check),
      leaseLost: () => this.loseLease(),
      stateChanged: () => {
        this.check.nudge();
        this.ledger.ask().catch(() => undefined);
      },
    });
    await this.player.load(sitting.media, startMs);
  }

  play(): void {
    this.player.play();
  }

  private mayPlay(): boolean {
    if (this.halted || this.check.open) return false;
    const { reason } = this.overlay;
    return reason === null || STARTABLE.has(reason);
  }

  /** What the player is doing, in the server's words. */
  private get state(): PlayState {
    if (document.hidden) return "hidden";
    if (this.player.buffering) return "buffering";
    if (!this.player.playing) return "paused";
    return "playing";
  }

  // ── From the film to the server ────────────────────────────────────────────────────────────────

  /** Report what was played since the last beat, or that nothing was. */
  private beat(): void {
    if (this.halted) return;
    const spans = this.player.takeSpans();
    this.add(spans);
    const { state } = this;
    if (spans.length === 0 && state !== "playing") this.addStill(state);
    this.lastState = state;
    this.queue.flushWhenDue();
    this.guardOffline();
  }

  private add(spans: Span[]): void {
    const interacted = spans.length > 0 && this.interactions.take();
    for (const span of this.makeUp.only(spans)) this.queue.add(span, "playing", this.player.rate, interacted);
  }

  /** A standing beat: keeps the turn and shows in the trace what the page was doing. */
  private addStill(state: PlayState, atOnce = false): void {
    this.quietBeats = state === this.lastState && !atOnce ? this.quietBeats + 1 : 0;
    if (this.quietBeats % IDLE_BEATS_EVERY !== 0) return;
    const at = this.player.positionMs;
    this.queue.add({ fromMs: at, toMs: at }, state, this.player.rate, this.interactions.take());
  }

  /** The state has changed: what was played so far goes at once. */
  private beatNow(): void {
    if (this.halted) return;
    this.add(this.player.takeSpans());
    const { state } = this;
    if (state !== this.lastState && state !== "playing") {
      const at = this.player.positionMs;
      this.queue.add({ fromMs: at, toMs: at }, state, this.player.rate, this.interactions.take());
    }
    this.lastState = state;
    this.quietBeats = 0;
    this.queue.flushWhenDue();
  }

  /** Beats carry the sitting's own token, not the cookie. */
  private report(beats: Beat[], keepalive = false): Promise<BeatsAnswer> {
    const headers = { Authorization: `Bearer ${this.sitting.lease.token}` };
    return call<BeatsAnswer>(`${this.url}/beats`, { method: "POST", json: { beats }, headers, keepalive });
  }

  private leave(): void {
    this.add(this.player.takeSpans());
    this.queue.leave((beats: Beat[]) => {
      // The answer is not waited for: an unanswered beat is told again, with its number, when the page comes back.
      this.report(beats, true).catch(() => undefined);
    });
  }

  /** How long study may still go on without the network: more than may be handed in late would be lost. */
  graceMs(): number {
    return Math.max(0, this.sitting.plan.offline_ms - OFFLINE_MARGIN_MS - this.queue.waitedMs());
  }

  private guardOffline(): void {
    if (this.graceMs() > 0 || this.overlay.reason !== null) return;
    this.player.pause();
    this.coverOffline();
  }

  /** No network, somebody on the way who answers in the platform's place, or a platform that is busy: each has its own way out. */
  private coverOffline(): void {
    this.overlay.cover("offline", {
      ...this.whyNotSent(),
      actions: [{ label: words.retry, icon: "arrow-clockwise", act: () => this.queue.retrySoon() }],
    });
  }

  private whyNotSent(): { title: string; text: string } {
    const { stop } = words;
    const by = this.unsaved?.kind === "offline" ? this.unsaved.by : null;
    if (this.unsaved?.kind === "busy") return { title: stop.busy, text: stop.busyWhy };
    if (by === null) return { title: stop.offline, text: stop.offlineWhy };
    return { title: stop.interposed, text: by < 400 ? stop.portalWhy : stop.interposedWhy(by) };
  }

  // ── From the server to the film ────────────────────────────────────────────────────────────────

  private heard(answer: BeatsAnswer, askedAt: number): void {
    serverClock.noteExact(answer.server_time, askedAt, Date.now());
    this.ledger.hear(answer.ledger);
    this.followFrontier(answer);
    this.question.hear(answer.question);
    if (answer.check !== null) this.onCheck(answer.check);
    if (this.queue.unsent === 0) this.overlay.lift("offline");
  }

  /** What the server did not accept has to be watched again: back to where its record ends. */
  private followFrontier(answer: BeatsAnswer): void {
    this.player.setFrontier(answer.furthest_ms);
    const beyond = answer.refused.filter((piece) => piece.to_ms > answer.furthest_ms && piece.to_ms > piece.from_ms);
    const why = beyond[0];
    if (why === undefined || this.queue.unsent > 0 || why.reason === "beyond_end") return;
    this.player.snapBack(answer.furthest_ms);
    if (ENDS_STUDY.has(why.reason)) {
      this.player.pause();
      this.overlay.cover("ended", {
        title: words.saving.stopped(wordsFor(words.reasons, why.reason)),
        text: "",
        actions: [{ label: words.stop.reload, icon: "arrow-clockwise", act: () => location.reload() }],
      });
    }
  }

  private onSaving(state: Saving): void {
    if (state.kind === "halted") {
      this.halt();
      if (state.problem.status === 401) this.hooks.signedOut();
      else if (state.problem.type === "sitting-lease-lost") this.hooks.leaseLost();
      else this.hooks.ended(state.problem);
    }
    if (state.kind === "offline" || state.kind === "busy") {
      this.unsaved = state;
      // What stands in the way may become another thing while the film is covered: the network is back and wants a sign-in.
      if (this.overlay.reason === "offline") this.coverOffline();
    }
    this.saving.show(state);
  }

  private loseLease(): void {
    if (this.halted) return;
    this.queue.stop(new Problem(409, { type: "sitting-lease-lost" }, null));
  }

  private halt(): void {
    this.halted = true;
    this.player.pause();
    this.player.leaveFullscreen();
  }

  // ── Film ───────────────────────────────────────────────────────────────────────────────────────

  private onPlayerChange(): void {
    const { playing, buffering } = this.player;
    void this.screen.keepOn(playing);
    if (playing || buffering) this.overlay.lift("start", "hidden", "finished");
    this.tellStill();
    this.beatNow();
  }

  /** Under the film: that time does not run while it stands, and why it stands. */
  private tellStill(): void {
    if (this.check.open) this.saving.stand({ text: words.saving.checking, icon: "person-bounding-box" });
    else if (this.player.running || this.overlay.reason === "start") this.saving.stand(null);
    else this.saving.stand({ text: words.saving.paused, icon: "pause-circle" });
  }

  private onFinished(): void {
    if (this.makeUp.active) {
      this.makeUp.at(this.sitting.duration_ms);
      return;
    }
    this.beatNow();
    this.coverFinished();
  }

  /** The lesson's end leads on: to what is to be made up, to the next lesson, to what counts. */
  private coverFinished(): void {
    const { line } = this.ledger;
    this.overlay.cover("finished", { title: words.stop.finished, text: line === null ? "" : sumsOf(line), actions: this.waysOn() });
  }

  private waysOn(): Action[] {
    return waysOn(this.ledger.line, {
      makeUp: () => this.startMakeUp(),
      playFrom: (ms) => this.player.playFrom(ms),
      nextUrl: datum(this.root, "nextUrl"),
      hoursUrl: datum(this.root, "hoursUrl"),
    });
  }

  private onLine(line: Line): void {
    drawStretches(part(this.root, "marks"), line);
    this.player.setMakeUp(line.make_up);
    show(part(this.root, "make-up"), line.make_up.length > 0 && !this.makeUp.active);
    if (this.overlay.reason === "finished" && !this.makeUp.active && this.wonBack === null) this.coverFinished();
  }

  // ── Making up ──────────────────────────────────────────────────────────────────────────────────

  /** What the last round of making up won, as long as that is what is said over the film. */
  private wonBack: WonBack | null = null;

  startMakeUp(): void {
    if (this.halted || this.check.open) return;
    this.wonBack = null;
    show(part(this.root, "make-up"), false);
    this.makeUp.start();
  }

  private leaveMakeUp(): void {
    this.makeUp.leave();
    this.player.pause();
    this.tellLeft(null);
    this.ledger.ask().catch(() => undefined);
  }

  /** Have her checked, unless she is being checked already; false on the route without a camera. */
  private async haveChecked(): Promise<boolean> {
    if (this.sitting.method !== "face") return false;
    if (this.check.open) return true;
    try {
      const { check } = await call<{ check: Check | null }>(`${this.url}/checks`, { method: "POST" });
      if (check !== null) this.onCheck(check);
    } catch (error) {
      // One stands open or has fallen due already: the answer to the next beat tells of it.
      if (!(error instanceof Problem && error.type === "check-still-open")) throw error;
      this.addStill(this.state, true);
      this.queue.flush();
    }
    return true;
  }

  /** Until all that was played is on the server's record. Throws Unreachable when that takes too long. */
  private async recorded(): Promise<void> {
    this.beatNow();
    for (let waited = 0; this.queue.unsent > 0; waited += RECORDED_STEP_MS) {
      if (waited > MOST_WAITED_MS) throw new Unreachable("not recorded");
      this.queue.flushWhenDue();
      await pause(RECORDED_STEP_MS);
    }
  }

  private tellLeft(ms: number | null): void {
    show(part(this.root, "make-up-line"), ms !== null);
    if (ms === null) return;
    const tell = this.sitting.method === "face" ? words.makeUp.left : words.makeUp.leftSupervised;
    part(this.root, "make-up-left").textContent = tell(amount(ms));
  }

  private onMakeUpStopped(): void {
    this.player.pause();
    this.overlay.cover("finished", {
      title: words.makeUp.stopped,
      text: words.makeUp.stoppedWhy,
      actions: [{ label: words.makeUp.again, icon: "person-bounding-box", act: () => this.startMakeUp() }],
    });
  }

  private onMadeUp(won: WonBack): void {
    this.wonBack = won;
    this.tellLeft(null);
    const parts = [
      won.waitingMs > 0 ? words.makeUp.waiting(amount(won.waitingMs)) : "",
      won.leftMs > 0 ? words.makeUp.still(amount(won.leftMs)) : "",
    ];
    this.overlay.cover("finished", {
      title: words.makeUp.won(amount(won.wonMs)),
      text: parts.filter((each) => each !== "").join(words.space),
      actions: this.waysOn(),
    });
  }

  private onFilmFailed(why: "network" | "unsupported", again: () => void): void {
    const offline = why === "network";
    this.overlay.cover("failed", {
      title: offline ? words.player.failed : words.player.unsupported,
      text: offline ? words.player.failedWhy : words.player.unsupportedWhy,
      actions: offline
        ? [{ label: words.retry, icon: "arrow-clockwise", act: () => (this.overlay.lift("failed"), again(), this.player.play()) }]
        : [],
    });
  }

  private onVisibility(): void {
    if (!document.hidden) return;
    if (this.player.playing || this.player.buffering) {
      this.player.pause();
      this.overlay.cover("hidden", {
        title: words.stop.hidden,
        text: words.stop.hiddenWhy,
        actions: [{ label: words.stop.continue, icon: "play-fill", act: () => this.player.play() }],
      });
    }
    this.beatNow();
  }

  private remark(text: string): void {
    const remark = part(this.root, "remark");
    remark.textContent = text;
    remark.classList.add("is-shown");
    window.clearTimeout(this.remarkTimer);
    this.remarkTimer = window.setTimeout(() => remark.classList.remove("is-shown"), REMARK_MS);
  }

  // ── Checks and presence ────────────────────────────────────────────────────────────────────────

  private onCheck(check: Check): void {
    if (!this.halted) this.check.offer(check);
  }

  private onCheckOpened(): void {
    this.lastOutcome = "";
    this.player.pause();
    this.player.leaveFullscreen();
    this.tellStill();
  }

  private onCheckClosed(goOn: boolean): void {
    if (this.makeUp.active && !this.halted) this.makeUp.checked(this.lastOutcome === "match");
    else if (goOn && !this.halted && this.overlay.reason === null) this.player.play();
    this.tellStill();
    this.player.focus();
    this.beatNow();
  }

  /** What a check did to her hours, from the account just before and just after it; the line follows at once. */
  private async whatItDid(checkId: string, outcome: string): Promise<string> {
    this.lastOutcome = outcome;
    try {
      const did = await this.ledger.askAbout(checkId);
      return did === null ? "" : sentenceOf(did, outcome);
    } catch {
      return words.check.seeHours;
    }
  }

  /** A check of her own wish, to have her time confirmed before she goes. */
  private offerCheckNow(): void {
    const now = part<HTMLButtonElement>(this.root, "check-now");
    show(now, this.sitting.method === "face");
    now.addEventListener("click", () => {
      this.beatNow();
      now.disabled = true;
      call<{ check: Check | null }>(`${this.url}/checks`, { method: "POST" })
        .then(({ check }) => check !== null && this.onCheck(check))
        .catch((error: unknown) => this.onRefused(error))
        .finally(() => (now.disabled = false));
    });
  }

  /** What she asked for was refused. When that is because the sitting is over, the page stops and says so. */
  private onRefused(error: unknown): void {
    if (error instanceof Problem && OVER.includes(error.type)) this.queue.stop(error);
    else this.remark(error instanceof Problem ? error.title : words.stop.unreachable);
  }

  private askPresence(left: number): void {
    if (this.overlay.reason === "idle") {
      this.overlay.retell(words.stop.idleWhy(left));
      return;
    }
    this.player.leaveFullscreen();
    this.coverIdle(words.stop.idle, words.stop.idleWhy(left));
  }

  private onPresenceMissed(): void {
    this.player.pause();
    this.coverIdle(words.stop.idleMissed, words.stop.idleMissedWhy);
  }

  private coverIdle(title: string, text: string): void {
    const answer = (): void => {
      this.question
        .answer()
        .then(() => this.player.play())
        .catch((error: unknown) => this.onRefused(error));
    };
    this.overlay.cover("idle", { title, text, actions: [{ label: words.stop.idleAnswer, icon: "hand-thumbs-up", act: answer }] });
  }
}
