import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { CheckStatus } from "../src/lesson/answer.ts";
import type { Check } from "../src/lesson/protocol.ts";
import { buttonOf, Element, json, openPage, settled } from "./support/page.ts";

openPage();
const { CheckDialog } = await import("../src/lesson/check-dialog.ts");
const { words } = await import("../src/words/index.ts");
const fetched = globalThis.fetch;
const known = globalThis as Record<string, unknown>;

const START = Date.parse("2026-11-28T09:00:00Z");
let requests: string[];
/** What the platform says of the check when it is asked. */
let state: Partial<CheckStatus>;
let respond: (url: string) => Response | Error;
/** Who is seen behind her. */
let behind: string;
let camera: () => Promise<unknown>;
let stopped: number;
let closed: boolean[];
let opened: number;
let element: Element;
let dialog: InstanceType<typeof CheckDialog>;

function check(more: Partial<Check> = {}): Check {
  const answerBy = new Date(Date.now() + 60_000).toISOString();
  return { check_id: "c1", nonce: "n1", prompts: [], pulses: [], kind: "scheduled", attempt: 1, answer_by: answerBy, ...more };
}

function status(more: Partial<CheckStatus> = {}): CheckStatus {
  return {
    check_id: "c1", state: "answered", outcome: null, last_outcome: null, signals: [], attempt: 1, kind: "scheduled",
    answer_by: null, nonce: null, prompts: [], pulses: [], ...more,
  };
}

function stream(): object {
  const track = { label: "HD camera", readyState: "live", stop: () => (stopped += 1), addEventListener: () => undefined };
  return { getVideoTracks: () => [track], getTracks: () => [track] };
}

/** Time goes on. */
async function pass(seconds: number): Promise<void> {
  for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
    await settled();
    mock.timers.tick(100);
  }
  await settled();
}

function sent(): string[] {
  return requests.filter((url) => url !== "/checks/c1" && !url.includes("/me/view"));
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });
  requests = [];
  stopped = 0;
  closed = [];
  opened = 0;
  state = { state: "decided", outcome: "match" };
  camera = () => Promise.resolve(stream());
  known["isSecureContext"] = true;
  (navigator as unknown as Record<string, unknown>)["mediaDevices"] = { getUserMedia: () => camera() };
  behind = "nobody";
  respond = (url) => json(200, status(url === "/checks/c1" ? state : {}));
  globalThis.fetch = ((url: string) => {
    requests.push(url);
    const answer = url.includes("/me/view") ? json(200, { behind }) : respond(url);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }) as typeof fetch;
  element = new Element("dialog");
  dialog = new CheckDialog(element as unknown as HTMLDialogElement, {
    checksUrl: "/checks", otherRouteUrl: "/route", myChecksUrl: "/my-checks", frames: 3, minPixels: 1,
    opened: () => (opened += 1),
    closed: (goOn) => closed.push(goOn),
    decided: () => Promise.resolve("12 minutes count now."),
  });
});

afterEach(async () => {
  await pass(1);
  mock.timers.reset();
  globalThis.fetch = fetched;
});

test("a good check: pictures are sent once, the film goes on by itself, and the camera is off", async () => {
  dialog.offer(check());
  assert.ok(dialog.open && element.open);
  await pass(12);
  assert.deepEqual(sent(), ["/checks/c1/frames"]);
  assert.deepEqual(closed, [true]);
  assert.ok(!dialog.open && !element.open);
  assert.equal(stopped, 1);
});

test("told again and again it is one check, and one that was answered is not asked anew", async () => {
  dialog.offer(check());
  await pass(2);
  dialog.offer(check());
  await pass(12);
  dialog.offer(check());
  await pass(3);
  assert.equal(opened, 1);
  assert.equal(sent().length, 1);
  assert.ok(!dialog.open);
});

test("what did not match is told with what it did, and she goes on when she has read it", async () => {
  state = { state: "decided", outcome: "mismatch" };
  dialog.offer(check());
  await pass(12);
  assert.deepEqual(closed, [], "nothing goes on over her head");
  assert.ok(element.textContent.includes("12 minutes count now."));
  assert.ok(element.textContent.includes(words.check.againAtOnce));
  assert.deepEqual(element.querySelectorAll("a").map((link) => link.getAttribute("href")).filter((url) => url === "/my-checks"), ["/my-checks"]);
  buttonOf(element, words.check.continue).click();
  assert.deepEqual(closed, [true]);
});

test("a picture that told nothing is taken again, under the next attempt's nonce", async () => {
  const answers: Partial<CheckStatus>[] = [
    { state: "due", attempt: 2, nonce: "n2", last_outcome: "unclear", answer_by: new Date(START + 90_000).toISOString() },
    { state: "decided", outcome: "match", attempt: 2 },
  ];
  respond = (url) => json(200, status(url === "/checks/c1" ? (sent().length < 2 ? answers[0] : answers[1]) : {}));
  dialog.offer(check());
  await pass(30);
  assert.equal(sent().length, 2);
  assert.deepEqual(closed, [true]);
});

test("without a camera the reason is named, and it can be tried again or said", async () => {
  camera = () => Promise.reject(new DOMException("no", "NotFoundError"));
  state = { state: "decided", outcome: "no_camera" };
  respond = (url) => json(200, status(url.endsWith("/unable") || url === "/checks/c1" ? state : {}));
  dialog.offer(check());
  await pass(3);
  const [title] = words.camera.failures["not_found"] ?? [""];
  assert.ok(element.textContent.includes(title));
  assert.deepEqual(sent(), []);
  // The first of that name stands under the actions of the failure, the second among the ways out.
  buttonOf(element, words.check.unable).click();
  await pass(2);
  assert.deepEqual(sent(), ["/checks/c1/unable"]);
});

test("a camera that is plugged in after all is used", async () => {
  let tries = 0;
  camera = () => (tries++ === 0 ? Promise.reject(new DOMException("busy", "NotReadableError")) : Promise.resolve(stream()));
  dialog.offer(check());
  await pass(3);
  buttonOf(element, words.check.again).click();
  await pass(12);
  assert.deepEqual(closed, [true]);
});

test("refusing asks once more, and going back takes the pictures after all", async () => {
  dialog.offer(check());
  await pass(1);
  buttonOf(element, words.check.refuse).click();
  await pass(5);
  assert.deepEqual(sent(), [], "while she is asked nothing is taken");
  buttonOf(element, words.check.back).click();
  await pass(12);
  assert.deepEqual(sent(), ["/checks/c1/frames"]);
});

test("who refuses is heard as that, and the camera goes off at once", async () => {
  respond = (url) => json(200, status(url.endsWith("/refuse") ? { state: "decided", outcome: "refused" } : {}));
  dialog.offer(check());
  await pass(3);
  buttonOf(element, words.check.refuse).click();
  buttonOf(element, words.check.refuseYes).click();
  await pass(2);
  assert.deepEqual(sent(), ["/checks/c1/refuse"]);
  assert.equal(stopped, 1);
  assert.ok(!element.textContent.includes(words.check.sending));
});

test("decided elsewhere while she sits before the camera: that is told, and nothing is sent", async () => {
  dialog.offer(check());
  await pass(1);
  state = { state: "decided", outcome: "missed", signals: ["consent_withdrawn"] };
  dialog.nudge();
  await pass(8);
  assert.deepEqual(sent(), []);
  assert.equal(stopped, 1);
  buttonOf(element, words.check.continue).click();
  assert.ok(!dialog.open);
});

test("signed out: the dialog leaves, and the film does not go on", async () => {
  respond = (url) => (url.endsWith("/frames") ? json(401, { type: "not-signed-in", title: "signed out" }) : json(200, status()));
  dialog.offer(check());
  await pass(12);
  assert.deepEqual(closed, [false]);
});

test("a dead network is tried again while the window is open", async () => {
  let dead = 3;
  respond = (url) => (url.endsWith("/frames") && dead-- > 0 ? new TypeError("no network") : json(200, status(url === "/checks/c1" ? state : {})));
  dialog.offer(check());
  await pass(20);
  assert.deepEqual(closed, [true]);
  assert.equal(sent().length, 4);
});

test("when the time is over the check says itself what became of it", async () => {
  camera = () => new Promise(() => undefined);
  state = { state: "due", answer_by: new Date(START + 60_000).toISOString() };
  dialog.offer(check({ answer_by: new Date(START + 3_000).toISOString() }));
  mock.timers.tick(1);
  await pass(1);
  state = { state: "decided", outcome: "missed" };
  // While the browser asks for the camera no countdown is shown; the end of the window still counts.
  await pass(8);
  const [title] = words.check.outcomes["missed"] ?? [""];
  assert.ok(element.textContent.includes(title), element.textContent);
});

test("a window that began again goes on with the new one", async () => {
  let asks = 0;
  camera = () => (asks++ === 0 ? new Promise(() => undefined) : Promise.resolve(stream()));
  let again = true;
  respond = (url) => {
    if (url !== "/checks/c1") return json(200, status());
    if (!again) return json(200, status({ state: "decided", outcome: "match" }));
    again = false;
    return json(200, status({ state: "due", nonce: "n2", answer_by: new Date(Date.now() + 60_000).toISOString() }));
  };
  dialog.offer(check({ answer_by: new Date(START + 2_000).toISOString() }));
  await pass(20);
  assert.ok(sent().includes("/checks/c1/frames"));
  assert.deepEqual(closed, [true]);
});

test("a poster behind her is named while there is time to turn it away", async () => {
  behind = "picture";
  dialog.offer(check());
  let named = false;
  for (let tenth = 0; tenth < 50 && !named; tenth += 1) {
    await pass(0.1);
    named = element.textContent.includes(words.behind.picture[0]);
  }
  assert.ok(named);
  assert.deepEqual(sent(), []);
  await pass(15);
  assert.deepEqual(closed, [true]);
});
