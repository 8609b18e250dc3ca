/** Taking reference photos with the camera; the plain form below stays for those who cannot. */

import { call, Problem } from "./api.ts";
import { Camera, CameraError } from "./camera.ts";
import { button, datum, icon, make, show } from "./dom.ts";
import { copyAddress, noCamera } from "./no-camera.ts";
import { pause } from "./pause.ts";
import { shrinkIn } from "./photo.ts";
import { words, wordsFor } from "./words/index.ts";

const HOLD_STILL_SECONDS = 2;
const LIGHT_EVERY_MS = 700;
const SHOW_SUCCESS_MS = 1_200;
/** Mean brightness of a face picture (0–255) that is worth trying. */
const DARK = 50;
const BRIGHT = 210;

class Enrolment {
  private readonly root: HTMLElement;
  private readonly fallback: HTMLElement | null;
  private readonly preview = make("video", { playsinline: "", "aria-label": words.check.preview });
  private readonly badge = make("div", { class: "check-badge" });
  private readonly scene = make("div", { class: "check-scene is-still is-wait" }, this.preview, make("div", { class: "check-oval" }), this.badge);
  private readonly title = make("p", { class: "check-title" });
  private readonly text = make("p", { class: "check-text" });
  private readonly actions = make("div", { class: "check-actions" });
  private camera: Camera | null = null;
  private light: number | undefined;

  constructor(root: HTMLElement) {
    this.root = root;
    this.fallback = document.querySelector<HTMLElement>("[data-enrol-fallback]");
    this.preview.muted = true;
    const spoken = make("div", { role: "status", "aria-live": "polite" }, this.title, this.text);
    root.classList.add("panel");
    root.append(this.scene, spoken, this.actions);
    if (this.fallback !== null) {
      show(this.fallback, false);
      if (this.fallback instanceof HTMLFormElement) shrinkIn(this.fallback);
      const toggle = button(words.enrol.chooseFile, "upload", "btn btn-link", () => this.showFallback());
      root.append(make("p", { class: "enrol-other" }, toggle));
    }
    this.rest();
  }

  private rest(): void {
    this.badge.replaceChildren(icon("person-bounding-box"));
    this.say(this.angle, words.enrol.intro);
    this.offer(button(words.enrol.start, "camera", "btn btn-primary btn-lg", () => void this.openCamera()));
  }

  private get angle(): string {
    const enrolled = Number(datum(this.root, "enrolled"));
    return words.enrol.angles[Math.min(enrolled, words.enrol.angles.length - 1)] ?? "";
  }

  private async openCamera(): Promise<void> {
    this.scene.className = "check-scene is-live is-busy";
    this.badge.replaceChildren();
    this.offer();
    this.say(words.check.openingCamera, words.check.allow);
    try {
      // Whether the picture is large enough is judged by the server, with everything else about it.
      this.camera = await Camera.open(this.preview, 1);
    } catch (error) {
      this.cameraFailed(error);
      return;
    }
    this.camera.watch(() => this.cameraFailed(new CameraError("lost")));
    this.aim();
  }

  private aim(): void {
    this.scene.className = "check-scene is-live";
    this.say(this.angle, "");
    this.offer(button(words.enrol.take, "camera", "btn btn-primary btn-lg", () => void this.take()));
    window.clearInterval(this.light);
    this.light = window.setInterval(() => this.adviseOnLight(), LIGHT_EVERY_MS);
  }

  private adviseOnLight(): void {
    if (this.camera === null) return;
    const { mean } = this.camera.light();
    const { dark, bright, good } = words.enrol.hints;
    const hint = mean < DARK ? dark : mean > BRIGHT ? bright : good;
    if (this.text.textContent !== hint) this.text.textContent = hint;
  }

  private async take(): Promise<void> {
    const { camera } = this;
    if (camera === null) return;
    window.clearInterval(this.light);
    this.offer();
    this.scene.className = "check-scene is-live is-asking";
    try {
      for (let left = HOLD_STILL_SECONDS; left > 0; left -= 1) {
        this.say(words.enrol.countdown(left), "");
        await pause(1_000);
      }
      const photo = await camera.frame();
      this.scene.className = "check-scene is-live is-busy";
      this.say(words.enrol.sending, "");
      await this.send(photo);
    } catch (error) {
      if (error instanceof CameraError) this.cameraFailed(error);
      else this.refused(error);
      return;
    }
    this.camera?.close();
    this.scene.className = "check-scene is-still is-good";
    this.badge.replaceChildren(icon("check-circle-fill"));
    this.say(words.enrol.accepted, "");
    await pause(SHOW_SUCCESS_MS);
    location.reload();
  }

  private send(photo: Blob): Promise<unknown> {
    const form = new FormData();
    form.append("photo", photo, "photo.jpg");
    return call(datum(this.root, "url"), { method: "POST", body: form, timeoutMs: 30_000 });
  }

  /** The picture is looked at again at once: the next try starts from the same frame. */
  private refused(error: unknown): void {
    this.aim();
    window.clearInterval(this.light);
    if (error instanceof Problem) {
      const problems = Array.isArray(error.extra["problems"]) ? error.extra["problems"].map(String) : [];
      const sentences = problems.map((code) => wordsFor(words.enrol.problems, code));
      this.say(problems.length > 0 ? words.enrol.rejected : error.title, sentences.join(" · ") || error.detail);
    } else {
      this.say(words.enrol.failed, words.enrol.failedWhy);
    }
  }

  private cameraFailed(error: unknown): void {
    window.clearInterval(this.light);
    this.camera?.close();
    this.camera = null;
    const failure = error instanceof CameraError ? error.failure : "lost";
    const { title, text, address } = noCamera(failure);
    this.scene.className = "check-scene is-still is-bad";
    this.badge.replaceChildren(icon("camera-video-off"));
    this.say(title, text);
    const again = button(words.retry, "arrow-clockwise", "btn btn-primary btn-lg", () => void this.openCamera());
    if (address === null) {
      this.offer(again);
    } else {
      const copy = button(words.camera.copy, "clipboard-check", "btn btn-quiet btn-lg", () => void copyAddress(address, copy));
      this.text.append(make("span", { class: "own-address" }, address));
      this.offer(again, copy);
    }
    this.showFallback();
  }

  private showFallback(): void {
    if (this.fallback === null) return;
    show(this.fallback, true);
    this.root.querySelector(".enrol-other")?.remove();
  }

  private say(title: string, text: string): void {
    this.title.textContent = title;
    this.text.textContent = text;
  }

  private offer(...buttons: HTMLButtonElement[]): void {
    this.actions.replaceChildren(...buttons);
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-enrol]")) new Enrolment(root);
