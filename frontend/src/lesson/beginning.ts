/** When a movement began, seen from how much each picture differs from rest. Pure, so that it can be tested. */

/** One picture that was kept: when it was taken (ms), and how much it differs from rest (grey levels). */
export interface Look {
  at: number;
  change: number;
}

/** Grey levels; less is a head that sways. */
const LEAST_CHANGE = 9;
/** A movement stands out from what was seen at rest by so much. */
const ABOVE_REST = 1.8;
/** Up to this share of its greatest change a movement has not begun. */
const BEGUN = 0.25;

/** When it began, or null while nothing stands out. `rest` is the greatest change while she sat still. */
export function beginningOf(looks: readonly Look[], rest: number): number | null {
  const greatest = looks.reduce((most, look) => (look.change > most.change ? look : most), { at: 0, change: 0 });
  if (greatest.change < Math.max(LEAST_CHANGE, rest * ABOVE_REST)) return null;
  const floor = Math.min(rest, greatest.change / 2);
  const begun = floor + BEGUN * (greatest.change - floor);
  const before = looks.filter((look) => look.at < greatest.at && look.change < begun);
  return before.at(-1)?.at ?? looks[0]?.at ?? null;
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
export function difference(one: Float32Array, other: Float32Array, width: number, height: number, block: number): number {
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
