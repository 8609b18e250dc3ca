/** The film and its control bar. It only makes dodging awkward; what counts is decided by the server. */

import { position } from "../amounts.ts";
import { icon, part, show } from "../dom.ts";
import { words } from "../words/index.ts";
import { attachFilm } from "./film.ts";
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
}

/** How far past the frontier the player may stand before it is brought back: frames and key frames are not exact. */
const TOLERANCE_MS = 600;
/** Some players have ended with their clock a few pictures short of the end: then nothing more would ever be shown. */
const END_MS = 250;
const CONTROLS_HIDE_MS = 3_000;

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
  private hideTimer: number | undefined;

  constructor(stage: HTMLElement, durationMs: number, hooks: Hooks) {
    this.stage = stage;
    this.durationMs = Math.max(1, durationMs);
    this.hooks = hooks;
    this.video = part<HTMLVideoElement>(stage, "video");
    this.seek = part<HTMLInputElement>(stage, "seek");
    this.seekBox = part(stage, "seek-box");
    this.watchVideo();
    this.watchControls();
  }

  async load(film: { hls: string; poster: string }, startMs: number): Promise<void> {
    this.seek.max = String(this.durationMs);
    this.video.poster = film.poster;
    let again = (): void => undefined;
    again = await attachFilm(this.video, film.hls, startMs, (why) => {
      this.pause();
      this.hooks.failed(why, () => again());
    });
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
  private get running(): boolean {
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

  pause(): void {
    this.wanted = false;
    this.video.pause();
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
    });
    video.addEventListener("seeking", () => {
      this.spans.jump(this.positionMs);
      if (this.positionMs > this.reachableMs + TOLERANCE_MS) {
        this.goTo(this.reachableMs);
        this.hooks.remark(words.player.notAhead);
      }
    });
    video.addEventListener("ratechange", () => {
      if (video.playbackRate === 1) return;
      video.playbackRate = 1;
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
      this.notePosition();
      this.turned();
    });
    video.addEventListener("error", () => {
      if (this.wanted && !video.seeking) this.notePosition();
    });
    // Attaching a film, or attaching it again after an error, ends the element's playing without an event and drops its
    // requests to play: whoever pressed the button just before would wait for ever.
    video.addEventListener("emptied", () => {
      this.spans.close();
      this.stalled = true;
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

  private watchControls(): void {
    const { stage, video } = this;
    const toggle = (): void => (this.running ? this.pause() : this.play());
    part(stage, "play").addEventListener("click", toggle);
    video.addEventListener("click", () => {
      if (matchMedia("(hover: none)").matches && this.running && !stage.classList.contains("is-awake")) this.wake();
      else toggle();
    });
    this.seek.addEventListener("input", () => {
      const wanted = Number(this.seek.value);
      const allowed = Math.min(wanted, this.reachableMs);
      if (allowed < wanted) this.hooks.remark(words.player.notAhead);
      this.goTo(allowed);
    });
    const volume = part<HTMLInputElement>(stage, "volume");
    volume.addEventListener("input", () => {
      video.volume = Number(volume.value) / 100;
      video.muted = video.volume === 0;
    });
    part(stage, "mute").addEventListener("click", () => (video.muted = !video.muted));
    video.addEventListener("volumechange", () => this.drawVolume(volume));
    this.watchFullscreen();
    stage.addEventListener("keydown", (event) => this.onKey(event, toggle));
    for (const name of ["pointermove", "pointerdown", "focusin"]) stage.addEventListener(name, () => this.wake());
    this.drawVolume(volume);
    this.draw();
  }

  private watchFullscreen(): void {
    const toggle = part(this.stage, "fullscreen");
    show(toggle, typeof this.stage.requestFullscreen === "function");
    toggle.addEventListener("click", () => {
      if (document.fullscreenElement === this.stage) void document.exitFullscreen();
      else void this.stage.requestFullscreen();
    });
    document.addEventListener("fullscreenchange", () => {
      const full = document.fullscreenElement === this.stage;
      toggle.replaceChildren(icon(full ? "fullscreen-exit" : "fullscreen"));
      toggle.setAttribute("aria-label", full ? words.player.leaveFullscreen : words.player.fullscreen);
    });
  }

  private onKey(event: KeyboardEvent, toggle: () => void): void {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement) return;
    if (event.key === " " || event.key === "k") {
      event.preventDefault();
      toggle();
    } else if (event.key === "ArrowLeft") {
      this.goTo(Math.max(0, this.positionMs - 10_000));
    } else if (event.key === "ArrowRight") {
      this.goTo(Math.min(this.reachableMs, this.positionMs + 10_000));
    }
  }

  private wake(): void {
    this.stage.classList.add("is-awake");
    window.clearTimeout(this.hideTimer);
    this.hideTimer = window.setTimeout(() => this.stage.classList.remove("is-awake"), CONTROLS_HIDE_MS);
  }

  private draw(): void {
    const { running } = this;
    const play = part(this.stage, "play");
    play.replaceChildren(icon(running ? "pause-fill" : "play-fill"));
    play.setAttribute("aria-label", running ? words.player.pause : words.player.play);
    this.stage.classList.toggle("is-running", running);
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

  private drawVolume(volume: HTMLInputElement): void {
    const silent = this.video.muted || this.video.volume === 0;
    const mute = part(this.stage, "mute");
    mute.replaceChildren(icon(silent ? "volume-mute-fill" : "volume-up-fill"));
    mute.setAttribute("aria-label", silent ? words.player.unmute : words.player.mute);
    volume.value = String(silent ? 0 : Math.round(this.video.volume * 100));
  }
}
