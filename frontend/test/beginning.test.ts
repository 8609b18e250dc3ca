import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningOf, difference, type Look, nearest, SMALL } from "../src/lesson/beginning.ts";

const REST = Float32Array.from({ length: SMALL.width * SMALL.height }, (_, at) => at % 97);

const REACH = 3_300;

/** Something bright and rounded like a head, so far from the left; what sways stands beside it. */
function picture(left: number, sway: number): Float32Array {
  const small = REST.slice();
  for (let y = 16; y < 32; y += 1) {
    for (let x = 0; x < SMALL.width; x += 1) {
      const away = (x - left) / 12;
      small[y * SMALL.width + x] = (REST[y * SMALL.width + x] ?? 0) + 150 * Math.exp(-away * away);
    }
    small[y * SMALL.width + 60] = 100 + 10 * sway;
  }
  return small;
}

/** Pictures every 66 ms: at rest until `from`, then moving for `lasts` ms; shifted in her seat from `shifted` on. */
function movement(from: number, lasts: number, shifted = Infinity): Look[] {
  const rest = picture(24, 0);
  return Array.from({ length: 90 }, (_, place) => {
    const at = place * 66;
    const grown = Math.min(1, Math.max(0, (at - from) / lasts));
    const small = picture(24 + (at >= shifted ? 2 : 0) + 10 * grown, place % 2);
    return { at, small, change: difference(rest, small) };
  });
}

test("quick or slow, a movement begins where it leaves rest", () => {
  for (const lasts of [250, 600, 3_000]) {
    const begun = beginningOf(movement(2_000, lasts), 3, REACH) ?? 0;
    assert.ok(begun >= 1_900 && begun <= 2_000 + 0.35 * lasts + 66, `${lasts}: ${begun}`);
  }
});

test("whoever shifts in her seat has not begun to move", () => {
  const begun = beginningOf(movement(3_000, 600, 1_200), 3, REACH) ?? 0;
  assert.ok(begun >= 2_900 && begun <= 3_300, `${begun}`);
});

test("where a movement leads is within reach, however early something moved", () => {
  const begun = beginningOf(movement(2_000, 3_600, 400), 3, REACH) ?? 0;
  assert.ok(begun + REACH >= 2_000 + 0.9 * 3_600, `${begun}`);
});

test("a head that sways has not begun", () => {
  assert.equal(beginningOf(movement(9_000, 500), 3, REACH), null);
  assert.equal(beginningOf([], 0, REACH), null);
});

test("each moment gets a picture of its own, in order", () => {
  const looks = movement(0, 500);
  const places = nearest(looks, [-400, 60, 90, 100, 110, 2_000]);
  assert.deepEqual(places, [...places].sort((one, other) => one - other));
  assert.equal(new Set(places).size, places.length);
  assert.ok(Math.abs((looks[places.at(-1) ?? 0]?.at ?? 0) - 2_000) <= 66);
});

test("brighter light all over is no movement, a small change in one place is", () => {
  const lit = REST.map((grey) => grey + 20);
  assert.ok(difference(REST, lit) < 1);
  const lids = REST.map((grey, at) => (at % 64 > 20 && at % 64 < 29 && at > 64 * 16 && at < 64 * 24 ? grey + 60 : grey));
  assert.ok(difference(REST, lids) > 20);
});
