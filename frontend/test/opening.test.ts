import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { StoredSitting } from "../src/lesson/beat-store.ts";
import type { Beat } from "../src/lesson/protocol.ts";
import { json, openPage } from "./support/page.ts";

openPage();
const { Problem, Unreachable } = await import("../src/api.ts");
const { BeatStore } = await import("../src/lesson/beat-store.ts");
const { chooseSitting, deviceLabel, handInLeftovers, openSitting } = await import("../src/lesson/open.ts");
const fetched = globalThis.fetch;
const known = globalThis as Record<string, unknown>;

const LESSON = { enrolmentId: "e", lessonId: "l", page: "p", sittingsUrl: "/sittings", makesUp: false };

/** Names held by tabs, as a browser's locks. */
class Locks {
  readonly held = new Set<string>();
  query = (): Promise<object> => Promise.resolve({ held: [...this.held].map((name) => ({ name })) });
  request = (name: string, _options: object, act: (lock: object | null) => unknown): Promise<unknown> => {
    if (this.held.has(name)) return Promise.resolve(act(null));
    this.held.add(name);
    return Promise.resolve(act({ name }));
  };
}

let locks: Locks;
let requests: { url: string; body: { beats?: Beat[]; [name: string]: unknown } }[];
let respond: (url: string) => Response | Error;

function stored(id: string, unsent = 0, more: Partial<StoredSitting> = {}): StoredSitting {
  const beats = Array.from({ length: unsent }, (_, at) => ({ beat_id: `${id}-${at}`, seq: at + 1 })) as Beat[];
  return { sittingId: id, enrolmentId: "e", lessonId: "l", nextSeq: unsent + 1, unsent: beats, touchedAt: Date.now(), ...more };
}

function store(...sittings: StoredSitting[]): InstanceType<typeof BeatStore> {
  const made = new BeatStore(null);
  for (const sitting of sittings) {
    const { touchedAt } = sitting;
    made.write(sitting);
    sitting.touchedAt = touchedAt;
  }
  return made;
}

function withLocks(): void {
  (navigator as unknown as Record<string, unknown>)["locks"] = locks;
}

beforeEach(() => {
  locks = new Locks();
  requests = [];
  respond = () => json(200, { furthest_ms: 0, refused: [] });
  delete (navigator as unknown as Record<string, unknown>)["locks"];
  known["screen"] = { width: 390, height: 844 };
  const kept = new Map<string, string>();
  known["sessionStorage"] = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  globalThis.fetch = ((url: string, options: RequestInit) => {
    requests.push({ url, body: JSON.parse(String(options.body)) as never });
    const answer = respond(url);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }) as typeof fetch;
});

afterEach(() => {
  globalThis.fetch = fetched;
});

test("a page that comes back soon goes on with its sitting, unless another tab has it", async () => {
  withLocks();
  assert.equal((await chooseSitting(store(stored("mine")), LESSON)).sittingId, "mine");
  assert.notEqual((await chooseSitting(store(stored("mine")), LESSON)).sittingId, "mine", "the first tab holds the name now");
});

test("after ten minutes, and for another lesson, it is a new sitting", async () => {
  withLocks();
  const old = stored("old");
  const kept = store(old);
  old.touchedAt = Date.now() - 11 * 60_000;
  assert.notEqual((await chooseSitting(kept, LESSON)).sittingId, "old");
  assert.notEqual((await chooseSitting(store(stored("other", 0, { lessonId: "another" })), LESSON)).sittingId, "other");
});

test("without locks only the page that was left in this very tab is gone on with", async () => {
  assert.notEqual((await chooseSitting(store(stored("s")), LESSON)).sittingId, "s");
  (known["sessionStorage"] as Storage).setItem("xueji.left", "s");
  assert.equal((await chooseSitting(store(stored("s")), LESSON)).sittingId, "s");
  assert.notEqual((await chooseSitting(store(stored("s")), LESSON)).sittingId, "s", "word is left once");
});

test("what earlier pages could not send is handed in with its old numbers, in batches", async () => {
  withLocks();
  const current = stored("now");
  const kept = store(current, stored("before", 130));
  await handInLeftovers(kept, LESSON, current);
  assert.deepEqual(requests.map(({ url, body }) => [url, body.beats?.length, body.beats?.[0]?.seq]), [
    ["/sittings/before/beats", 60, 1],
    ["/sittings/before/beats", 60, 61],
    ["/sittings/before/beats", 10, 121],
  ]);
  assert.equal(kept.read("before"), null);
});

test("what a living tab works on is that tab's to send", async () => {
  withLocks();
  locks.held.add("sitting-alive");
  const current = stored("now");
  const kept = store(current, stored("alive", 3));
  await handInLeftovers(kept, LESSON, current);
  assert.equal(requests.length, 0);
  assert.equal(kept.read("alive")?.unsent.length, 3);
});

test("a dead network and a lost sign-in leave everything where it is; a final answer ends it", async () => {
  withLocks();
  const current = stored("now");
  for (const [answer, error] of [
    [new TypeError("no network"), Unreachable],
    [json(401, { type: "not-signed-in" }), Problem],
    [json(503, { type: "busy" }), Problem],
  ] as const) {
    respond = () => (answer instanceof Response ? answer.clone() : answer);
    const kept = store(current, stored("before", 2));
    await assert.rejects(handInLeftovers(kept, LESSON, current), error);
    assert.equal(kept.read("before")?.unsent.length, 2);
  }
  respond = () => json(409, { type: "sitting-ended" });
  const kept = store(current, stored("before", 2));
  await handInLeftovers(kept, LESSON, current);
  assert.equal(kept.read("before"), null);
});

test("nobody else's enrolment is touched", async () => {
  withLocks();
  const current = stored("now");
  const kept = store(current, stored("hers", 2, { enrolmentId: "another" }));
  await handInLeftovers(kept, LESSON, current);
  assert.equal(requests.length, 0);
  assert.equal(kept.read("hers")?.unsent.length, 2);
});

test("taking the turn over is said only by who pressed the button", async () => {
  await openSitting(LESSON, stored("s"), deviceLabel(), false);
  await openSitting(LESSON, stored("s"), deviceLabel(), true);
  assert.deepEqual(requests.map(({ body }) => body["continue_here"]), [undefined, true]);
  assert.equal(requests[0]?.body["sitting_id"], "s");
});

test("the device is named so that no person is", () => {
  assert.equal(deviceLabel(), "Linux Chrome 390x844");
});
