/** Stretches of a film, as the server names them: [from, to) in ms, in order, none touching another. */

import type { Range } from "./protocol.ts";

/** The milliseconds that both cover. */
export function common(one: readonly Range[], other: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const [from, to] of one) {
    for (const [first, last] of other) {
      const begins = Math.max(from, first);
      const ends = Math.min(to, last);
      if (begins < ends) found.push([begins, ends]);
    }
  }
  return found;
}

export function total(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** What of the ranges lies at or behind this place. */
export function from(ranges: readonly Range[], ms: number): Range[] {
  return ranges.filter(([, to]) => to > ms).map(([first, to]) => [Math.max(first, ms), to]);
}

export function covers(ranges: readonly Range[], ms: number): boolean {
  return ranges.some(([first, to]) => first <= ms && ms < to);
}
