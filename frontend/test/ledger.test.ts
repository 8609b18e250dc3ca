import assert from "node:assert/strict";
import { test } from "node:test";
import type { Did, Line, Reckoned } from "../src/lesson/protocol.ts";
import { Element, openPage, settled, withParts } from "./support/page.ts";

openPage();
const { drawStretches, Ledger } = await import("../src/lesson/ledger.ts");
const { sentenceOf } = await import("../src/lesson/check-effect.ts");
const { sumsOf, waysOn } = await import("../src/lesson/ways-on.ts");
const { amount, words } = await import("../src/words/index.ts");

const MINUTE = 60_000;

function line(more: Partial<Line> = {}): Line {
  return {
    duration_ms: 20 * MINUTE, furthest_ms: 12 * MINUTE, counted_ms: 8 * MINUTE, provisional_ms: 3 * MINUTE, held_ms: MINUTE,
    awaited_ms: 0, refused: [], make_up: [], ahead: "provisional",
    shown: { counted: 480, provisional: 180, held: 60, refused: 0, unseen: 480 },
    stretches: { counted: [[0, 8 * MINUTE]], provisional: [[9 * MINUTE, 12 * MINUTE]], held: [[8 * MINUTE, 9 * MINUTE]], refused: [] },
    ...more,
  };
}

function did(more: Partial<Did> = {}): Did {
  return { check_id: "c", confirmed_ms: 0, over_cap_ms: 0, held_ms: 0, make_up_ms: 0, awaited_ms: 0, provisional_ms: 0, ...more };
}

function board(): Element {
  const names = ["counted", "provisional", "held", "refused", "unseen", "awaited", "more", "reasons"].map((name) => `ledger-${name}`);
  return withParts(new Element("main"), ...names, "credited", "credited-bar");
}

function part(root: Element, name: string): Element {
  const found = root.querySelector(`[data-part="${name}"]`);
  assert.ok(found !== null);
  return found;
}

test("the page shows the line as the server said it, to the second, and reckons nothing", () => {
  const root = board();
  const ledger = new Ledger(root as unknown as HTMLElement, line(), () => assert.fail("nothing is asked for"), () => undefined);
  assert.equal(part(root, "ledger-counted").textContent, amount(8 * MINUTE));
  assert.equal(part(root, "ledger-held").dataset["ms"], String(MINUTE));
  assert.equal(part(root, "ledger-unseen").dataset["seconds"], "480");
  assert.ok(part(root, "ledger-awaited").hidden && part(root, "ledger-more").hidden);
  assert.equal(ledger.line?.counted_ms, 8 * MINUTE);
});

test("why time was refused is said in words, and an unknown reason is not hidden", () => {
  const root = board();
  const refused = [{ reason: "too_fast", ms: MINUTE }, { reason: "a reason of a later server", ms: 1_000 }];
  new Ledger(root as unknown as HTMLElement, line({ refused, awaited_ms: 1 }), () => assert.fail("nothing is asked for"), () => undefined);
  assert.ok(!part(root, "ledger-more").hidden && !part(root, "ledger-awaited").hidden);
  assert.ok(part(root, "ledger-reasons").textContent.includes(words.reasons["too_fast"] ?? "?"));
  assert.ok(part(root, "ledger-reasons").textContent.includes("a reason of a later server"));
});

test("an answer without the line asks for it, once however often, and a failure is asked again", async () => {
  const root = board();
  const drawn: Line[] = [];
  let asked = 0;
  let answer: () => Promise<Reckoned> = () => Promise.reject(new Error("no network"));
  const ledger = new Ledger(root as unknown as HTMLElement, null, () => (asked += 1, answer()), (told) => drawn.push(told));
  await settled();
  assert.equal(asked, 1);
  assert.equal(ledger.line, null);
  answer = () => Promise.resolve({ ...line({ counted_ms: 1 }), check: did({ confirmed_ms: 5 }) });
  ledger.hear(null);
  ledger.hear(null);
  await settled();
  assert.equal(asked, 2);
  assert.equal(drawn.at(-1)?.counted_ms, 1);
  assert.equal((await ledger.askAbout("c"))?.confirmed_ms, 5);
});

test("every stretch lies where it is in the film", () => {
  const bar = new Element("div");
  drawStretches(bar as unknown as HTMLElement, line());
  const marks = bar.querySelectorAll("span");
  assert.deepEqual(marks.map((mark) => [mark.className, mark.style["left"], mark.style["width"]]), [
    ["mark is-confirmed", "0%", "40%"],
    ["mark is-provisional", "45%", "15%"],
    ["mark is-held", "40%", "5%"],
  ]);
});

test("what a check did is said whole: what counts, what it holds, what stays held, who is waited for", () => {
  const { check } = words;
  assert.equal(sentenceOf(did({ confirmed_ms: 5 * MINUTE }), "match"), check.confirmed(amount(5 * MINUTE)));
  const before = sentenceOf(did({ confirmed_ms: MINUTE, make_up_ms: 2 * MINUTE }), "match");
  assert.ok(before.includes(check.heldBefore(amount(2 * MINUTE))), "a good check does not hide what an earlier one holds");
  const failed = sentenceOf(did({ held_ms: MINUTE, make_up_ms: 3 * MINUTE, provisional_ms: MINUTE }), "mismatch");
  for (const sentence of [check.heldByThis(amount(MINUTE)), check.heldInAll(amount(3 * MINUTE)), check.stillWaiting(amount(MINUTE))]) {
    assert.ok(failed.includes(sentence));
  }
  assert.ok(!failed.includes(check.confirmed(amount(0))));
  assert.ok(sentenceOf(did({ over_cap_ms: MINUTE }), "match").includes(check.overCap(amount(MINUTE))));
  assert.equal(sentenceOf(did(), "missed"), "");
});

test("the end of a lesson leads to what is owed first, then to what was not seen, then on", () => {
  const labels = (told: Line | null, nextUrl: string): string[] =>
    waysOn(told, { makeUp: () => undefined, playFrom: () => undefined, nextUrl, hoursUrl: "/hours" }).map((way) => way.label);
  const whole = { counted: 1_200, provisional: 0, held: 0, refused: 0, unseen: 0 };
  assert.deepEqual(labels(line({ make_up: [[0, 1]] }), "/next").slice(0, 3), [words.makeUp.start, words.stop.continue, words.stop.nextLesson]);
  assert.deepEqual(labels(line({ shown: whole }), ""), [words.stop.seeHours, words.player.again]);
  assert.deepEqual(labels(null, "/next"), [words.stop.nextLesson, words.stop.seeHours]);
  const first = waysOn(line(), { makeUp: () => undefined, playFrom: () => undefined, nextUrl: "/next", hoursUrl: "/hours" });
  assert.deepEqual(first.map((way) => way.primary), [true, false, false], "one is what she most probably wants");
});

test("going on begins where she left off, and again at the beginning", () => {
  const places: number[] = [];
  const ways = { makeUp: () => undefined, playFrom: (ms: number) => void places.push(ms), nextUrl: "", hoursUrl: "/hours" };
  waysOn(line(), ways)[0]?.act();
  waysOn(line({ shown: { counted: 1, provisional: 0, held: 0, refused: 0, unseen: 0 } }), ways).at(-1)?.act();
  assert.deepEqual(places, [12 * MINUTE, 0]);
});

test("the sums name what there is, and what counts even where it is nothing", () => {
  assert.equal(sumsOf(line({ shown: { counted: 0, provisional: 0, held: 0, refused: 0, unseen: 1 } })), words.joined(words.fates.counted, amount(0)));
  assert.equal(sumsOf(line()).split(words.comma).length, 3);
});
