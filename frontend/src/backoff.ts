/** How long to wait before trying again: exponential, with full jitter above half, and never less than the server asked. */

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** `failures` counts from 1; `random` is in [0, 1). */
export function backoffMs(failures: number, askedForMs: number | null = null, random: number = Math.random()): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  const jittered = ceiling / 2 + (ceiling / 2) * random;
  // Everybody was told the same number: spread them beyond it.
  return Math.round(askedForMs === null ? jittered : askedForMs + jittered * 0.5);
}
