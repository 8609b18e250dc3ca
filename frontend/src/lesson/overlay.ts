/** What lies over the film when it may not simply run: why, and the way on. One at a time. */

import { button, make, show } from "../dom.ts";

/** Why the film is covered. The order is that of urgency: a later one covers an earlier one. */
export type Reason = "start" | "hidden" | "finished" | "offline" | "idle" | "failed" | "ended" | "lost" | "held" | "signed-out" | "opening";

export interface Action {
  label: string;
  icon: string | null;
  primary?: boolean;
  act: () => void;
}

interface Content {
  title: string;
  text: string;
  actions: Action[];
}

export class Overlay {
  private readonly element: HTMLElement;
  private now: Reason | null = "opening";
  /** Called when a button that had the keys has gone with what it covered. */
  private readonly gone: () => void;

  constructor(element: HTMLElement, gone: () => void = () => undefined) {
    this.element = element;
    this.gone = gone;
  }

  get reason(): Reason | null {
    return this.now;
  }

  cover(reason: Reason, content: Content): void {
    const focused = this.element.contains(document.activeElement);
    this.now = reason;
    const actions = content.actions.map((action) =>
      button(action.label, action.icon, `btn btn-lg ${action.primary === false ? "btn-outline-light" : "btn-primary"}`, action.act),
    );
    this.element.className = `stage-overlay is-${reason}`;
    this.element.replaceChildren(
      ...(content.title === "" ? [] : [make("h2", {}, content.title)]),
      ...(content.text === "" ? [] : [make("p", {}, content.text)]),
      make("div", { class: "overlay-actions" }, ...actions),
    );
    show(this.element, true);
    if (focused) this.element.querySelector("button")?.focus();
  }

  /** The running text of what is shown (a countdown). */
  retell(text: string): void {
    const paragraph = this.element.querySelector("p");
    if (paragraph !== null) paragraph.textContent = text;
  }

  lift(...reasons: Reason[]): void {
    if (this.now === null || (reasons.length > 0 && !reasons.includes(this.now))) return;
    const focused = this.element.contains(document.activeElement);
    this.now = null;
    show(this.element, false);
    this.element.replaceChildren();
    if (focused) this.gone();
  }
}
