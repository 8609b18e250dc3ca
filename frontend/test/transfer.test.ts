import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, mock, test } from "node:test";
import { json, openPage, settled } from "./support/page.ts";

openPage();
const { FileChanged, Forbidden, Paused, Transfer } = await import("../src/upload/transfer.ts");
const { Problem } = await import("../src/api.ts");
const fetched = globalThis.fetch;
const known = globalThis as Record<string, unknown>;

const PIECE = 4;
const BYTES = new TextEncoder().encode("a film of ten");

/** A platform that takes uploads in pieces; a test breaks what it likes. */
class Platform {
  arrived = new Uint8Array(0);
  begun = 0;
  finished = 0;
  requests: string[] = [];
  lessonId = "lesson";
  name = "film.mp4";
  filmId: string | null = null;
  /** What happens to a request before the platform sees it; null: it passes. */
  onTheWay: (method: string, url: string, headers: Record<string, string>) => Response | Error | null = () => null;

  async fetch(url: string, options: RequestInit): Promise<Response> {
    const headers = options.headers as Record<string, string>;
    const method = headers["X-HTTP-Method-Override"] ?? options.method ?? "GET";
    this.requests.push(`${options.method}${method === options.method ? "" : ` as ${method}`} ${url}`);
    const stopped = this.onTheWay(options.method ?? "GET", url, headers);
    if (stopped instanceof Error) throw stopped;
    if (stopped !== null) return stopped;
    if (url === "/uploads") return method === "GET" ? json(200, { uploads: this.begun > this.finished ? [this.status()] : [] }) : this.begin();
    if (url.endsWith("/finish")) return this.finish();
    if (method === "DELETE") return new Response(null, { status: 204 });
    return method === "PATCH" ? this.take(options.body as ArrayBuffer, Number(headers["Upload-Offset"])) : json(200, this.status());
  }

  status(): object {
    const start = Math.max(0, this.arrived.length - PIECE);
    const last = this.arrived.slice(start);
    const piece = { start, size: last.length, sha256: createHash("sha256").update(last).digest("hex") };
    return {
      upload_id: "u1", offset: this.arrived.length, chunk_bytes: PIECE, name: this.name, size: BYTES.length,
      lesson_id: this.lessonId, film_id: this.filmId, last_piece: last.length === 0 ? null : piece,
    };
  }

  private begin(): Response {
    this.begun += 1;
    this.arrived = new Uint8Array(0);
    return json(201, { upload_id: "u1", offset: 0, chunk_bytes: PIECE });
  }

  private take(piece: ArrayBuffer, offset: number): Response {
    if (offset !== this.arrived.length) return json(409, { type: "upload-offset", title: "elsewhere" });
    this.arrived = Uint8Array.from([...this.arrived, ...new Uint8Array(piece)]);
    return json(200, { offset: this.arrived.length });
  }

  private finish(): Response {
    this.finished += 1;
    return json(200, { film_id: "film-1" });
  }
}

class Storage {
  readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
}

let platform: Platform;
let waits: [number, number | null, boolean][];
let sent: number[];

function transfer(bytes: Uint8Array = BYTES, name = "film.mp4"): InstanceType<typeof Transfer> {
  const file = new File([bytes as BlobPart], name, { lastModified: 7 });
  return new Transfer("/uploads", file, "lesson", {
    progress: (bytesSent) => sent.push(bytesSent),
    waiting: (seconds, by, busy) => waits.push([seconds, by, busy]),
    checking: () => undefined,
  });
}

/** The same, with every wait over at once. */
async function run(upload: InstanceType<typeof Transfer>): Promise<string> {
  mock.timers.enable({ apis: ["setTimeout"] });
  let over = false;
  const running = upload.run().finally(() => (over = true));
  running.catch(() => undefined);
  while (!over) {
    await settled();
    mock.timers.tick(1_000);
  }
  mock.timers.reset();
  return running;
}

beforeEach(() => {
  platform = new Platform();
  waits = [];
  sent = [];
  known["localStorage"] = new Storage();
  globalThis.fetch = ((url: string, options: RequestInit) => platform.fetch(url, options)) as typeof fetch;
});

afterEach(() => {
  mock.timers.reset();
  globalThis.fetch = fetched;
});

test("a file arrives whole, piece by piece, and is forgotten here when it is a film", async () => {
  assert.equal(await run(transfer()), "film-1");
  assert.deepEqual(platform.arrived, BYTES);
  assert.deepEqual(sent, [0, 4, 8, 12, 13]);
  assert.equal((known["localStorage"] as Storage).kept.size, 0);
});

test("a network that dies in the middle is waited for, and nothing is sent twice", async () => {
  let left = 3;
  platform.onTheWay = (method) => (method === "PATCH" && platform.arrived.length === 8 && left-- > 0 ? new TypeError("no network") : null);
  assert.equal(await run(transfer()), "film-1");
  assert.deepEqual(platform.arrived, BYTES);
  assert.ok(waits.length >= 3 && waits.every(([, by, busy]) => by === null && !busy));
});

test("an answer that was lost: the platform says where it stands, and it goes on from there", async () => {
  let lost = false;
  platform.onTheWay = () => null;
  const take = platform.fetch.bind(platform);
  platform.fetch = async (url, options) => {
    const answer = await take(url, options);
    if (options.method === "PATCH" && !lost) {
      lost = true;
      throw new TypeError("the answer is lost");
    }
    return answer;
  };
  assert.equal(await run(transfer()), "film-1");
  assert.deepEqual(platform.arrived, BYTES);
});

test("a page opened anew goes on with what it began", async () => {
  platform.onTheWay = (method) => (method === "PATCH" && platform.arrived.length === 8 ? json(422, { type: "too-many-films" }) : null);
  await assert.rejects(run(transfer()), Problem);
  platform.onTheWay = () => null;
  platform.requests = [];
  assert.equal(await run(transfer()), "film-1");
  assert.equal(platform.begun, 1);
  assert.equal(platform.requests[0], "GET /uploads/u1");
});

test("another file of the same name and size never becomes the end of this one", async () => {
  platform.onTheWay = (method) => (method === "PATCH" && platform.arrived.length === 8 ? json(422, { type: "refused" }) : null);
  await assert.rejects(run(transfer()), Problem);
  platform.onTheWay = () => null;
  const other = new TextEncoder().encode("another film!");
  assert.equal(other.length, BYTES.length);
  assert.equal(await run(transfer(other)), "film-1");
  assert.equal(platform.begun, 2);
  assert.deepEqual(platform.arrived, other);
});

test("where storage is forbidden the platform's own list leads back to what was begun", async () => {
  known["localStorage"] = { getItem: () => { throw new Error("forbidden"); }, setItem: () => { throw new Error("full"); }, removeItem: () => { throw new Error("no"); } };
  platform.onTheWay = (method) => (method === "PATCH" && platform.arrived.length === 4 ? json(422, { type: "refused" }) : null);
  await assert.rejects(run(transfer()), Problem);
  platform.onTheWay = () => null;
  assert.equal(await run(transfer()), "film-1");
  assert.equal(platform.begun, 1);
});

test("what another lesson has begun is left alone", async () => {
  platform.onTheWay = (method) => (method === "PATCH" && platform.arrived.length === 4 ? json(422, { type: "refused" }) : null);
  await assert.rejects(run(transfer()), Problem);
  platform.onTheWay = () => null;
  (known["localStorage"] as Storage).kept.clear();
  platform.lessonId = "another";
  await run(transfer());
  assert.equal(platform.begun, 2);
});

test("a proxy that knows no PATCH is gone around by POST", async () => {
  platform.onTheWay = (method) => (method === "PATCH" ? new Response("<html>", { status: 405 }) : null);
  assert.equal(await run(transfer()), "film-1");
  assert.deepEqual(platform.arrived, BYTES);
  assert.equal(platform.requests.filter((each) => each.startsWith("PATCH ")).length, 1, "it is not tried again for each piece");
});

test("a firewall that forbids every way is told as final, and by which status", async () => {
  platform.onTheWay = (method) => (method === "PATCH" || (method === "POST" && platform.begun > 0) ? new Response("<html>", { status: 403 }) : null);
  await assert.rejects(run(transfer()), (error) => error instanceof Forbidden && error.status === 403);
  assert.ok(waits.every(([, by]) => by === 403));
});

test("a busy platform is waited for as long as it asks", async () => {
  let left = 1;
  platform.onTheWay = (_method, url) => (url.endsWith("/finish") && left-- > 0 ? json(503, { type: "busy" }, { "Retry-After": "20" }) : null);
  assert.equal(await run(transfer()), "film-1");
  assert.ok((waits[0]?.[0] ?? 0) >= 20);
  assert.ok(waits.every(([, by, busy]) => by === null && busy));
});

test("a refusal is not argued with", async () => {
  platform.onTheWay = (method, url) => (method === "POST" && url === "/uploads" ? json(422, { type: "film-too-large", title: "too large" }) : null);
  await assert.rejects(run(transfer()), (error) => error instanceof Problem && error.type === "film-too-large");
  assert.equal(waits.length, 0);
});

test("a file that is no longer on the disk is not taken for a dead network", async () => {
  const upload = transfer();
  (upload as unknown as { file: unknown }).file = {
    name: "film.mp4", size: BYTES.length, lastModified: 7,
    slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }),
  };
  await assert.rejects(run(upload), FileChanged);
});

test("who pauses goes on later from the same place; who gives up leaves nothing", async () => {
  const upload = transfer();
  platform.onTheWay = (method) => {
    if (method === "PATCH" && platform.arrived.length === 8) upload.pause();
    return null;
  };
  await assert.rejects(run(upload), Paused);
  assert.ok(platform.arrived.length >= 8);
  platform.onTheWay = () => null;
  assert.equal(await run(upload), "film-1");
  const given = transfer();
  platform.onTheWay = (method) => (method === "PATCH" ? json(422, { type: "refused" }) : null);
  await assert.rejects(run(given), Problem);
  await given.discard();
  assert.equal(platform.requests.at(-1), "DELETE /uploads/u1");
  assert.equal((known["localStorage"] as Storage).kept.size, 0);
});
