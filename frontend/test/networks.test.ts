import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { call, Interposed, Problem, Unreachable } from "../src/api.ts";
import type { Saving } from "../src/lesson/beats.ts";
import { type StoredSitting, BeatStore } from "../src/lesson/beat-store.ts";

const page = globalThis as Record<string, unknown>;
page["document"] = { querySelector: () => null };
page["window"] = globalThis;
const { BeatQueue } = await import("../src/lesson/beats.ts");
const fetched = globalThis.fetch;

/** A browser's storage with room for so many characters. */
class Room {
  readonly kept = new Map<string, string>();
  room: number;

  constructor(room: number) {
    this.room = room;
  }

  get length(): number {
    return this.kept.size;
  }

  key(index: number): string | null {
    return [...this.kept.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  removeItem(key: string): void {
    this.kept.delete(key);
  }

  setItem(key: string, value: string): void {
    let used = value.length;
    for (const [other, text] of this.kept) if (other !== key) used += text.length;
    if (used > this.room) throw new DOMException("full", "QuotaExceededError");
    this.kept.set(key, value);
  }
}

function answering(status: number, body: string, type: string): void {
  page["fetch"] = () => Promise.resolve(new Response(body === "" ? null : body, { status, headers: { "Content-Type": type } }));
}

function sitting(id: string, nextSeq = 0): StoredSitting {
  return { sittingId: id, enrolmentId: "e", lessonId: "l", nextSeq, unsent: [], touchedAt: 0 };
}

afterEach(() => {
  page["fetch"] = fetched;
});

test("what is not the platform's word is no answer", async () => {
  const strangers: [number, string, string][] = [
    [200, "<html>sign in to the network</html>", "text/html"],
    [403, "<html>Internet Access Denied</html>", "text/html"],
    [405, "", "text/plain"],
    [403, '{"error": "denied by policy"}', "application/json"],
    [200, "{", "application/json"],
  ];
  for (const [status, body, type] of strangers) {
    answering(status, body, type);
    await assert.rejects(call("/x"), (error) => error instanceof Interposed && error instanceof Unreachable && error.status === status);
  }
  answering(403, '{"type": "forbidden", "title": "no"}', "application/problem+json");
  await assert.rejects(call("/x"), (error) => error instanceof Problem && error.title === "no");
  answering(200, '{"a": 1}', "application/json");
  assert.deepEqual(await call("/x"), { a: 1 });
  page["fetch"] = () => Promise.resolve(new Response(null, { status: 204 }));
  assert.equal(await call("/x"), null);
});

test("a middlebox's answer stops no study: beats are kept and sent again", async () => {
  const heard: Saving[] = [];
  let refuse: unknown = new Interposed(403);
  let sent = 0;
  const store = new BeatStore(new Room(100_000) as unknown as Storage);
  const queue = new BeatQueue(store, sitting("s"), {
    send: (beats) => {
      sent += beats.length;
      return refuse === null ? Promise.resolve({} as never) : Promise.reject(refuse);
    },
    answered: () => undefined,
    dropped: () => assert.fail("nothing is dropped"),
    changed: (saving) => heard.push(saving),
  });
  for (const [status, kind] of [[403, "offline"], [200, "offline"], [407, "offline"], [502, "busy"]] as const) {
    refuse = new Interposed(status);
    queue.add({ fromMs: 0, toMs: 1_000 } as never, "playing" as never, 1_000, true);
    queue.flush();
    await new Promise((done) => setTimeout(done, 5));
    assert.equal(heard.at(-1)?.kind, kind);
    queue.retrySoon();
    queue.flush();
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.equal(queue.unsent, 4);
  refuse = null;
  queue.flush();
  await new Promise((done) => setTimeout(done, 5));
  assert.equal(queue.unsent, 0);
  assert.equal(heard.at(-1)?.kind, "saved");
  assert.ok(sent > 4);
});

test("how long a beat waits does not hang on a clock that somebody sets", () => {
  const store = new BeatStore(null);
  const queue = new BeatQueue(store, sitting("s"), {} as never);
  queue.add({ fromMs: 0, toMs: 1_000 } as never, "playing" as never, 1_000, true);
  const now = Date.now;
  try {
    Date.now = () => now() + 600_000;
    assert.ok(queue.waitedMs() < 1_000);
  } finally {
    Date.now = now;
  }
});

test("a full storage never gives numbers out a second time", () => {
  const room = new Room(400);
  const store = new BeatStore(room as unknown as Storage);
  const kept = sitting("s", 3);
  store.write(kept);
  assert.equal(store.read("s")?.nextSeq, 3);
  room.room = 10;
  kept.nextSeq = 9;
  store.write(kept);
  assert.equal(store.read("s")?.nextSeq, 9, "this page goes on from the newest");
  assert.equal(new BeatStore(room as unknown as Storage).read("s"), null, "and the next one finds nothing older");
  assert.deepEqual(store.ofEnrolment("e").map((each) => each.nextSeq), [9]);
  room.room = 400;
  kept.nextSeq = 10;
  store.write(kept);
  assert.equal(new BeatStore(room as unknown as Storage).read("s")?.nextSeq, 10);
});

test("a full storage forgets first what is handed in", () => {
  const room = new Room(400);
  const store = new BeatStore(room as unknown as Storage);
  store.write(sitting("done"));
  room.room = JSON.stringify(sitting("s", 5)).length + 30;
  store.write(sitting("s", 5));
  assert.equal(new BeatStore(room as unknown as Storage).read("s")?.nextSeq, 5);
  assert.equal(room.getItem("xueji.sitting.done"), null);
});
