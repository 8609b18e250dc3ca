/** The words of the page's language, chosen by `<html lang>`. */

import { minutesAndSeconds } from "../amounts.ts";
import { en } from "./en.ts";
import { type Words, zh } from "./zh.ts";

export const words: Words = document.documentElement.lang.startsWith("en") ? en : zh;

/** An amount of time: 12 分 05 秒. */
export function amount(ms: number): string {
  const { minutes, seconds } = minutesAndSeconds(ms);
  return words.amount(minutes, seconds);
}

/** The words for a code of the server; an unknown code is shown as it is rather than hidden. */
export function wordsFor(table: Record<string, string>, code: string): string {
  return table[code] ?? code;
}
