import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { Saving } from "../src/lesson/beats.ts";
import type { StoredSitting } from "../src/lesson/beat-store.ts";
import type { Beat, BeatsAnswer } from "../src/lesson/protocol.ts";
import { openPage, settled } from "./support/page.ts";

openPage();
const { Interposed, Problem, Unreachable } = await import("../src/api.ts");
const { BeatStore } = await import("../src/lesson/beat-store.ts");
const { BeatQueue } = await import("../src/lesson/beats.ts");

const ANSWER = { furthest_ms: 0, ledger: null, refused: [], check: null, question: null, server_time: "" } as BeatsAnswer;

let batches: Beat[][];
let states: Saving[];
let dropped: string[];
let answer: () => Promise<BeatsAnswer>;

function stored(nextSeq = 1): StoredSitting {
  return { sittingId: "s", enrolmentId: "e", lessonId: "l", nextSeq, unsent: [], touchedAt: 0 };
}

function queue(kept: StoredSitting = stored()): InstanceType<typeof BeatQueue> {
  return new BeatQueue(new BeatStore(null), kept, {
    send: (beats) => {
      batches.push([...beats]);
      return answer();
    },
    answered: () => undefined,
    dropped: (problem) => dropped.push(problem.type),
    changed: (saving) => states.push(saving),
  });
}

function played(beats: InstanceType<typeof BeatQueue>, count: number): void {
  for (let number = 0; number < count; number += 1) beats.add({ fromMs: 10_000 * number, toMs: 10_000 * (number + 1) }, "playing", 1, false);
}

beforeEach(() => {
  batches = [];
  states = [];
  dropped = [];
  answer = () => Promise.resolve(ANSWER);
  mock.timers.enable({ apis: ["setTimeout"] });
});

afterEach(() => mock.timers.reset());

test("each beat has a number of its own, in order, whatever becomes of the answers", async () => {
  const kept = stored(7);
  const beats = queue(kept);
  answer = () => Promise.reject(new Unreachable("no network"));
  played(beats, 3);
  beats.flush();
  await settled();
  played(beats, 2);
  answer = () => Promise.resolve(ANSWER);
  mock.timers.tick(30_000);
  await settled();
  const seen = new Map(batches.flat().map((beat) => [beat.beat_id, beat.seq]));
  assert.deepEqual([...seen.values()], [7, 8, 9, 10, 11]);
  assert.equal(kept.nextSeq, 12);
  assert.equal(beats.unsent, 0);
});

test("an outage of an hour is handed in in batches the server takes", async () => {
  const beats = queue();
  played(beats, 150);
  beats.flush();
  await settled();
  assert.deepEqual(batches.map((batch) => batch.length), [60, 60, 30]);
  assert.equal(states.at(-1)?.kind, "saved");
});

test("only one request is under way at a time", async () => {
  const beats = queue();
  let release: (value: BeatsAnswer) => void = () => undefined;
  answer = () => new Promise((done) => (release = done));
  played(beats, 1);
  beats.flush();
  played(beats, 1);
  beats.flush();
  beats.flushWhenDue();
  await settled();
  assert.equal(batches.length, 1);
  release(ANSWER);
  await settled();
  assert.deepEqual(batches.map((batch) => batch.length), [1, 1]);
});

test("after a failure it waits for its turn, and longer each time", async () => {
  const beats = queue();
  answer = () => Promise.reject(new Unreachable("no network"));
  played(beats, 1);
  beats.flush();
  await settled();
  played(beats, 1);
  beats.flushWhenDue();
  await settled();
  assert.equal(batches.length, 1, "a new beat does not jump the wait");
  for (let turn = 0; turn < 6; turn += 1) {
    mock.timers.tick(60_000);
    await settled();
  }
  const waits = states.filter((each) => each.kind === "offline").map((each) => (each.kind === "offline" ? each.retryAt - Date.now() : 0));
  assert.ok((waits.at(-1) ?? 0) > (waits[0] ?? 0) * 4);
  assert.ok(waits.every((ms) => ms <= 30_000));
});

test("a beat that the server cannot read is dropped, and the next one is sent", async () => {
  const beats = queue();
  answer = () => Promise.reject(new Problem(422, { type: "beat-not-whole" }, null));
  played(beats, 1);
  beats.flush();
  await settled();
  assert.deepEqual(dropped, ["beat-not-whole"]);
  assert.equal(beats.unsent, 0);
  answer = () => Promise.resolve(ANSWER);
  played(beats, 1);
  beats.flushWhenDue();
  await settled();
  assert.equal(states.at(-1)?.kind, "saved");
});

test("signed out: beats stay for the next sign-in; a lost turn: they are on record and go", async () => {
  for (const [status, type, left] of [[401, "not-signed-in", 2], [409, "sitting-lease-lost", 0]] as const) {
    const kept = stored();
    const beats = queue(kept);
    answer = () => Promise.reject(new Problem(status, { type }, null));
    played(beats, 2);
    beats.flush();
    await settled();
    assert.equal(states.at(-1)?.kind, "halted");
    assert.equal(kept.unsent.length, left);
    const before = batches.length;
    played(beats, 1);
    beats.flush();
    beats.retrySoon();
    mock.timers.tick(60_000);
    await settled();
    assert.equal(batches.length, before, "nothing is sent or noted any more");
    assert.equal(kept.unsent.length, left);
  }
});

test("who stands in the way is named: nobody, a firewall, or a busy platform", async () => {
  const cases: [Error, string, number | null][] = [
    [new Unreachable("no network"), "offline", null],
    [new Interposed(403), "offline", 403],
    [new Interposed(502), "busy", null],
    [new Problem(503, { type: "busy" }, 5_000), "busy", null],
    [new Problem(429, { type: "too-many" }, 5_000), "busy", null],
  ];
  for (const [error, kind, by] of cases) {
    const beats = queue();
    answer = () => Promise.reject(error);
    played(beats, 1);
    beats.flush();
    await settled();
    const state = states.at(-1);
    assert.equal(state?.kind, kind);
    assert.equal(state?.kind === "offline" ? state.by : null, by);
    assert.equal(beats.unsent, 1);
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
  }
});

test("a page that goes away hands in what waits, at most what one request takes", () => {
  const beats = queue();
  played(beats, 80);
  let handed: Beat[] = [];
  beats.leave((left) => (handed = left));
  assert.equal(handed.length, 60);
  assert.equal(handed[0]?.seq, 1);
  assert.equal(beats.unsent, 80, "it is told again where no answer was heard");
});
