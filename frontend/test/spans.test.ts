import assert from "node:assert/strict";
import { test } from "node:test";
import { PlayedSpans } from "../src/lesson/spans.ts";

/** Play from `fromMs` to `toMs` in steps of a quarter second, as browsers report. */
function play(spans: PlayedSpans, fromMs: number, toMs: number, atMs: number): void {
  for (let position = fromMs; position <= toMs; position += 250) spans.note(position, atMs + position - fromMs);
}

test("what runs on is one span", () => {
  const spans = new PlayedSpans();
  play(spans, 0, 10_000, 0);
  assert.deepEqual(spans.take(), [{ fromMs: 0, toMs: 10_000 }]);
});

test("the next beat begins where the last one ended", () => {
  const spans = new PlayedSpans();
  play(spans, 0, 5_000, 0);
  spans.take();
  play(spans, 5_000, 8_000, 5_000);
  assert.deepEqual(spans.take(), [{ fromMs: 5_000, toMs: 8_000 }]);
});

test("a jump ahead splits, and nothing is claimed in between", () => {
  const spans = new PlayedSpans();
  play(spans, 0, 2_000, 0);
  play(spans, 60_000, 61_000, 2_250);
  assert.deepEqual(spans.take(), [
    { fromMs: 0, toMs: 2_000 },
    { fromMs: 60_000, toMs: 61_000 },
  ]);
});

test("a jump back splits", () => {
  const spans = new PlayedSpans();
  play(spans, 30_000, 32_000, 0);
  play(spans, 10_000, 11_000, 2_250);
  assert.deepEqual(spans.take().map((span) => span.fromMs), [30_000, 10_000]);
});

test("a stall closes the span, and time without media adds none", () => {
  const spans = new PlayedSpans();
  play(spans, 0, 1_000, 0);
  spans.close();
  spans.note(1_000, 60_000);
  assert.deepEqual(spans.take(), [{ fromMs: 0, toMs: 1_000 }]);
});

test("a player that settles a little back does not split", () => {
  const spans = new PlayedSpans();
  play(spans, 0, 1_000, 0);
  spans.note(900, 1_100);
  spans.note(1_200, 1_400);
  assert.deepEqual(spans.take(), [{ fromMs: 0, toMs: 1_200 }]);
});

test("standing still reports nothing", () => {
  const spans = new PlayedSpans();
  spans.note(4_000, 0);
  spans.note(4_000, 250);
  assert.deepEqual(spans.take(), []);
});

test("the frames around a stall leave no gap", () => {
  const spans = new PlayedSpans();
  play(spans, 0, 1_000, 0);
  spans.close();
  spans.note(1_070, 5_000);
  spans.note(1_320, 5_250);
  assert.deepEqual(spans.take(), [
    { fromMs: 0, toMs: 1_000 },
    { fromMs: 1_000, toMs: 1_320 },
  ]);
});

test("playing begins where it was sent to, not where it is first seen", () => {
  const spans = new PlayedSpans();
  spans.jump(34_000);
  play(spans, 34_009, 35_009, 0);
  assert.deepEqual(spans.take(), [{ fromMs: 34_000, toMs: 35_009 }]);
});

test("the bridge is short: further away nothing is claimed", () => {
  const spans = new PlayedSpans();
  spans.jump(10_000);
  play(spans, 10_600, 11_600, 0);
  assert.deepEqual(spans.take(), [{ fromMs: 10_600, toMs: 11_600 }]);
});

test("what the server refused is not reported again", () => {
  const spans = new PlayedSpans();
  play(spans, 5_000, 6_000, 0);
  spans.drop();
  spans.jump(2_000);
  play(spans, 2_000, 2_500, 1_000);
  assert.deepEqual(spans.take(), [{ fromMs: 2_000, toMs: 2_500 }]);
});
