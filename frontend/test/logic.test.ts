import assert from "node:assert/strict";
import { test } from "node:test";
import { position } from "../src/amounts.ts";
import { backoffMs } from "../src/backoff.ts";
import { ServerClock } from "../src/clock.ts";
import { planBurst } from "../src/lesson/burst.ts";
import { axisStepMs, itemsAt } from "../src/timeline/record.ts";

test("waits double, stay between half and whole, and end at half a minute", () => {
  assert.equal(backoffMs(1, null, 0), 500);
  assert.equal(backoffMs(1, null, 1), 1_000);
  assert.equal(backoffMs(4, null, 1), 8_000);
  assert.equal(backoffMs(50, null, 1), 30_000);
});

test("never sooner than the server asked, and not all at the same instant", () => {
  assert.equal(backoffMs(1, 5_000, 0), 5_250);
  assert.ok(backoffMs(1, 5_000, 0.9) > backoffMs(1, 5_000, 0.1));
});

test("a burst has one frame at rest and shares the rest over the movements", () => {
  const steps = planBurst(["turn_left", "blink"], 5);
  assert.deepEqual(steps.map((step) => step.prompt), [null, "turn_left", "blink"]);
  assert.deepEqual(steps.map((step) => step.takeAtMs.length), [1, 2, 2]);
});

test("every movement gets a frame, however few the plan asks for", () => {
  assert.deepEqual(planBurst(["blink", "open_mouth"], 1).map((step) => step.takeAtMs.length), [1, 1, 1]);
});

test("without movements all frames are taken at rest, one after the other", () => {
  const [only] = planBurst([], 3);
  assert.equal(only?.takeAtMs.length, 3);
  assert.ok((only?.takeAtMs[1] ?? 0) > (only?.takeAtMs[0] ?? 0));
});

test("positions read like a clock", () => {
  assert.equal(position(0), "0:00");
  assert.equal(position(725_999), "12:05");
  assert.equal(position(3_725_000), "1:02:05");
});

test("a better measurement of the server's clock replaces a worse one, not the other way round", () => {
  const clock = new ServerClock();
  const now = Date.now();
  const server = new Date(now + 10_000).toISOString();
  clock.noteExact(server, now, now);
  clock.noteDate(new Date(now + 10_200).toUTCString(), now, now + 400);
  assert.ok(Math.abs(clock.now() - Date.now() - 10_000) < 50);
});

test("a stretch covers its beginning but not its end, a moment what is near it", () => {
  const track = { name: "t", items: [{ from_ms: 10, to_ms: 20, kind: "", label: "a" }, { from_ms: 30, kind: "", label: "b" }] };
  assert.deepEqual(itemsAt(track, 10, 2).map((item) => item.label), ["a"]);
  assert.deepEqual(itemsAt(track, 20, 2), []);
  assert.deepEqual(itemsAt(track, 32, 2).map((item) => item.label), ["b"]);
});

test("the axis is divided in steps a person reads", () => {
  assert.equal(axisStepMs(3_600_000, 8), 600_000);
  assert.equal(axisStepMs(60_000, 8), 10_000);
});
