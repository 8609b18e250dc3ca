/** The film. It only makes dodging awkward; what counts is decided by the server. */

import { position } from "../amounts.ts";
import { part, show } from "../dom.ts";
import { words } from "../words/index.ts";
import { Controls } from "./controls.ts";
import { attachFilm } from "./film.ts";
import type { Range } from "./protocol.ts";
import { covers, from } from "./ranges.ts";
import { PlayedSpans, type Span } from "./spans.ts";

interface Hooks {
  /** Called on every change between playing, paused and buffering. */
  changed: () => void;
  /** Whether the film may run now; when not, the hook tells the person why. */
  mayPlay: () => boolean;
  /** A short remark for the person. */
  remark: (text: string) => void;
  finished: () => void;
  failed: (why: "network" | "unsupported", again: () => void) => void;
  /** Where the film is, while it plays. */
  at: (ms: number) => void;
  /** The speed is about to change: what was played so far was played at the old one. */
  speedChanges: () => void;
}

/** How far past the frontier the player may stand before it is brought back: frames and key frames are not exact. */
const TOLERANCE_MS = 600;
/** Some players have ended with their clock a few pictures short of the end: then nothing more would ever be shown. */
const END_MS = 250;
/** Speed ends this long before time begins to be earned again: a player's steps are coarse. */
const SPEED_MARGIN_MS = 2_000;

const SPEEDS = [1, 1.25, 1.5, 2];

export class Player {
  readonly video: HTMLVideoElement;
  private readonly stage: HTMLElement;
  private readonly hooks: Hooks;
  private readonly spans = new PlayedSpans();
  private readonly seek: HTMLInputElement;
  private readonly seekBox: HTMLElement;
  private readonly durationMs: number;
  private frontierMs = 0;
  /** Meant to run: asked for and not stopped since. A film that is loaded anew stops without saying so. */
  private wanted = false;
  private stalled = false;
  /** The film is being attached, at the start or again after an error: it is sent to its place by that, not by her. */
  private attaching = false;
  /** What earns again when it is watched again. */
  private makeUp: readonly Range[] = [];
  private speed = 1;
  private readonly controls: Controls;

  constructor(stage: HTMLElement, durationMs: number, hooks: Hooks) {
    this.stage = stage;
    this.durationMs = Math.max(1, durationMs);
    this.hooks = hooks;
    this.video = part<HTMLVideoElement>(stage, "video");
    this.seek = part<HTMLInputElement>(stage, "seek");
    this.seekBox = part(stage, "seek-box");
    this.watchVideo();
    this.controls = new Controls(stage, this.video, {
      toggle: () => (this.running ? this.pause() : this.play()),
      running: () => this.running,
      skip: (ms) => this.skip(ms),
      speed: () => this.setSpeed(this.nextSpeed()),
    });
    this.seek.addEventListener("input", () => {
      const wanted = Number(this.seek.value);
      const allowed = Math.min(wanted, this.reachableMs);
      if (allowed < wanted) this.hooks.remark(words.player.notAhead);
      this.goTo(allowed);
    });
    this.draw();
  }

  async load(film: { hls: string; poster: string }, startMs: number): Promise<void> {
    this.seek.max = String(this.durationMs);
    this.video.poster = film.poster;
    let again = (): void => undefined;
    const attached = await attachFilm(this.video, film.hls, startMs, {
      faulty: () => {
        if (this.wanted && !this.video.seeking && this.video.readyState > 0) this.notePosition();
      },
      failed: (why) => {
        this.pause();
        this.hooks.failed(why, () => again());
      },
    });
    again = attached.again;
    this.controls.offerSaver(attached.spare);
    this.controls.offerCaptions();
    this.spans.jump(startMs);
    this.drawPosition(startMs);
  }

  get positionMs(): number {
    const at = Math.min(Math.max(0, Math.round(this.video.currentTime * 1000)), this.durationMs);
    return this.video.ended && this.durationMs - at <= END_MS ? this.durationMs : at;
  }

  get playing(): boolean {
    return !this.video.paused && !this.video.ended && !this.stalled;
  }

  /** Meant to run, but waiting for the film. */
  get buffering(): boolean {
    return this.wanted && !this.video.ended && !this.playing;
  }

  /** Playing or about to: what the button shows. */
  get running(): boolean {
    return this.playing || this.buffering;
  }

  get rate(): number {
    return this.video.playbackRate;
  }

  /** The server's word on how far this lesson has been watched. */
  setFrontier(ms: number): void {
    this.frontierMs = Math.min(ms, this.durationMs);
    this.seekBox.style.setProperty("--watched", `${(this.reachableMs / this.durationMs) * 100}%`);
    this.seek.setAttribute("aria-valuemax", String(this.reachableMs));
    this.drawSpeed();
  }

  /** What earns again when it is watched again: no speed there. */
  setMakeUp(ranges: readonly Range[]): void {
    this.makeUp = ranges;
    this.drawSpeed();
  }

  /** Media played since the last call. */
  takeSpans(): Span[] {
    if (this.playing) this.notePosition();
    return this.spans.take();
  }

  play(): void {
    if (!this.hooks.mayPlay()) return;
    if (this.video.ended || this.positionMs >= this.durationMs) this.goTo(0);
    this.wanted = true;
    this.video.play().catch((error: unknown) => {
      // Autoplay rules may refuse; the big button is still there then. A film that came in between plays once it is there.
      if (error instanceof DOMException && error.name === "NotAllowedError") this.wanted = false;
      this.turned();
    });
  }

  /** Go there and play, also from the film's end, where `play` would begin anew. */
  playFrom(ms: number): void {
    this.goTo(ms);
    if (!this.hooks.mayPlay()) return;
    this.wanted = true;
    this.video.play().catch(() => this.turned());
  }

  pause(): void {
    this.wanted = false;
    this.video.pause();
  }

  /** The film has the keys: after a button over it has gone. */
  focus(): void {
    this.stage.focus({ preventScroll: true });
  }

  private skip(ms: number): void {
    const wanted = Math.max(0, this.positionMs + ms);
    if (wanted > this.reachableMs) this.hooks.remark(words.player.notAhead);
    this.goTo(Math.min(this.reachableMs, wanted));
  }

  /** Whether nothing is earned here for a while, so that speed costs nothing. */
  private maySpeed(ms: number): boolean {
    const soon = ms + SPEED_MARGIN_MS * this.speed;
    const [next] = from(this.makeUp, ms);
    return soon < this.frontierMs && !covers(this.makeUp, ms) && (next === undefined || next[0] > soon);
  }

  private nextSpeed(): number {
    return SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length] ?? 1;
  }

  private setSpeed(speed: number): void {
    if (speed === this.speed) return;
    if (this.playing) this.notePosition();
    this.hooks.speedChanges();
    this.speed = speed;
    this.video.playbackRate = speed;
    this.drawSpeed();
  }

  private drawSpeed(): void {
    this.controls.drawSpeed(this.maySpeed(this.positionMs), this.speed);
  }

  /** Leave full screen, so that what is asked of the person can be seen. */
  leaveFullscreen(): void {
    if (document.fullscreenElement !== null && document.fullscreenElement !== undefined) void document.exitFullscreen();
  }

  goTo(ms: number): void {
    this.spans.jump(ms);
    this.video.currentTime = ms / 1000;
    this.drawPosition(ms);
  }

  /** As far as the person may go: what the server knows of, and what has been played and is being reported. */
  private get reachableMs(): number {
    return Math.max(this.frontierMs, this.playedToMs);
  }

  /** End of what was played without a gap beyond the frontier. */
  private playedToMs = 0;

  private notePosition(): void {
    const at = this.positionMs;
    this.spans.note(at, performance.now(), this.video.playbackRate);
    if (at > this.playedToMs && at <= this.reachableMs + 2_000) this.playedToMs = at;
  }

  /** The server has refused what was played: only its frontier remains. */
  snapBack(frontierMs: number): void {
    this.spans.drop();
    this.playedToMs = 0;
    this.setFrontier(frontierMs);
    this.goTo(frontierMs);
    this.hooks.remark(words.player.snappedBack(position(frontierMs)));
  }

  private watchVideo(): void {
    const { video } = this;
    video.disablePictureInPicture = true;
    video.addEventListener("timeupdate", () => {
      if (video.seeking) return;
      if (this.playing) this.notePosition();
      this.drawPosition(this.positionMs);
      if (this.speed !== 1 && !this.maySpeed(this.positionMs)) this.setSpeed(1);
      else this.drawSpeed();
      this.hooks.at(this.positionMs);
    });
    video.addEventListener("seeking", () => {
      if (!this.attaching) this.spans.jump(this.positionMs);
      if (this.positionMs > this.reachableMs + TOLERANCE_MS) {
        this.goTo(this.reachableMs);
        this.hooks.remark(words.player.notAhead);
      }
    });
    video.addEventListener("ratechange", () => {
      if (video.playbackRate === this.speed) return;
      video.playbackRate = this.speed;
      this.hooks.remark(words.player.noSpeed);
    });
    // The browser's own keys and buttons start and stop the film too. An event may be late: what counts is how it is now.
    video.addEventListener("play", () => {
      if (!this.hooks.mayPlay()) this.pause();
      else if (!video.paused) this.wanted = true;
    });
    const stop = (): void => {
      this.spans.close();
      this.turned();
    };
    video.addEventListener("pause", () => {
      if (video.paused && video.error === null) this.wanted = false;
      if (!this.stalled && !video.seeking) this.notePosition();
      stop();
    });
    video.addEventListener("waiting", () => {
      if (this.playing && !video.seeking) this.notePosition();
      this.stalled = true;
      stop();
    });
    video.addEventListener("playing", () => {
      this.stalled = false;
      this.attaching = false;
      this.notePosition();
      this.turned();
    });
    // Attaching a film, or attaching it again after an error, ends the element's playing without an event and drops its
    // requests to play: whoever pressed the button just before would wait for ever.
    video.addEventListener("emptied", () => {
      this.spans.close();
      this.stalled = true;
      this.attaching = true;
      this.draw();
    });
    video.addEventListener("loadedmetadata", () => {
      if (this.wanted && video.paused) this.play();
    });
    video.addEventListener("ended", () => {
      this.notePosition();
      stop();
      this.hooks.finished();
    });
  }

  private draw(): void {
    this.controls.draw();
    show(part(this.stage, "spinner"), this.buffering);
  }

  private turned(): void {
    this.draw();
    this.hooks.changed();
  }

  private drawPosition(ms: number): void {
    const { durationMs } = this;
    this.seek.value = String(ms);
    this.seek.setAttribute("aria-valuetext", words.player.of(position(ms), position(durationMs)));
    this.seekBox.style.setProperty("--played", `${(ms / durationMs) * 100}%`);
    this.seekBox.style.setProperty("--watched", `${(this.reachableMs / durationMs) * 100}%`);
    part(this.stage, "time").textContent = `${position(ms)} / ${position(durationMs)}`;
  }
}
