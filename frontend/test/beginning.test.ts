import assert from "node:assert/strict";
import { test } from "node:test";
import { beginningOf, difference, nearest } from "../src/lesson/beginning.ts";

/** Pictures every 66 ms: still until `from`, then growing for `lasts` ms to `height`. */
function movement(from: number, lasts: number, height: number, sway = 3): { at: number; change: number }[] {
  return Array.from({ length: 90 }, (_, place) => {
    const at = place * 66;
    const grown = Math.min(1, Math.max(0, (at - from) / lasts));
    return { at, change: sway * (place % 2) + height * grown };
  });
}

test("quick or slow, a movement begins where it leaves rest", () => {
  for (const lasts of [250, 600, 3_000]) {
    const begun = beginningOf(movement(2_000, lasts, 40), 3) ?? 0;
    assert.ok(begun >= 1_900 && begun <= 2_000 + 0.35 * lasts + 66, `${lasts}: ${begun}`);
  }
});

test("a head that sways has not begun", () => {
  assert.equal(beginningOf(movement(9_000, 500, 40), 3), null);
  assert.equal(beginningOf([], 0), null);
});

test("each moment gets a picture of its own, in order", () => {
  const looks = movement(0, 500, 40);
  const places = nearest(looks, [-400, 60, 90, 100, 110, 2_000]);
  assert.deepEqual(places, [...places].sort((one, other) => one - other));
  assert.equal(new Set(places).size, places.length);
  assert.ok(Math.abs((looks[places.at(-1) ?? 0]?.at ?? 0) - 2_000) <= 66);
});

test("brighter light all over is no movement, a small change in one place is", () => {
  const rest = Float32Array.from({ length: 64 * 48 }, (_, at) => at % 97);
  const lit = rest.map((grey) => grey + 20);
  assert.ok(difference(rest, lit, 64, 48, 8) < 1);
  const lids = rest.map((grey, at) => (at % 64 > 20 && at % 64 < 29 && at > 64 * 16 && at < 64 * 24 ? grey + 60 : grey));
  assert.ok(difference(rest, lids, 64, 48, 8) > 20);
});
