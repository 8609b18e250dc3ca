/** What the check dialog looks like at each moment. Knows no rules and sends nothing. */

import { button, icon, make, show } from "../dom.ts";
import { words } from "../words/index.ts";
import { drawMovement } from "./drawing.ts";
import type { Check } from "./protocol.ts";

export interface Action {
  label: string;
  icon: string | null;
  primary: boolean;
  act: (pressed?: HTMLElement) => void;
}

interface Exits {
  unable: () => void;
  refuse: () => void;
  otherRouteUrl: string;
}

const OUTCOME_LOOKS: Record<string, [string, string]> = {
  match: ["is-good", "check-circle-fill"],
  service_down: ["is-wait", "hourglass-split"],
};

export class CheckView {
  readonly preview: HTMLVideoElement;
  private readonly kind = make("p", { class: "check-kind" });
  private readonly left = make("p", { class: "check-left", role: "timer" });
  private readonly scene: HTMLElement;
  private readonly title = make("p", { class: "check-title" });
  private readonly text = make("p", { class: "check-text" });
  private readonly dots = make("ol", { class: "check-dots", "aria-hidden": "true" });
  private readonly buttons = make("div", { class: "check-actions" });
  private readonly more = make("p", { class: "check-more" });
  private readonly badge = make("div", { class: "check-badge" });
  private readonly exits: HTMLElement;
  private readonly dialog: HTMLDialogElement;

  constructor(dialog: HTMLDialogElement, exits: Exits) {
    this.dialog = dialog;
    this.preview = make("video", { playsinline: "", "aria-label": words.check.preview });
    this.preview.muted = true;
    this.scene = make("div", { class: "check-scene" }, this.preview, make("div", { class: "check-oval" }), this.badge);
    this.exits = make(
      "div",
      { class: "check-exits" },
      button(words.check.unable, "camera-video-off", "btn btn-quiet", exits.unable),
      button(words.check.refuse, "person-x", "btn btn-quiet", exits.refuse),
      make("a", { class: "btn btn-quiet", href: exits.otherRouteUrl }, icon("person-check"), words.check.otherRoute),
      make("p", { class: "check-note" }, icon("shield-lock"), words.check.photosOnly),
    );
    const spoken = make("div", { class: "check-spoken", role: "status", "aria-live": "assertive" }, this.title, this.text);
    dialog.append(
      make(
        "header",
        { class: "check-head" },
        make("div", {}, make("h2", { id: "check-title" }, words.check.title), this.kind),
        this.left,
      ),
      this.scene,
      this.dots,
      spoken,
      this.buttons,
      this.more,
      this.exits,
    );
  }

  start(check: Check, kind: string): void {
    this.kind.textContent = check.attempt > 1 ? `${kind} · ${words.check.attempt(check.attempt)}` : kind;
    this.clear();
    show(this.exits, true);
    this.look("is-live");
  }

  countdown(seconds: number | null): void {
    show(this.left, seconds !== null);
    if (seconds === null) return;
    this.left.textContent = words.check.left(seconds);
    this.left.classList.toggle("is-short", seconds <= 15);
  }

  /** A message while the camera picture stays in sight. */
  say(title: string, text: string, kind: "wait" | "aim"): void {
    this.clear();
    this.look(kind === "wait" ? "is-live is-busy" : "is-live");
    this.title.textContent = title;
    this.text.textContent = text;
  }

  /** One movement of the burst. */
  ask(prompt: string | null, text: string, index: number, count: number, lastsMs: number): void {
    this.look(`is-live is-asking${prompt === null ? "" : ` asks-${prompt}`}`);
    this.scene.style.setProperty("--lasts", `${lastsMs}ms`);
    this.badge.replaceChildren(prompt === null ? "" : drawMovement(prompt));
    this.title.textContent = text;
    this.text.textContent = "";
    this.dots.replaceChildren(
      ...Array.from({ length: count }, (_, at) => make("li", { class: at < index ? "is-done" : at === index ? "is-now" : "" })),
    );
    if (typeof navigator.vibrate === "function") navigator.vibrate(40);
  }

  /** What is seen of the movement that is being made. */
  remark(text: string): void {
    this.text.textContent = text;
  }

  flash(): void {
    this.scene.classList.remove("is-flash");
    void this.scene.offsetWidth;
    this.scene.classList.add("is-flash");
  }

  outcome(outcome: string, [title, text]: [string, string], next = ""): void {
    const [look, name] = OUTCOME_LOOKS[outcome] ?? ["is-bad", "exclamation-circle-fill"];
    this.clear();
    this.look(`is-still ${look}`);
    this.badge.replaceChildren(icon(name));
    this.title.textContent = title;
    this.text.textContent = [text, next].filter((part) => part !== "").join(" ");
    show(this.exits, next !== "");
  }

  /** `address`: of this page, to be opened in another browser. */
  failure(title: string, text: string, actions: Action[], address: string | null = null): void {
    this.clear();
    this.look("is-still is-bad");
    this.badge.replaceChildren(icon("camera-video-off"));
    this.title.textContent = title;
    this.text.textContent = text;
    if (address !== null) this.text.append(make("span", { class: "own-address" }, address));
    this.actions(actions);
    show(this.exits, false);
  }

  actions(actions: Action[]): void {
    this.buttons.replaceChildren(
      ...actions.map((action) => {
        const made = button(action.label, action.icon, `btn ${action.primary ? "btn-primary" : "btn-quiet"} btn-lg`, () => action.act(made));
        return made;
      }),
    );
    this.buttons.querySelector("button")?.focus();
  }

  links(links: [string, string][]): void {
    this.more.replaceChildren(...links.map(([label, url]) => make("a", { href: url }, label)));
  }

  private clear(): void {
    this.buttons.replaceChildren();
    this.more.replaceChildren();
    this.dots.replaceChildren();
    this.badge.replaceChildren();
  }

  private look(classes: string): void {
    this.scene.className = `check-scene ${classes}`;
    this.dialog.classList.toggle("is-result", classes.startsWith("is-still"));
  }
}
