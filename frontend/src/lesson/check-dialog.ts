/** The check as the person meets it: camera, movements, sending, waiting, and the outcome said plainly. */

import { Problem } from "../api.ts";
import { type Behind, lookBehind } from "../behind.ts";
import { Camera, CameraError, type CameraFailure } from "../camera.ts";
import { serverClock } from "../clock.ts";
import { closeDialog, openDialog } from "../dialog.ts";
import { copyAddress, noCamera } from "../no-camera.ts";
import { pause } from "../pause.ts";
import { words, wordsFor } from "../words/index.ts";
import { Answers, type CheckStatus, type Taken } from "./answer.ts";
import { planBurst } from "./burst.ts";
import { CheckView } from "./check-view.ts";
import type { Check } from "./protocol.ts";
import { MovementRecorder } from "./recorder.ts";
import { chime, hush, speak } from "./voice.ts";

interface Options {
  checksUrl: string;
  otherRouteUrl: string;
  myChecksUrl: string;
  frames: number;
  minPixels: number;
  opened: () => void;
  /** The dialog is gone; `goOn` when the film may simply continue. */
  closed: (goOn: boolean) => void;
  /** A check was decided: what that did to her hours, in a sentence; empty when that is not known. */
  decided: (checkId: string, outcome: string) => Promise<string>;
}

/** Thrown inside a run when a newer one has begun or the dialog was closed. */
class Superseded extends Error {}

const READY_SECONDS = 2;
const RETRY_SECONDS = 4;
/** Time to turn a poster away before it costs an answer, and how much longer than that it is waited for who is in view. */
const CLEAR_SECONDS = 6;
const LOOK_MS = 1_000;
const SUCCESS_MS = 1_600;
const STILL_MS = 900;
const STILL_APART_MS = 320;
/** The fewest and the most pictures at rest beside the movements. */
const LEAST_RESTING = 2;
const MOST_RESTING = 6;
/** Time to face the screen again between two movements. */
const BACK_MS = 1_500;
/** Mean brightness (0–255) outside which light spoils the pictures. */
const DARK = 50;
const BRIGHT = 215;

export class CheckDialog {
  private readonly options: Options;
  private readonly dialog: HTMLDialogElement;
  private readonly view: CheckView;
  private readonly answers: Answers;
  private current: Check | null = null;
  /** The attempt that was answered last: the server repeats it until its verdict is there. */
  private answered = "";
  private camera: Camera | null = null;
  /** What was wrong with the camera last; "lost" when the person says it before anything was tried. */
  private failure: CameraFailure = "lost";
  private run = 0;
  /** While the browser asks for the camera no time runs that could be shown. */
  private cameraAsked = false;
  /** The answer is with the judge: the verdict is waited for, nothing else looked up. */
  private awaiting = false;
  private ticker: number | undefined;
  /** Who else is in view was asked: rooms seldom change while a lesson is open, and each answer tells it too. */
  private looked = false;

  constructor(dialog: HTMLDialogElement, options: Options) {
    this.dialog = dialog;
    this.options = options;
    this.answers = new Answers(options.checksUrl);
    this.view = new CheckView(dialog, {
      unable: () => void this.giveUp((check) => this.answers.unable(check, this.failure)),
      refuse: () => this.askRefuse(),
      otherRouteUrl: options.otherRouteUrl,
    });
    // Escape must not make the question vanish while its time runs.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    // Browsers let a person out of any dialog who insists; the question stands all the same.
    dialog.addEventListener("close", () => this.open && openDialog(dialog));
  }

  get open(): boolean {
    return this.current !== null;
  }

  /** The server says that a check is due (again and again, until it is answered). */
  offer(check: Check): void {
    const key = `${check.check_id}#${check.attempt}`;
    if (key === this.answered) return;
    if (this.current?.check_id === check.check_id && this.current.attempt === check.attempt) {
      // The window may have started again because the first telling was lost.
      this.current.answer_by = check.answer_by;
      return;
    }
    this.current = { ...check };
    if (!this.dialog.open) {
      openDialog(this.dialog);
      this.options.opened();
      chime("begin");
    }
    void this.begin();
  }

  /** Something about this sitting was heard over the socket. */
  nudge(): void {
    this.answers.wake();
    if (this.open && !this.awaiting) void this.lookWhether();
  }

  /** The check may be over before it was answered: face checks ended with her consent, or it was decided elsewhere. */
  private async lookWhether(): Promise<void> {
    const check = this.current;
    if (check === null) return;
    const status = await this.answers.status(check.check_id).catch(() => null);
    if (status === null || status.state !== "decided" || this.current?.check_id !== check.check_id || this.awaiting) return;
    this.run += 1;
    await this.tell(status, this.run).catch(() => undefined);
  }

  private async begin(): Promise<void> {
    const check = this.current;
    if (check === null) return;
    this.run += 1;
    const run = this.run;
    this.view.start(check, wordsFor(words.check.kinds, check.kind));
    this.startTicker();
    try {
      const taken = await this.take(check, run);
      await this.send(check, taken, run);
      await this.awaitVerdict(check, run);
    } catch (error) {
      if (!(error instanceof Superseded)) this.fail(error, run);
    }
  }

  private async take(check: Check, run: number): Promise<Taken> {
    const { view } = this;
    const camera = await this.openCamera(run);
    const behind = this.looked ? null : lookBehind(camera);
    this.looked = true;
    for (let left = READY_SECONDS; left > 0; left -= 1) {
      view.say(words.check.ready, this.hint(camera) || words.check.readyWhy(left), "aim");
      if (left === READY_SECONDS) speak(words.check.ready);
      await this.wait(1_000, run);
    }
    if (behind !== null) await this.pointAt(await Promise.race([behind, pause(LOOK_MS).then((): Behind => "nobody")]), run);
    return check.pulses.length > 0 ? this.takeMovements(check, camera, run) : this.takeFrames(check, camera, run);
  }

  /** A face behind her would cost the answer: it is named before, and there is a moment to mend it. */
  private async pointAt(behind: Behind, run: number): Promise<void> {
    this.keepRunning(run);
    if (behind === "nobody") return;
    const [title, text] = words.behind[behind];
    speak(title);
    for (let left = CLEAR_SECONDS; left > 0; left -= 1) {
      this.view.say(title, [text, words.behind.goesOn(left)].join(words.space), "aim");
      await this.wait(1_000, run);
    }
  }

  /** What would spoil the pictures, while there is still time to mend it. */
  private hint(camera: Camera): string {
    const { mean } = camera.light();
    const { dark, bright } = words.enrol.hints;
    return mean < DARK ? dark : mean > BRIGHT ? bright : "";
  }

  /** A few pictures at rest, then each movement: told, shown, said aloud, and waited for. */
  private async takeMovements(check: Check, camera: Camera, run: number): Promise<Taken> {
    const { view } = this;
    const recorder = new MovementRecorder(view.preview);
    const taken: Taken = { frames: [], movements: [] };
    const steps = check.prompts.length + 1;
    try {
      recorder.start();
      view.ask(null, words.check.still, 0, steps, STILL_MS);
      await this.wait(STILL_MS, run);
      const frames = Math.min(MOST_RESTING, Math.max(LEAST_RESTING, this.options.frames - check.prompts.length));
      for (let count = 0; count < frames; count += 1) {
        taken.frames.push(await camera.frame());
        view.flash();
        await this.wait(STILL_APART_MS, run);
      }
      for (const [index, prompt] of check.prompts.entries()) {
        const text = wordsFor(words.check.prompts, prompt);
        view.ask(prompt, text, index + 1, steps, 0);
        speak(text);
        const strip = await recorder.movement(check.pulses[index] ?? [], {
          unseen: () => view.remark(words.check.larger),
          begun: () => view.remark(words.check.seen),
          goOn: () => this.keepRunning(run),
        });
        this.keepRunning(run);
        taken.movements.push(strip);
        chime("seen");
        if (index + 1 < check.prompts.length) {
          view.ask(null, words.check.done, index + 1, steps, BACK_MS);
          await this.wait(BACK_MS, run);
        }
      }
    } finally {
      recorder.stop();
    }
    return taken;
  }

  /** A check that was asked for before movements were taken whole. */
  private async takeFrames(check: Check, camera: Camera, run: number): Promise<Taken> {
    const { view } = this;
    const frames: Blob[] = [];
    const steps = planBurst(check.prompts, this.options.frames);
    for (const [index, step] of steps.entries()) {
      const text = step.prompt === null ? words.check.still : wordsFor(words.check.prompts, step.prompt);
      view.ask(step.prompt, text, index, steps.length, step.lastsMs);
      let passed = 0;
      for (const moment of step.takeAtMs) {
        await this.wait(moment - passed, run);
        passed = moment;
        frames.push(await camera.frame());
        view.flash();
      }
      await this.wait(step.lastsMs - passed, run);
    }
    return { frames, movements: [] };
  }

  private async openCamera(run: number): Promise<Camera> {
    if (this.camera !== null) return this.camera;
    this.view.say(words.check.openingCamera, words.check.allow, "wait");
    const check = this.current;
    const camera = await Camera.open(this.view.preview, this.options.minPixels, (asks) => {
      if (check !== null) void this.reportCamera(check, asks);
    });
    if (run !== this.run) {
      camera.close();
      throw new Superseded();
    }
    camera.watch(() => {
      if (this.camera === camera && run === this.run) this.fail(new CameraError("lost"), run);
    });
    this.camera = camera;
    return camera;
  }

  /** Until the browser's question is answered the time does not run; the server says by when to answer. */
  private async reportCamera(check: Check, asks: boolean): Promise<void> {
    this.cameraAsked = asks;
    if (asks) this.view.countdown(null);
    try {
      const status = await this.answers.camera(check, asks ? "asked" : "answered");
      if (status.answer_by !== null && this.current?.check_id === check.check_id) this.current.answer_by = status.answer_by;
    } catch {
      // Without the server's word the time runs as it did.
    }
  }

  private async send(check: Check, taken: Taken, run: number): Promise<void> {
    this.view.say(words.check.sending, "", "wait");
    await this.answers.send(check, taken, this.camera?.label ?? "", () => {
      if (run === this.run) this.view.say(words.check.sendingAgain, "", "wait");
    });
    this.keepRunning(run);
    this.answered = `${check.check_id}#${check.attempt}`;
    this.stopTicker();
  }

  private async awaitVerdict(check: Check, run: number): Promise<void> {
    this.view.say(words.check.waiting, "", "wait");
    this.awaiting = true;
    const status = await this.answers.verdict(check).finally(() => (this.awaiting = false));
    this.keepRunning(run);
    if (status === null) {
      this.view.outcome("service_down", ["", words.check.waitingLong]);
      this.offerToGoOn();
    } else {
      await this.tell(status, run);
    }
  }

  /** Show where the check stands, and go on from there. */
  private async tell(status: CheckStatus, run: number): Promise<void> {
    const check = this.current;
    if (check === null) return;
    if (status.state === "due" && status.nonce !== null && status.attempt > check.attempt) {
      await this.tryAgain(check, status, run);
      return;
    }
    this.closeCamera();
    this.stopTicker();
    const outcome = status.outcome ?? "service_down";
    const [title, text] = wordsOfOutcome(outcome, status.signals);
    const did = await this.options.decided(check.check_id, outcome);
    this.keepRunning(run);
    const sentences = [did, text, holds(outcome, status.kind) ? words.check.againAtOnce : ""];
    this.view.outcome(outcome, [title, sentences.filter((sentence) => sentence !== "").join(words.space)]);
    if (outcome === "match") {
      await this.wait(SUCCESS_MS, run);
      this.close(true);
    } else {
      this.offerToGoOn(outcome !== "service_down");
    }
  }

  private async tryAgain(check: Check, status: CheckStatus, run: number): Promise<void> {
    const why = status.last_outcome ?? "unclear";
    const [title, text] = wordsOfOutcome(why, status.signals);
    for (let left = RETRY_SECONDS; left > 0; left -= 1) {
      this.view.outcome(why, [title, why === "mismatch" ? "" : text], words.check.retryNow(left));
      await this.wait(1_000, run);
    }
    this.current = {
      check_id: check.check_id,
      nonce: status.nonce ?? "",
      prompts: status.prompts,
      pulses: status.pulses,
      answer_by: status.answer_by ?? check.answer_by,
      kind: check.kind,
      attempt: status.attempt,
    };
    void this.begin();
  }

  private fail(error: unknown, run: number): void {
    if (run !== this.run) return;
    this.run += 1;
    if (error instanceof CameraError) {
      this.closeCamera();
      this.failure = error.failure;
      const { title, text, address } = noCamera(error.failure);
      this.view.failure(title, text, [
        { label: words.check.again, icon: "arrow-clockwise", primary: true, act: () => void this.begin() },
        ...(address === null ? [] : [{ label: words.camera.copy, icon: "clipboard-check", primary: false, act: (pressed?: HTMLElement) => void copyAddress(address, pressed ?? null) }]),
        { label: words.check.unable, icon: "camera-video-off", primary: false, act: () => void this.giveUp((check) => this.answers.unable(check, error.failure)) },
      ], address);
    } else if (error instanceof Problem && error.status === 401) {
      this.close(false);
    } else if (error instanceof Problem && error.status < 500) {
      void this.lookAgain(error);
    } else {
      this.view.failure(words.check.uploadFailed, words.check.uploadFailedWhy, [
        { label: words.check.again, icon: "arrow-clockwise", primary: true, act: () => void this.begin() },
      ]);
    }
  }

  /** The answer was not taken, or its time is over (no refusal then): the check itself says where it stands. */
  private async lookAgain(refusal: Problem | null): Promise<void> {
    const check = this.current;
    if (check === null) return;
    this.run += 1;
    const run = this.run;
    try {
      const status = await this.answers.status(check.check_id);
      if (run !== this.run) return;
      if (status.state === "due" && refusal === null) {
        await this.timeIsUp(status, run);
      } else if (status.state === "due" && refusal !== null) {
        this.view.failure(refusal.title, refusal.detail, [
          { label: words.check.again, icon: "arrow-clockwise", primary: true, act: () => void this.beginWith(status) },
        ]);
      } else {
        await this.tell(status, run);
      }
    } catch (error) {
      if (error instanceof Superseded || run !== this.run) return;
      this.view.failure(refusal?.title ?? words.check.timeUp, refusal?.detail ?? "", [this.goOnAction()]);
    }
  }

  /** Not decided yet, though the time is over here: either the window began again, or it is missed. */
  private async timeIsUp(status: CheckStatus, run: number): Promise<void> {
    if (status.answer_by !== null && serverClock.until(status.answer_by) > 3_000) {
      await this.beginWith(status);
    } else {
      await this.tell({ ...status, state: "decided", outcome: "missed" }, run);
    }
  }

  private beginWith(status: CheckStatus): Promise<void> {
    if (this.current !== null && status.nonce !== null) {
      const { nonce, prompts, pulses, attempt } = status;
      this.current = { ...this.current, nonce, prompts, pulses, attempt, answer_by: status.answer_by ?? this.current.answer_by };
    }
    return this.begin();
  }

  /** There will be no picture: say so, and tell what that means. */
  private async giveUp(say: (check: Check) => Promise<CheckStatus>): Promise<void> {
    const check = this.current;
    if (check === null) return;
    this.run += 1;
    const run = this.run;
    this.closeCamera();
    this.view.say(words.check.sending, "", "wait");
    try {
      const status = await say(check);
      this.answered = `${check.check_id}#${check.attempt}`;
      await this.tell(status, run);
    } catch (error) {
      if (error instanceof Superseded) return;
      if (error instanceof Problem && error.status < 500) void this.lookAgain(error);
      else this.fail(error, run);
    }
  }

  private askRefuse(): void {
    this.run += 1;
    this.view.failure(words.check.refuseSure, words.check.refuseWhy, [
      { label: words.check.back, icon: "camera-video", primary: true, act: () => void this.begin() },
      { label: words.check.refuseYes, icon: null, primary: false, act: () => void this.giveUp((check) => this.answers.refuse(check)) },
    ]);
  }

  private offerToGoOn(withChecks = false): void {
    this.view.actions([this.goOnAction()]);
    if (withChecks) {
      this.view.links([
        [words.check.allChecks, this.options.myChecksUrl],
        [words.check.otherRoute, this.options.otherRouteUrl],
      ]);
    }
  }

  private goOnAction(): { label: string; icon: string; primary: boolean; act: () => void } {
    return { label: words.check.continue, icon: "play-fill", primary: true, act: () => this.close(true) };
  }

  private close(goOn: boolean): void {
    this.run += 1;
    hush();
    this.stopTicker();
    this.closeCamera();
    this.current = null;
    closeDialog(this.dialog);
    this.options.closed(goOn);
  }

  private closeCamera(): void {
    this.camera?.close();
    this.camera = null;
  }

  private startTicker(): void {
    this.stopTicker();
    const tick = (): void => {
      const left = Math.ceil(serverClock.until(this.current?.answer_by ?? "") / 1000);
      this.view.countdown(this.cameraAsked ? null : Math.max(0, left));
      if (left > -2) return;
      // Two seconds of grace for the server to have noticed too.
      this.stopTicker();
      if (!this.open) return;
      this.closeCamera();
      void this.lookAgain(null);
    };
    tick();
    this.ticker = window.setInterval(tick, 500);
  }

  private stopTicker(): void {
    window.clearInterval(this.ticker);
    this.view.countdown(null);
  }

  private async wait(ms: number, run: number): Promise<void> {
    await pause(ms);
    this.keepRunning(run);
  }

  private keepRunning(run: number): void {
    if (run !== this.run) throw new Superseded();
  }
}

/** Whether this outcome holds time, so that the next check comes as soon as she plays on. */
function holds(outcome: string, kind: string): boolean {
  if (outcome === "missed") return kind === "scheduled";
  return outcome !== "match" && outcome !== "service_down";
}

/** Title and text for an outcome; why a picture told nothing is explained as exactly as is known. */
function wordsOfOutcome(outcome: string, signals: readonly string[]): [string, string] {
  const [title, text] = words.check.outcomes[outcome] ?? [outcome, ""];
  const explained = outcome === "unclear" || outcome === "service_down" ? signals : signals.filter((signal) => outcome === "several_faces" && signal === "printed_face");
  const known = explained.find((signal) => signal in words.check.signals);
  const ended = known === "consent_withdrawn" || known === "other_route";
  return [ended ? words.check.routeEnded : title, known === undefined ? text : wordsFor(words.check.signals, known)];
}
