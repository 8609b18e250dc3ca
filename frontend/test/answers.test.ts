import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { Check } from "../src/lesson/protocol.ts";
import { json, openPage, settled } from "./support/page.ts";

openPage();
const { Problem, Unreachable } = await import("../src/api.ts");
const { Answers } = await import("../src/lesson/answer.ts");
const { IdleQuestion } = await import("../src/lesson/presence.ts");
const fetched = globalThis.fetch;

const START = Date.parse("2026-11-28T09:00:00Z");
let requests: { url: string; body: unknown }[];
let respond: (url: string) => Response | Error;

function check(seconds = 60): Check {
  return {
    check_id: "c1", nonce: "n1", prompts: [], pulses: [], kind: "scheduled", attempt: 1,
    answer_by: new Date(START + 1_000 * seconds).toISOString(),
  };
}

function status(more: object = {}): object {
  return { check_id: "c1", state: "answered", outcome: null, last_outcome: null, signals: [], attempt: 1, kind: "scheduled", answer_by: null, nonce: null, prompts: [], pulses: [], ...more };
}

/** What a promise comes to while time goes on, second by second. */
async function inTime<Result>(promise: Promise<Result>, seconds = 120): Promise<Result> {
  let over = false;
  promise.then(() => (over = true), () => (over = true));
  for (let passed = 0; passed < seconds && !over; passed += 1) {
    await settled();
    mock.timers.tick(1_000);
  }
  assert.ok(over, "it is never over");
  return promise;
}

beforeEach(() => {
  requests = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });
  globalThis.fetch = ((url: string, options: RequestInit) => {
    requests.push({ url, body: options.body });
    const answer = respond(url);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }) as typeof fetch;
});

afterEach(() => {
  mock.timers.reset();
  globalThis.fetch = fetched;
});

test("pictures are sent with their nonce, in order, each movement as one picture", async () => {
  respond = () => json(202, status());
  const picture = new Blob(["jpeg"]);
  await inTime(new Answers("/checks").send(check(), { frames: [picture, picture], movements: [picture] }, "HD camera", () => undefined));
  const form = requests[0]?.body as FormData;
  assert.equal(requests[0]?.url, "/checks/c1/frames");
  assert.deepEqual([...form.keys()], ["frame", "frame", "movement", "nonce", "device"]);
  assert.equal(form.get("nonce"), "n1");
});

test("a dead network is tried again until the window closes, and then it is said", async () => {
  respond = () => new TypeError("no network");
  let again = 0;
  await assert.rejects(inTime(new Answers("/checks").send(check(5), { frames: [], movements: [] }, "", () => (again += 1))), Unreachable);
  assert.ok(again >= 3 && again <= 6, `${again} times`);
});

test("a conflict after a lost answer means that the pictures are there", async () => {
  let first = true;
  respond = () => {
    if (!first) return json(409, { type: "nonce-used", title: "" });
    first = false;
    return new TypeError("the answer is lost");
  };
  await inTime(new Answers("/checks").send(check(), { frames: [], movements: [] }, "", () => undefined));
  assert.equal(requests.length, 2);
});

test("a refusal of the pictures is not sent again", async () => {
  respond = () => json(422, { type: "frames-missing", title: "" });
  await assert.rejects(inTime(new Answers("/checks").send(check(), { frames: [], movements: [] }, "", () => undefined)), Problem);
  assert.equal(requests.length, 1);
});

test("a verdict is waited for, through failures, and a next attempt ends the wait too", async () => {
  const told = [new TypeError("no network"), json(503, { type: "busy" }), json(200, status()), json(200, status({ state: "decided", outcome: "match" }))];
  respond = () => told.shift() ?? json(500, { type: "?" });
  assert.equal((await inTime(new Answers("/checks").verdict(check())))?.outcome, "match");
  respond = () => json(200, status({ state: "due", attempt: 2, nonce: "n2" }));
  assert.equal((await inTime(new Answers("/checks").verdict(check())))?.attempt, 2);
});

test("who waits long is told so, and what the socket says ends the wait at once", async () => {
  respond = () => json(200, status());
  assert.equal(await inTime(new Answers("/checks").verdict(check())), null);
  const answers = new Answers("/checks");
  respond = () => json(200, status({ state: "decided", outcome: "match" }));
  const verdict = answers.verdict(check());
  requests = [];
  answers.wake();
  assert.equal((await verdict)?.outcome, "match");
  assert.equal(requests.length, 1);
});

test("a question counts down, is missed once, and leaves with the server's word", async () => {
  respond = () => json(200, {});
  const heard: string[] = [];
  const question = new IdleQuestion("/presence", {
    ask: (left) => heard.push(`ask ${left}`),
    missed: () => heard.push("missed"),
    answered: () => heard.push("answered"),
  });
  const asked = { question_id: "q1", answer_by: new Date(START + 3_000).toISOString() };
  question.hear(asked);
  question.hear(asked);
  mock.timers.tick(1_000);
  mock.timers.tick(1_000);
  mock.timers.tick(1_000);
  mock.timers.tick(5_000);
  assert.deepEqual(heard, ["ask 3", "ask 2", "ask 1", "missed"]);
  assert.ok(question.pending, "only the server ends it");
  question.hear(null);
  assert.deepEqual(heard.at(-1), "answered");
  assert.ok(!question.pending);
});

test("an answer that the server refuses leaves the question, one that came too late does not", async () => {
  const question = new IdleQuestion("/presence", { ask: () => undefined, missed: () => undefined, answered: () => undefined });
  question.hear({ question_id: "q1", answer_by: new Date(START + 60_000).toISOString() });
  respond = () => json(503, { type: "busy" });
  await assert.rejects(question.answer(), Problem);
  assert.ok(question.pending);
  respond = () => json(409, { type: "question-not-open" });
  await question.answer();
  assert.ok(!question.pending);
});
