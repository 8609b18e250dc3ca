/** The same record as a table, in the order of time: for keyboards, readers of the screen, and paper. */

import { make } from "../dom.ts";
import { words, wordsFor } from "../words/index.ts";
import { clockTime, lasting } from "./clock-time.ts";
import { pictureButton } from "./describe.ts";
import { detailOf, type SittingRecord, toneOf } from "./record.ts";

export function listOf(record: SittingRecord): HTMLElement {
  const { timeline } = words;
  const head = make("tr", {}, ...[timeline.time, timeline.track, timeline.what, timeline.detail].map((text) => make("th", { scope: "col" }, text)));
  const rows = record.tracks
    .flatMap((track) => track.items.map((item) => ({ item, name: wordsFor(timeline.tracks, track.name) })))
    .sort((one, other) => one.item.from_ms - other.item.from_ms)
    .map(({ item, name }) => {
      const length = item.to_ms === undefined ? "" : ` · ${lasting(item.to_ms - item.from_ms)}`;
      return make(
        "tr",
        {},
        make("th", { scope: "row" }, `${clockTime(item.from_ms, true)}${length}`),
        make("td", { "data-label": timeline.track }, name),
        make("td", { "data-label": timeline.what }, make("span", { class: `status is-${toneOf(item.kind)}` }, item.label)),
        make("td", { "data-label": timeline.detail }, detailOf(item), pictureButton(item)),
      );
    });
  return make("div", { class: "data" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}
