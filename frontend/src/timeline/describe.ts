/** One thing of the record in words, and its pictures when they are asked for. */

import { button, make } from "../dom.ts";
import { words } from "../words/index.ts";
import { clockTime, lasting } from "./clock-time.ts";
import { detailOf, type Item, picturesOf, toneOf } from "./record.ts";

export function describe(item: Item): HTMLElement[] {
  const status = make("span", { class: `status is-${toneOf(item.kind)}` }, item.label);
  const length = item.to_ms === undefined ? "" : ` · ${words.timeline.lasting(lasting(item.to_ms - item.from_ms))}`;
  const time = make("span", { class: "quiet" }, `${clockTime(item.from_ms, true)}${length}`);
  const detail = detailOf(item);
  return [status, time, ...(detail === "" ? [] : [make("span", { class: "replay-detail" }, detail)])];
}

/** A button that fetches the pictures at last: that look is recorded. */
export function pictureButton(item: Item): HTMLElement | null {
  const pictures = picturesOf(item);
  if (pictures.length === 0) return null;
  const place = make("span", { class: "replay-pictures" });
  place.append(
    button(words.timeline.picture, "eye", "btn btn-quiet btn-sm", () =>
      place.replaceChildren(...pictures.map((url) => make("img", { src: url, alt: `${item.label} ${clockTime(item.from_ms, true)}` }))),
    ),
  );
  return place;
}
