import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Element, openPage, Video, withParts } from "./support/page.ts";

openPage();
const known = globalThis as Record<string, unknown>;
known["matchMedia"] = () => ({ matches: false });
const { Player } = await import("../src/lesson/player.ts");
const { words } = await import("../src/words/index.ts");

const MINUTE = 60_000;
let now = 0;
let may: boolean;
let remarks: string[];
let events: string[];
let stage: Element;
let video: Video;

mock.method(performance, "now", () => now);

function player(durationMs = 10 * MINUTE): InstanceType<typeof Player> {
  stage = withParts(new Element("div"), "seek", "seek-box", "spinner", "time", "play", "big", "volume", "mute", "speed", "fullscreen", "captions", "saver");
  video = new Video("video");
  video.setAttribute("data-part", "video");
  stage.append(video);
  return new Player(stage as unknown as HTMLElement, durationMs, {
    changed: () => events.push("changed"),
    mayPlay: () => may,
    remark: (text) => remarks.push(text),
    finished: () => events.push("finished"),
    failed: (why) => events.push(`failed ${why}`),
    at: () => undefined,
    speedChanges: () => events.push("speed changes"),
  });
}

function part(name: string): Element {
  const found = stage.querySelector(`[data-part="${name}"]`);
  assert.ok(found !== null);
  return found;
}

/** The film runs for so long, as an element tells it: four times a second. */
function runs(ms: number, rate = video.playbackRate): void {
  for (let passed = 0; passed < ms; passed += 250) {
    now += 250;
    video.currentTime += (0.25 * rate);
    video.happen("timeupdate");
  }
}

function starts(film: InstanceType<typeof Player>): void {
  film.play();
  video.happen("playing");
}

beforeEach(() => {
  now = 1_000;
  may = true;
  remarks = [];
  events = [];
});

test("what ran is reported once, and only what ran", () => {
  const film = player();
  film.setFrontier(0);
  starts(film);
  runs(10_000);
  assert.deepEqual(film.takeSpans(), [{ fromMs: 0, toMs: 10_000 }]);
  assert.deepEqual(film.takeSpans(), []);
  film.pause();
  now += 30_000;
  assert.deepEqual(film.takeSpans(), [], "a film that stands earns nothing");
});

test("nobody jumps ahead of what the server knows, by the bar, by keys or by the element itself", () => {
  const film = player();
  film.setFrontier(MINUTE);
  const bar = part("seek");
  bar.value = String(5 * MINUTE);
  bar.happen("input");
  assert.equal(film.positionMs, MINUTE);
  film.goTo(MINUTE - 2_000);
  stage.happen("keydown", { key: "ArrowRight" });
  assert.equal(film.positionMs, MINUTE);
  video.currentTime = 300;
  video.happen("seeking");
  assert.equal(film.positionMs, MINUTE);
  assert.equal(remarks.filter((text) => text === words.player.notAhead).length, 3);
});

test("back to what was seen is free, and what is then played there is told from there", () => {
  const film = player();
  film.setFrontier(5 * MINUTE);
  film.goTo(5 * MINUTE);
  stage.happen("keydown", { key: "j" });
  assert.equal(film.positionMs, 5 * MINUTE - 10_000);
  starts(film);
  runs(4_000);
  assert.deepEqual(film.takeSpans(), [{ fromMs: 5 * MINUTE - 10_000, toMs: 5 * MINUTE - 6_000 }]);
  assert.deepEqual(remarks, []);
});

test("what was played and is not confirmed yet may be gone back over, until the server refuses it", () => {
  const film = player();
  film.setFrontier(0);
  starts(film);
  runs(20_000);
  film.goTo(5_000);
  film.goTo(19_000);
  assert.equal(film.positionMs, 19_000);
  film.snapBack(8_000);
  assert.equal(film.positionMs, 8_000);
  assert.deepEqual(film.takeSpans(), [], "what was refused is not reported again");
  part("seek").value = "19000";
  part("seek").happen("input");
  assert.equal(film.positionMs, 8_000);
});

test("no speed where time is earned, by no way of setting it", () => {
  const film = player();
  film.setFrontier(0);
  starts(film);
  assert.ok(part("speed").hidden);
  video.playbackRate = 2;
  video.happen("ratechange");
  assert.equal(video.playbackRate, 1);
  assert.deepEqual(remarks, [words.player.noSpeed]);
});

test("over what counts already speed is offered, and ends before new time begins", () => {
  const film = player();
  film.setFrontier(2 * MINUTE);
  starts(film);
  runs(1_000);
  assert.ok(!part("speed").hidden);
  part("speed").click();
  part("speed").click();
  part("speed").click();
  assert.equal(film.rate, 2);
  assert.ok(events.includes("speed changes"), "what was played at the old speed is told before");
  runs(70_000);
  assert.equal(film.rate, 1);
  assert.ok(part("speed").hidden);
  for (const span of film.takeSpans()) assert.ok(span.toMs <= film.positionMs);
});

test("no speed over what is to be made up, and none shortly before it", () => {
  const film = player();
  film.setFrontier(9 * MINUTE);
  film.setMakeUp([[2 * MINUTE, 3 * MINUTE]]);
  for (const [at, offered] of [[0, true], [2 * MINUTE - 1_000, false], [2.5 * MINUTE, false], [3 * MINUTE, true]] as const) {
    film.goTo(at);
    film.setFrontier(9 * MINUTE);
    assert.equal(!part("speed").hidden, offered, `at ${at}`);
  }
});

test("a film that may not run is stopped, whoever started it", () => {
  const film = player();
  may = false;
  film.play();
  assert.ok(video.paused);
  video.paused = false;
  video.happen("play");
  assert.ok(video.paused);
  assert.ok(!film.running);
});

test("a film that waits for the network is meant to run and earns nothing", () => {
  const film = player();
  film.setFrontier(0);
  starts(film);
  runs(3_000);
  video.happen("waiting");
  assert.ok(film.buffering && film.running && !film.playing);
  assert.ok(!part("spinner").hidden);
  film.takeSpans();
  now += 20_000;
  assert.deepEqual(film.takeSpans(), []);
  video.happen("playing");
  assert.ok(film.playing && part("spinner").hidden);
});

test("the end is the end, also where an element's clock stops a little short of it", () => {
  const film = player(MINUTE);
  film.setFrontier(0);
  starts(film);
  runs(59_750);
  video.ended = true;
  video.happen("ended");
  assert.equal(film.positionMs, MINUTE);
  assert.ok(events.includes("finished"));
  video.ended = false;
  film.playFrom(0);
  assert.equal(film.positionMs, 0);
});
