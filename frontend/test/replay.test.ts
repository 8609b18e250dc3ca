import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { buttonOf, Element, openPage } from "./support/page.ts";

openPage();
const { Replay } = await import("../src/timeline/replay.ts");
const { detailOf, odditiesOf, picturesOf, toneOf } = await import("../src/timeline/record.ts");
const { clockTime } = await import("../src/timeline/clock-time.ts");
const { words } = await import("../src/words/index.ts");
const known = globalThis as Record<string, unknown>;

const NINE = Date.parse("2026-11-28T01:00:00Z");
const MINUTE = 60_000;
const RECORD = {
  began_ms: NINE,
  ended_ms: NINE + 60 * MINUTE,
  tracks: [
    { name: "media", items: [
      { from_ms: NINE, to_ms: NINE + 20 * MINUTE, kind: "confirmed", label: "计入" },
      { from_ms: NINE + 20 * MINUTE, to_ms: NINE + 30 * MINUTE, kind: "held", label: "待补" },
    ] },
    { name: "checks", items: [
      { from_ms: NINE + 20 * MINUTE, kind: "mismatch", label: "不是本人", picture: ["/p/1", "/p/2"], detail: { score: 700, threshold: 500 } },
      { from_ms: NINE + 40 * MINUTE, kind: "match", label: "本人" },
    ] },
    { name: "focus", items: [{ from_ms: NINE + 35 * MINUTE, to_ms: NINE + 36 * MINUTE, kind: "hidden", label: "离开页面", detail: "一分钟" }] },
  ],
};

let root: Element;

function replay(record: typeof RECORD = RECORD): void {
  root = new Element("div");
  new Replay(root as unknown as HTMLElement, record);
}

function key(name: string): void {
  root.happen("keydown", { key: name });
}

function atMs(): number {
  return Number(root.querySelector("input")?.value);
}

beforeEach(() => {
  known["location"] = { hash: "" };
  mock.timers.enable({ apis: ["setInterval"] });
});

afterEach(() => mock.timers.reset());

test("what is held or refused is odd, each moment once, in order", () => {
  assert.deepEqual(odditiesOf(RECORD), [NINE + 20 * MINUTE, NINE + 35 * MINUTE]);
  assert.equal(toneOf("mismatch"), "refused");
  assert.equal(toneOf("a word of a later server"), "neutral");
});

test("details and pictures are read in each of their forms", () => {
  const item = { from_ms: 0, kind: "match", label: "" };
  assert.equal(detailOf({ ...item, detail: { score: 1, model: "m" } }), "score 1 · model m");
  assert.equal(detailOf({ ...item, detail: "words" }), "words");
  assert.equal(detailOf({ ...item, detail: null }), "");
  assert.deepEqual(picturesOf({ ...item, picture: "/p" }), ["/p"]);
  assert.deepEqual(picturesOf({ ...item, picture: null }), []);
});

test("times of day are the platform's, wherever the reader sits", () => {
  assert.equal(clockTime(NINE, true), "09:00:00");
  assert.equal(clockTime(NINE, false), "09:00");
});

test("J and K lead from one oddity to the next, and stop at the ends", () => {
  replay();
  assert.equal(atMs(), NINE);
  key("j");
  assert.equal(atMs(), NINE + 20 * MINUTE);
  key("J");
  key("j");
  assert.equal(atMs(), NINE + 35 * MINUTE);
  key("k");
  key("K");
  assert.equal(atMs(), NINE + 20 * MINUTE);
});

test("a finding leads to its moment, and no address leads outside the sitting", () => {
  known["location"] = { hash: `#${NINE + 35 * MINUTE}` };
  replay();
  assert.equal(atMs(), NINE + 35 * MINUTE);
  known["location"] = { hash: "#99999999999999" };
  replay();
  assert.equal(atMs(), RECORD.ended_ms);
  known["location"] = { hash: "#nothing" };
  replay();
  assert.equal(atMs(), NINE);
});

test("what is said of a moment is what was there, and no picture is fetched before it is asked for", () => {
  replay();
  key("j");
  const told = root.querySelector(".replay-here");
  assert.ok(told?.textContent.includes("不是本人") && told.textContent.includes("score 700"));
  assert.ok(!told?.textContent.includes("离开页面"));
  assert.deepEqual(root.querySelectorAll("img"), []);
  buttonOf(told, words.timeline.picture).click();
  assert.deepEqual(told.querySelectorAll("img").map((picture) => picture.getAttribute("src")), ["/p/1", "/p/2"]);
});

test("the list says the same in the order of time", () => {
  replay();
  const rows = root.querySelectorAll("tr").slice(1).map((row) => row.textContent);
  assert.equal(rows.length, 5);
  assert.ok(rows[0]?.startsWith("09:00:00") && rows[4]?.includes("本人"));
  buttonOf(root, words.timeline.asList).click();
  assert.ok(!root.querySelector(".data")?.hidden);
  buttonOf(root, words.timeline.asTimeline).click();
  assert.ok(root.querySelector(".data")?.hidden);
});

test("it plays as fast as it is told to, ends by itself, and begins anew", () => {
  replay();
  const speed = root.querySelector("select");
  assert.ok(speed !== null);
  speed.value = "300";
  key(" ");
  mock.timers.tick(1_000);
  assert.equal(atMs(), NINE + 300_000);
  mock.timers.tick(60_000);
  assert.equal(atMs(), RECORD.ended_ms);
  assert.ok(root.textContent.includes(words.timeline.play));
  key(" ");
  mock.timers.tick(100);
  assert.equal(atMs(), NINE + 30_000);
  key(" ");
  mock.timers.tick(60_000);
  assert.equal(atMs(), NINE + 30_000);
});

test("nearer and farther, within bounds, and each block keeps its share of the whole", () => {
  replay();
  const canvas = root.querySelector(".replay-canvas");
  for (let time = 0; time < 20; time += 1) key("+");
  assert.equal(canvas?.style["width"], "6400%");
  for (let time = 0; time < 20; time += 1) key("-");
  assert.equal(canvas?.style["width"], "100%");
  const [first] = root.querySelectorAll(".replay-item");
  assert.ok(first?.getAttribute("style")?.startsWith("left: 0%; width: 33.3"));
});

test("a moment that is pointed at fills the form for a finding", () => {
  const field = new Element("input");
  field.setAttribute("data-moment", "");
  document.body.append(field as never);
  replay();
  const canvas = root.querySelector(".replay-canvas");
  canvas?.happen("pointerdown", { pointerType: "touch", clientX: 500 });
  assert.equal(field.value, String(NINE + 30 * MINUTE));
});
