/** The replay: tracks over time with a moment that can be moved, zoomed and played; and the same as a list. */

import { button, icon, make, show } from "../dom.ts";
import { words, wordsFor } from "../words/index.ts";
import { clockTime, lasting } from "./clock-time.ts";
import { describe, pictureButton } from "./describe.ts";
import { listOf } from "./list.ts";
import { axisStepMs, detailOf, type Item, itemsAt, odditiesOf, picturesOf, type SittingRecord, toneOf, type Track } from "./record.ts";

const MOST_ZOOM = 64;
const AXIS_LABELS = 8;
const SPEEDS = [10, 60, 300];
const FRAME_MS = 100;

export class Replay {
  private readonly record: SittingRecord;
  private readonly root: HTMLElement;
  private readonly canvas = make("div", { class: "replay-canvas" });
  private readonly scroller = make("div", { class: "replay-scroller", tabindex: "0", role: "group", "aria-label": words.timeline.help }, this.canvas);
  private readonly cursor = make("div", { class: "replay-cursor", "aria-hidden": "true" });
  private readonly slider = make("input", { type: "range", class: "replay-slider", "aria-label": words.timeline.moment });
  private readonly clock = make("output", { class: "replay-clock" });
  private readonly here = make("div", { class: "replay-here", "aria-live": "polite" });
  private readonly playButton: HTMLButtonElement;
  private readonly speed = make("select", { class: "form-select", "aria-label": words.timeline.speed });
  private zoom = 1;
  private atMs: number;
  private timer: number | undefined;
  private readonly oddities: number[];

  constructor(root: HTMLElement, record: SittingRecord) {
    this.root = root;
    this.record = record;
    this.atMs = record.began_ms;
    this.oddities = odditiesOf(record);
    this.playButton = button(words.timeline.play, "play-fill", "btn btn-primary", () => this.togglePlay());
    for (const factor of SPEEDS) {
      const option = make("option", { value: String(factor) }, words.timeline.times(factor));
      option.selected = factor === 60;
      this.speed.append(option);
    }
    this.build();
    this.draw();
    // A finding leads here with its moment in the address.
    const asked = Number(window.location.hash.slice(1));
    this.goTo(Number.isFinite(asked) && asked > 0 ? asked : record.began_ms);
  }

  private get spanMs(): number {
    return Math.max(1, this.record.ended_ms - this.record.began_ms);
  }

  private build(): void {
    const { timeline } = words;
    const list = listOf(this.record);
    show(list, false);
    const board = make("div", {}, this.scroller, this.slider, this.here);
    const views = [button(timeline.asTimeline, "activity", "btn btn-quiet", () => choose(0)), button(timeline.asList, "list-ul", "btn btn-quiet", () => choose(1))];
    const choose = (index: number): void => {
      views.forEach((view, at) => view.setAttribute("aria-pressed", String(at === index)));
      show(board, index === 0);
      show(list, index === 1);
    };
    const tools = make(
      "div",
      { class: "replay-tools" },
      this.playButton,
      this.speed,
      this.clock,
      this.tool(timeline.oddityBefore, "chevron-left", () => this.step(-1)),
      make("span", { class: "replay-oddities" }, timeline.oddities(this.oddities.length)),
      this.tool(timeline.oddityAfter, "chevron-right", () => this.step(1)),
      make("span", { class: "flex-fill" }),
      this.tool(timeline.zoomOut, "zoom-out", () => this.zoomBy(0.5)),
      this.tool(timeline.zoomIn, "zoom-in", () => this.zoomBy(2)),
      button(timeline.whole, null, "btn btn-quiet", () => this.zoomBy(0)),
      ...views,
    );
    this.slider.min = String(this.record.began_ms);
    this.slider.max = String(this.record.ended_ms);
    this.slider.step = "1000";
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
    this.canvas.addEventListener("pointerdown", (event) => this.scrub(event));
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", timeline.label);
    this.root.replaceChildren(tools, board, list, make("p", { class: "quiet replay-help" }, timeline.help, " ", timeline.pictureLogged));
    choose(0);
  }

  private tool(label: string, name: string, act: () => void): HTMLButtonElement {
    const made = make("button", { type: "button", class: "btn btn-quiet", "aria-label": label, title: label }, icon(name));
    made.addEventListener("click", act);
    return made;
  }

  // ── Drawing ────────────────────────────────────────────────────────────────────────────────────

  private draw(): void {
    this.canvas.style.width = `${this.zoom * 100}%`;
    this.canvas.replaceChildren(this.axis(), ...this.record.tracks.map((track) => this.lane(track)), this.cursor);
    this.placeCursor();
  }

  private percent(ms: number): number {
    return ((Math.min(Math.max(ms, this.record.began_ms), this.record.ended_ms) - this.record.began_ms) / this.spanMs) * 100;
  }

  private axis(): HTMLElement {
    const axis = make("div", { class: "replay-axis", "aria-hidden": "true" });
    const step = axisStepMs(this.spanMs, AXIS_LABELS * this.zoom);
    const first = Math.ceil(this.record.began_ms / step) * step;
    for (let at = first; at <= this.record.ended_ms; at += step) {
      axis.append(make("span", { style: `left: ${this.percent(at)}%` }, clockTime(at, step < 60_000)));
    }
    return axis;
  }

  private lane(track: Track): HTMLElement {
    const name = wordsFor(words.timeline.tracks, track.name);
    const lane = make("div", { class: "replay-lane" });
    for (const item of track.items) lane.append(this.block(item, name));
    return make("div", { class: "replay-track" }, make("span", { class: "replay-name" }, name), lane);
  }

  private block(item: Item, trackName: string): HTMLElement {
    const left = this.percent(item.from_ms);
    const isMoment = item.to_ms === undefined;
    const width = isMoment ? 0 : this.percent(item.to_ms ?? item.from_ms) - left;
    const text = [trackName, clockTime(item.from_ms, true), item.label, detailOf(item)].filter((word) => word !== "").join(" · ");
    const block = make("button", {
      type: "button",
      class: `replay-item is-${toneOf(item.kind)}${isMoment ? " is-moment" : ""}${picturesOf(item).length > 0 ? " has-picture" : ""}`,
      style: isMoment ? `left: ${left}%` : `left: ${left}%; width: ${width}%`,
      title: text,
      "aria-label": text,
      // The slider and the list serve the keyboard; hundreds of stops on the way would not.
      tabindex: "-1",
    });
    block.addEventListener("click", () => this.goTo(item.from_ms));
    return block;
  }

  // ── Moving ─────────────────────────────────────────────────────────────────────────────────────

  private goTo(ms: number): void {
    this.atMs = Math.round(Math.min(Math.max(ms, this.record.began_ms), this.record.ended_ms));
    this.slider.value = String(this.atMs);
    for (const field of document.querySelectorAll<HTMLInputElement>("input[data-moment]")) field.value = String(this.atMs);
    for (const shown of document.querySelectorAll<HTMLElement>("[data-moment-shown]")) shown.textContent = clockTime(this.atMs, true);
    const time = clockTime(this.atMs, true);
    this.slider.setAttribute("aria-valuetext", time);
    this.clock.textContent = `${time} · ${lasting(this.atMs - this.record.began_ms)}`;
    this.placeCursor();
    this.tellHere();
  }

  /** To the next oddity, or back to the one before. */
  private step(way: 1 | -1): void {
    const beyond = way === 1 ? this.oddities.find((at) => at > this.atMs) : [...this.oddities].reverse().find((at) => at < this.atMs);
    if (beyond !== undefined) this.goTo(beyond);
  }

  private placeCursor(): void {
    this.cursor.style.left = `${this.percent(this.atMs)}%`;
    const x = (this.percent(this.atMs) / 100) * this.canvas.clientWidth;
    const { scrollLeft, clientWidth } = this.scroller;
    if (x < scrollLeft || x > scrollLeft + clientWidth) this.scroller.scrollLeft = x - clientWidth / 2;
  }

  private tellHere(): void {
    const near = Math.max(1_000, this.spanMs / (400 * this.zoom));
    const found = this.record.tracks
      .map((track) => [wordsFor(words.timeline.tracks, track.name), itemsAt(track, this.atMs, near)] as const)
      .filter(([, items]) => items.length > 0);
    const key = found.map(([name, items]) => name + items.map((item) => item.from_ms + item.label).join()).join();
    if (this.here.dataset["key"] === key) return;
    this.here.dataset["key"] = key;
    const facts = found.flatMap(([name, items]) =>
      items.map((item) => make("div", {}, make("dt", {}, name), make("dd", {}, ...describe(item), pictureButton(item)))),
    );
    this.here.replaceChildren(
      make("h2", {}, words.timeline.atMoment),
      facts.length === 0 ? make("p", { class: "quiet" }, words.timeline.nothingHere) : make("dl", {}, ...facts),
    );
  }

  private scrub(event: PointerEvent): void {
    const move = (at: PointerEvent): void => {
      const box = this.canvas.getBoundingClientRect();
      this.goTo(this.record.began_ms + ((at.clientX - box.left) / box.width) * this.spanMs);
    };
    if (event.target instanceof HTMLElement && event.target.classList.contains("is-moment")) return;
    if (event.pointerType === "touch") {
      move(event);
      return;
    }
    event.preventDefault();
    move(event);
    const stop = (): void => window.removeEventListener("pointermove", move);
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop, { once: true });
  }

  /** Twice or half as near; 0 shows everything. */
  private zoomBy(factor: number): void {
    this.zoom = factor === 0 ? 1 : Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    this.draw();
    const x = (this.percent(this.atMs) / 100) * this.canvas.clientWidth;
    this.scroller.scrollLeft = x - this.scroller.clientWidth / 2;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.target instanceof HTMLSelectElement) return;
    if (event.key === "+" || event.key === "=") this.zoomBy(2);
    else if (event.key === "-") this.zoomBy(0.5);
    else if (event.key === "j" || event.key === "J") this.step(1);
    else if (event.key === "k" || event.key === "K") this.step(-1);
    else if (event.key === "f" || event.key === "F") {
      const marks = document.querySelector<HTMLElement>("[data-opens='raise-finding']");
      marks?.click();
      if (marks !== null) event.preventDefault();
    }
    else if (event.key === " " && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      this.togglePlay();
    }
  }

  private togglePlay(): void {
    const starts = this.timer === undefined;
    this.playButton.replaceChildren(icon(starts ? "pause-fill" : "play-fill"), starts ? words.timeline.pause : words.timeline.play);
    if (!starts) {
      window.clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    if (this.atMs >= this.record.ended_ms) this.goTo(this.record.began_ms);
    this.timer = window.setInterval(() => {
      this.goTo(this.atMs + FRAME_MS * Number(this.speed.value));
      if (this.atMs >= this.record.ended_ms) this.togglePlay();
    }, FRAME_MS);
  }
}
