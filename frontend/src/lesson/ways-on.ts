/** The end of a lesson leads on: to what is to be made up, to what was not watched, to the next lesson, to what counts. */

import { amount, words } from "../words/index.ts";
import { FATES, type Line } from "./protocol.ts";
import type { Action } from "./overlay.ts";

interface Ways {
  makeUp: () => void;
  playFrom: (ms: number) => void;
  /** Empty when this is the last. */
  nextUrl: string;
  hoursUrl: string;
}

/** The first is what she most probably wants. */
export function waysOn(line: Line | null, { makeUp, playFrom, nextUrl, hoursUrl }: Ways): Action[] {
  const found: Action[] = [];
  const add = (label: string, icon: string, act: () => void): void => {
    found.push({ label, icon, act, primary: found.length === 0 });
  };
  if (line !== null && line.make_up.length > 0) add(words.makeUp.start, "arrow-repeat", makeUp);
  if (line !== null && line.shown.unseen > 0) add(words.stop.continue, "play-fill", () => playFrom(line.furthest_ms));
  if (nextUrl !== "") add(words.stop.nextLesson, "arrow-right", () => location.assign(nextUrl));
  add(words.stop.seeHours, "clock-history", () => location.assign(hoursUrl));
  if (line !== null && line.shown.unseen === 0) add(words.player.again, "arrow-counterclockwise", () => playFrom(0));
  return found;
}

/** The film's four sums in a sentence. */
export function sumsOf(line: Line): string {
  const told = FATES.filter((fate) => line.shown[fate] > 0 || fate === "counted");
  return told.map((fate) => words.joined(words.fates[fate], amount(line.shown[fate] * 1000))).join(words.comma);
}
