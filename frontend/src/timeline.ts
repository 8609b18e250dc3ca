/** Puts the replay of a sitting wherever a page asks for one: `<div data-replay data-url="…">`. */

import { call } from "./api.ts";
import { button, datum, make } from "./dom.ts";
import type { SittingRecord } from "./timeline/record.ts";
import { Replay } from "./timeline/replay.ts";
import { words } from "./words/index.ts";

async function load(root: HTMLElement): Promise<void> {
  try {
    const record = await call<SittingRecord>(datum(root, "url"));
    const isEmpty = record.tracks.every((track) => track.items.length === 0);
    if (isEmpty) root.replaceChildren(make("p", { class: "quiet" }, words.timeline.nothing));
    else new Replay(root, record);
  } catch {
    const again = button(words.retry, "arrow-clockwise", "btn btn-quiet", () => void load(root));
    root.replaceChildren(make("p", { role: "alert" }, words.timeline.failed), again);
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-replay]")) void load(root);
