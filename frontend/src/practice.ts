/** One movement of a check, tried before any check: no picture of it is sent, and nothing hangs on it. */

import { type Behind, lookBehind } from "./behind.ts";
import { Camera, CameraError } from "./camera.ts";
import { button, icon, make } from "./dom.ts";
import { drawMovement } from "./lesson/drawing.ts";
import { MovementRecorder } from "./lesson/recorder.ts";
import { chime, hush, speak } from "./lesson/voice.ts";
import { pause } from "./pause.ts";
import { words, wordsFor } from "./words/index.ts";

const PROMPTS = ["turn_left", "open_mouth", "tilt_right"];
/** As a check draws them: when pictures of a movement are taken, in ms since it began. */
const MOMENTS_MS = [-450, -200, 80, 250, 450, 700, 1_000, 1_400, 2_000, 2_700];
const STILL_MS = 1_200;

class Practice {
  private readonly preview = make("video", { playsinline: "", "aria-label": words.check.preview });
  private readonly badge = make("div", { class: "check-badge" });
  private readonly scene = make("div", { class: "check-scene" }, this.preview, make("div", { class: "check-oval" }), this.badge);
  private readonly title = make("p", { class: "check-title" });
  private readonly text = make("p", { class: "check-text" });
  private readonly actions = make("div", { class: "check-actions" });
  private tries = 0;

  constructor(root: HTMLElement) {
    this.preview.muted = true;
    this.scene.hidden = true;
    const spoken = make("div", { role: "status", "aria-live": "polite" }, this.title, this.text);
    root.append(this.scene, spoken, this.actions);
    this.offer(words.practice.start);
    root.hidden = false;
  }

  private offer(label: string): void {
    this.actions.replaceChildren(button(label, "camera-video", "btn btn-outline-primary", () => void this.run()));
  }

  /** `looks`: whether it is looked first who else is in view. */
  private async run(looks = true): Promise<void> {
    this.actions.replaceChildren();
    this.scene.hidden = false;
    this.look("is-live is-busy");
    this.badge.replaceChildren();
    this.say(words.check.openingCamera, words.check.allow);
    let camera: Camera | null = null;
    const recorder = new MovementRecorder(this.preview);
    try {
      camera = await Camera.open(this.preview, 1);
      recorder.start();
      this.look("is-live");
      this.say(words.check.ready, words.check.still);
      const behind = looks ? await lookBehind(camera) : "nobody";
      if (behind !== "nobody") {
        this.pointAt(behind);
        return;
      }
      if (!looks) await pause(STILL_MS);
      const prompt = PROMPTS[this.tries % PROMPTS.length] ?? "turn_left";
      this.tries += 1;
      this.say(wordsFor(words.check.prompts, prompt), "");
      this.look(`is-live is-asking asks-${prompt}`);
      this.badge.replaceChildren(drawMovement(prompt));
      speak(wordsFor(words.check.prompts, prompt));
      let seen = false;
      await recorder.movement(MOMENTS_MS, {
        unseen: () => (this.text.textContent = words.check.larger),
        begun: () => {
          seen = true;
          this.text.textContent = words.check.seen;
        },
        goOn: () => undefined,
      });
      this.done(seen);
    } catch (error) {
      const failure = error instanceof CameraError ? error.failure : "lost";
      const [title, text] = words.camera.failures[failure] ?? [failure, ""];
      this.finish("is-still is-bad", "camera-video-off", title, text);
    } finally {
      recorder.stop();
      camera?.close();
    }
  }

  /** What a check would refuse, while it costs nothing yet. */
  private pointAt(behind: Exclude<Behind, "nobody">): void {
    const [title, text] = words.behind[behind];
    this.finish("is-still is-wait", "people", title, text);
    this.actions.replaceChildren(
      button(words.behind.again, "arrow-clockwise", "btn btn-primary", () => void this.run()),
      button(words.behind.anyway, "camera-video", "btn btn-quiet", () => void this.run(false)),
    );
  }

  private done(seen: boolean): void {
    if (seen) chime("seen");
    else hush();
    const [title, text] = seen ? words.practice.seen : words.practice.unseen;
    this.finish(seen ? "is-still is-good" : "is-still is-wait", seen ? "check-circle-fill" : "arrow-clockwise", title, text);
  }

  private finish(look: string, name: string, title: string, text: string): void {
    this.look(look);
    this.badge.replaceChildren(icon(name));
    this.say(title, text);
    this.offer(words.practice.again);
  }

  private look(classes: string): void {
    this.scene.className = `check-scene ${classes}`;
  }

  private say(title: string, text: string): void {
    this.title.textContent = title;
    this.text.textContent = text;
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-practice]")) new Practice(root);
