import assert from "node:assert/strict";
import { test } from "node:test";
import { MakeUp, type WonBack } from "../src/lesson/make-up.ts";
import type { Fate, Line, Range } from "../src/lesson/protocol.ts";
import { common, covers, from, total } from "../src/lesson/ranges.ts";

/** A line of a film of ten minutes, of which these stretches are to be made up and these count. */
function line(makeUp: Range[], ahead: Fate, counted: Range[] = [], provisional: Range[] = []): Line {
  return {
    duration_ms: 600_000,
    furthest_ms: 300_000,
    counted_ms: total(counted),
    provisional_ms: total(provisional),
    held_ms: total(makeUp),
    awaited_ms: 0,
    refused: [],
    make_up: makeUp,
    ahead,
    shown: { counted: 0, provisional: 0, held: 0, refused: 0, unseen: 0 },
    stretches: { counted, provisional, held: makeUp, refused: [] },
  };
}

class Stage {
  readonly told: string[] = [];
  readonly makeUp: MakeUp;
  won: WonBack | null = null;
  lines: Line[];

  constructor(lines: Line[], camera = true) {
    this.lines = lines;
    this.makeUp = new MakeUp({
      line: () => Promise.resolve(this.lines.length > 1 ? (this.lines.shift() as Line) : (this.lines[0] as Line)),
      check: () => (this.told.push("check"), Promise.resolve(camera)),
      playFrom: (ms) => this.told.push(`play ${ms}`),
      pause: () => this.told.push("pause"),
      recorded: () => (this.told.push("recorded"), Promise.resolve()),
      left: () => undefined,
      stopped: () => this.told.push("stopped"),
      done: (won) => (this.won = won),
      failed: (error) => assert.fail(String(error)),
    });
  }
}

const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 5));
const HELD: Range[] = [[10_000, 30_000], [60_000, 65_000]];

test("exactly the held stretches are played, between two checks", async () => {
  const stage = new Stage([
    line(HELD, "held"),
    line(HELD, "provisional"),
    line([], "provisional", [], HELD),
    line([], "provisional", HELD),
  ]);
  stage.makeUp.start();
  await settled();
  assert.deepEqual(stage.told, ["check"]);
  stage.makeUp.checked(true);
  await settled();
  stage.makeUp.at(29_900);
  stage.makeUp.at(30_100);
  stage.makeUp.at(65_000);
  await settled();
  assert.deepEqual(stage.told, ["check", "play 10000", "play 60000", "pause", "recorded", "check"]);
  stage.makeUp.checked(true);
  await settled();
  assert.deepEqual(stage.won, { wonMs: 25_000, waitingMs: 0, leftMs: 0 });
  assert.equal(stage.makeUp.active, false);
});

test("where the last check was good none is asked for before", async () => {
  const stage = new Stage([line(HELD, "provisional")]);
  stage.makeUp.start();
  await settled();
  assert.deepEqual(stage.told, ["play 10000"]);
});

test("after a check that failed on the way nothing more is played", async () => {
  const stage = new Stage([line(HELD, "provisional")]);
  stage.makeUp.start();
  await settled();
  stage.makeUp.checked(false);
  await settled();
  assert.deepEqual(stage.told, ["play 10000", "stopped"]);
  assert.ok(stage.makeUp.active);
});

test("without a camera it ends with what staff are still to confirm", async () => {
  const stage = new Stage([line([[0, 5_000]], "provisional"), line([], "provisional", [], [[0, 5_000]])], false);
  stage.makeUp.start();
  await settled();
  stage.makeUp.at(5_000);
  await settled();
  assert.deepEqual(stage.won, { wonMs: 0, waitingMs: 5_000, leftMs: 0 });
});

test("what a player's last step goes beyond is not reported", async () => {
  const stage = new Stage([line(HELD, "provisional")]);
  assert.deepEqual(stage.makeUp.only([{ fromMs: 0, toMs: 9 }]), [{ fromMs: 0, toMs: 9 }]);
  stage.makeUp.start();
  await settled();
  assert.deepEqual(stage.makeUp.only([{ fromMs: 29_000, toMs: 30_200 }]), [{ fromMs: 29_000, toMs: 30_000 }]);
});

test("who strays from what is to be made up is brought back", async () => {
  const stage = new Stage([line(HELD, "provisional")]);
  stage.makeUp.start();
  await settled();
  stage.makeUp.at(2_000);
  assert.deepEqual(stage.told, ["play 10000", "play 10000"]);
});

test("stretches are cut and added up", () => {
  assert.deepEqual(common([[0, 10]], [[5, 7], [9, 20]]), [[5, 7], [9, 10]]);
  assert.deepEqual(from([[0, 10], [20, 30]], 5), [[5, 10], [20, 30]]);
  assert.equal(total([[0, 10], [20, 25]]), 15);
  assert.equal(covers([[0, 10]], 10), false);
});
