/** When a movement began, seen from how much each picture differs from rest. Pure, so that it can be tested. */

/** One picture that was kept: when it was taken (ms), how it looks, and how much it differs from rest (grey levels). */
export interface Look {
  at: number;
  change: number;
  small: Float32Array;
  /** How much the picture changes from here within `QUICK_MS`; compared once, as soon as there is one to compare with. */
  step?: number;
}

/** The size of a small grey picture, and of the blocks by which two of them are compared. */
export const SMALL = { width: 64, height: 48, block: 8 };

/** Grey levels; less is a head that sways. */
const LEAST_CHANGE = 9;
/** A movement stands out from what was seen at rest by so much. */
const ABOVE_REST = 1.8;
/** While this share of the way to its farthest is still to go, a movement has not begun. */
const STILL_TO_GO = 0.75;
/** From this share of its greatest change on, a movement has arrived. */
const ARRIVED = 0.95;
/** What changes the picture so much (of the greatest change) within so long (ms) is a movement, and no sway. */
const QUICK = 0.6;
const QUICK_MS = 500;
/** A quick movement is under way while so much (of its quickest) changes within that time. */
const UNDER_WAY = 0.35;

/** Whether anything stands out from rest; `rest` is the greatest change while she sat still. */
export function hasBegun(looks: readonly Look[], rest: number): boolean {
  const least = Math.max(LEAST_CHANGE, rest * ABOVE_REST);
  return looks.some((look) => look.change >= least);
}

/**
 * When it began, or null while nothing stands out (see `hasBegun`). `reach`: how long after its beginning (ms) it is looked at.
 *
 * Heads sway and people shift in their seats, so that a picture differs from rest long before anybody moves as she was
 * asked. A quick movement is found by how much changes at a time, a slow one from its end.
 */
export function beginningOf(looks: readonly Look[], rest: number, reach: number): number | null {
  const [first] = looks;
  if (first === undefined || !hasBegun(looks, rest)) return null;
  const farthest = looks.reduce((most, look) => (look.change > most.change ? look : most), first);
  return beginningOfQuick(looks, farthest.change) ?? beginningFromEnd(looks, farthest, reach);
}

function beginningOfQuick(looks: readonly Look[], greatest: number): number | null {
  const steps: { at: number; change: number }[] = [];
  let ahead = 0;
  for (const look of looks) {
    while ((looks[ahead]?.at ?? Infinity) < look.at + QUICK_MS) ahead += 1;
    const then = looks[ahead];
    if (then === undefined) break;
    look.step ??= difference(look.small, then.small);
    steps.push({ at: look.at, change: look.step });
  }
  const quickest = Math.max(0, ...steps.map((step) => step.change));
  if (quickest < QUICK * greatest) return null;
  let place = steps.findIndex((step) => step.change === quickest);
  while ((steps[place - 1]?.change ?? 0) >= UNDER_WAY * quickest) place -= 1;
  return (steps[place]?.at ?? 0) + 0.8 * QUICK_MS;
}

/** Whoever shifted before is still as far from where the movement leads. Its end is always within reach. */
function beginningFromEnd(looks: readonly Look[], farthest: Look, reach: number): number {
  const before = looks
    .filter((look) => look.at < farthest.at)
    .map((look) => ({ at: look.at, apart: difference(look.small, farthest.small) }));
  const whole = before.reduce((most, look) => Math.max(most, look.apart), 0);
  const left = before.reduce((last, look) => (look.apart >= STILL_TO_GO * whole ? look.at : last), looks[0]?.at ?? 0);
  const arrived = looks.find((look) => look.change >= ARRIVED * farthest.change) ?? farthest;
  return Math.max(left, arrived.at - 0.9 * reach);
}

/** For each wanted moment the place of the picture nearest to it, in their order. Pictures may be fewer than moments. */
export function nearest(looks: readonly Look[], moments: readonly number[]): number[] {
  let from = 0;
  return moments.map((moment) => {
    let best = from;
    for (let place = from; place < looks.length; place += 1) {
      if (Math.abs((looks[place]?.at ?? 0) - moment) < Math.abs((looks[best]?.at ?? 0) - moment)) best = place;
    }
    from = Math.min(best + 1, Math.max(0, looks.length - 1));
    return best;
  });
}

/** The greatest mean difference of any block between two small grey pictures, their whole brightness set equal. */
export function difference(one: Float32Array, other: Float32Array): number {
  const { width, height, block } = SMALL;
  let shift = 0;
  for (let at = 0; at < one.length; at += 1) shift += (other[at] ?? 0) - (one[at] ?? 0);
  shift /= Math.max(1, one.length);
  let greatest = 0;
  for (let top = 0; top + block <= height; top += block) {
    for (let left = 0; left + block <= width; left += block) {
      let sum = 0;
      for (let y = top; y < top + block; y += 1) {
        for (let x = left; x < left + block; x += 1) {
          const at = y * width + x;
          sum += Math.abs((other[at] ?? 0) - (one[at] ?? 0) - shift);
        }
      }
      greatest = Math.max(greatest, sum / (block * block));
    }
  }
  return greatest;
}
