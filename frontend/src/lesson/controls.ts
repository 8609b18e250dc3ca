/** The control bar over the film: a tap shows it, words and big buttons, keys, captions, speed, a saver of data. */

import { icon, make, part, show } from "../dom.ts";
import { words } from "../words/index.ts";

interface Hooks {
  toggle: () => void;
  /** Playing or about to. */
  running: () => boolean;
  skip: (ms: number) => void;
  /** The next speed in turn. */
  speed: () => void;
}

const HIDE_MS = 3_000;
const SKIP_MS = 10_000;
const VOLUME_STEP = 0.1;
const SAVES = "xueji.saves-data";

export class Controls {
  private readonly stage: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly hooks: Hooks;
  private readonly volume: HTMLInputElement;
  private hideTimer: number | undefined;
  /** Whether the controls were hidden when this tap began: then it only shows them. */
  private wokenByTap = false;

  constructor(stage: HTMLElement, video: HTMLVideoElement, hooks: Hooks) {
    this.stage = stage;
    this.video = video;
    this.hooks = hooks;
    this.volume = part<HTMLInputElement>(stage, "volume");
    this.watchTaps();
    this.watchButtons();
    this.watchFullscreen();
    stage.addEventListener("keydown", (event) => this.onKey(event));
    this.drawVolume();
  }

  draw(): void {
    const running = this.hooks.running();
    const word = running ? words.player.pause : words.player.play;
    for (const name of ["play", "big"]) {
      const button = part(this.stage, name);
      button.replaceChildren(icon(running ? "pause-fill" : "play-fill"), make("span", {}, word));
      button.setAttribute("aria-label", word);
    }
    this.stage.classList.toggle("is-running", running);
  }

  drawSpeed(allowed: boolean, speed: number): void {
    const button = part(this.stage, "speed");
    show(button, allowed);
    button.textContent = `${speed}×`;
    button.setAttribute("aria-label", words.player.speed(speed));
  }

  /** Offer to save data where the film comes in sizes: `spare` keeps to the smallest. */
  offerSaver(spare: ((on: boolean) => void) | null): void {
    const button = part(this.stage, "saver");
    show(button, spare !== null);
    if (spare === null) return;
    let on = wantsToSave();
    const draw = (): void => {
      button.setAttribute("aria-pressed", String(on));
      spare(on);
    };
    button.addEventListener("click", () => {
      on = !on;
      remember(on);
      draw();
    });
    draw();
  }

  /** Offer captions once the film turns out to have some. */
  offerCaptions(): void {
    const { textTracks } = this.video;
    const button = part(this.stage, "captions");
    const shown = (): boolean => Array.from(textTracks).some((track) => track.mode === "showing");
    const draw = (): void => {
      show(button, textTracks.length > 0);
      button.setAttribute("aria-pressed", String(shown()));
    };
    button.addEventListener("click", () => {
      const on = !shown();
      for (const [index, track] of Array.from(textTracks).entries()) track.mode = on && index === 0 ? "showing" : "disabled";
      draw();
    });
    textTracks.addEventListener("addtrack", draw);
    draw();
  }

  private watchTaps(): void {
    const { stage, video } = this;
    stage.addEventListener(
      "pointerdown",
      (event) => (this.wokenByTap = event.pointerType !== "mouse" && !stage.classList.contains("is-awake")),
      true,
    );
    for (const name of ["pointermove", "pointerdown", "focusin"]) stage.addEventListener(name, () => this.wake());
    video.addEventListener("click", () => {
      if (this.wokenByTap && this.hooks.running()) return;
      // A finger that shows the controls and stops the film with one tap does either by mistake: stopping has its button.
      if (matchMedia("(hover: none)").matches && this.hooks.running()) this.sleep();
      else this.hooks.toggle();
    });
  }

  private watchButtons(): void {
    const { stage, video, hooks, volume } = this;
    for (const name of ["play", "big"]) part(stage, name).addEventListener("click", () => hooks.toggle());
    for (const button of stage.querySelectorAll<HTMLElement>("[data-skip]")) {
      button.addEventListener("click", () => hooks.skip(Number(button.dataset.skip)));
    }
    part(stage, "speed").addEventListener("click", () => hooks.speed());
    volume.addEventListener("input", () => this.setVolume(Number(volume.value) / 100));
    part(stage, "mute").addEventListener("click", () => (video.muted = !video.muted));
    video.addEventListener("volumechange", () => this.drawVolume());
  }

  private watchFullscreen(): void {
    const toggle = part(this.stage, "fullscreen");
    show(toggle, typeof this.stage.requestFullscreen === "function");
    toggle.addEventListener("click", () => this.toggleFullscreen());
    document.addEventListener("fullscreenchange", () => {
      const full = document.fullscreenElement === this.stage;
      toggle.replaceChildren(icon(full ? "fullscreen-exit" : "fullscreen"));
      toggle.setAttribute("aria-label", full ? words.player.leaveFullscreen : words.player.fullscreen);
    });
  }

  private toggleFullscreen(): void {
    if (typeof this.stage.requestFullscreen !== "function") return;
    if (document.fullscreenElement === this.stage) {
      void document.exitFullscreen();
    } else {
      // Phones turn the film on its side; desks and Apple's have no such lock.
      const turn = screen.orientation as ScreenOrientation & { lock?: (to: string) => Promise<void> };
      void this.stage.requestFullscreen().then(() => turn.lock?.("landscape").catch(() => undefined));
    }
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
    const onButton = event.target instanceof HTMLButtonElement;
    const key = event.key.toLowerCase();
    if ((key === " " && !onButton) || key === "k") this.hooks.toggle();
    else if (key === "arrowleft" || key === "j") this.hooks.skip(-SKIP_MS);
    else if (key === "arrowright" || key === "l") this.hooks.skip(SKIP_MS);
    else if (key === "arrowup") this.setVolume(this.video.volume + VOLUME_STEP);
    else if (key === "arrowdown") this.setVolume(this.video.volume - VOLUME_STEP);
    else if (key === "m") this.video.muted = !this.video.muted;
    else if (key === "f") this.toggleFullscreen();
    else if (key === "c") part(this.stage, "captions").click();
    else return;
    event.preventDefault();
    this.wake();
  }

  private setVolume(to: number): void {
    this.video.volume = Math.min(1, Math.max(0, to));
    this.video.muted = this.video.volume === 0;
  }

  private wake(): void {
    this.stage.classList.add("is-awake");
    window.clearTimeout(this.hideTimer);
    this.hideTimer = window.setTimeout(() => this.sleep(), HIDE_MS);
  }

  private sleep(): void {
    window.clearTimeout(this.hideTimer);
    this.stage.classList.remove("is-awake");
  }

  private drawVolume(): void {
    const silent = this.video.muted || this.video.volume === 0;
    const mute = part(this.stage, "mute");
    mute.replaceChildren(icon(silent ? "volume-mute-fill" : "volume-up-fill"));
    mute.setAttribute("aria-label", silent ? words.player.unmute : words.player.mute);
    this.volume.value = String(silent ? 0 : Math.round(this.video.volume * 100));
  }
}

/** As she chose last here, else as her browser is set. */
function wantsToSave(): boolean {
  try {
    const kept = window.localStorage.getItem(SAVES);
    if (kept !== null) return kept === "1";
  } catch {
    // No storage: asked anew on each page.
  }
  return (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData === true;
}

function remember(on: boolean): void {
  try {
    window.localStorage.setItem(SAVES, on ? "1" : "0");
  } catch {
    // The choice lasts as long as the page.
  }
}
