/** Keeps unsent beats in the browser, so that a closed page, a crash or a dead network loses none of them. */

import type { Beat } from "./protocol.ts";

/** What is kept of one sitting. */
export interface StoredSitting {
  sittingId: string;
  enrolmentId: string;
  lessonId: string;
  nextSeq: number;
  unsent: Beat[];
  touchedAt: number;
}

const PREFIX = "xueji.sitting.";
const FORGET_AFTER_MS = 7 * 24 * 3_600_000;

export class BeatStore {
  private readonly storage: Storage | null;
  /** Where the browser refuses storage, the page still works until it is closed. */
  private readonly memory = new Map<string, StoredSitting>();

  constructor(storage: Storage | null) {
    this.storage = storage;
  }

  read(sittingId: string): StoredSitting | null {
    // What could not be stored is newer than anything that was.
    const inMemory = this.memory.get(sittingId);
    if (inMemory !== undefined) return inMemory;
    const text = this.storage?.getItem(PREFIX + sittingId) ?? null;
    if (text === null) return null;
    try {
      return JSON.parse(text) as StoredSitting;
    } catch {
      this.storage?.removeItem(PREFIX + sittingId);
      return null;
    }
  }

  write(kept: StoredSitting): void {
    kept.touchedAt = Date.now();
    const text = JSON.stringify(kept);
    if (this.stored(kept.sittingId, text) || (this.madeRoom(kept.sittingId) && this.stored(kept.sittingId, text))) {
      this.memory.delete(kept.sittingId);
      return;
    }
    this.memory.set(kept.sittingId, kept);
    // A copy that is older than this would give numbers out a second time.
    this.storage?.removeItem(PREFIX + kept.sittingId);
  }

  private stored(sittingId: string, text: string): boolean {
    try {
      this.storage?.setItem(PREFIX + sittingId, text);
      return this.storage !== null;
    } catch {
      return false;
    }
  }

  /** The storage is full: forget sittings of which nothing is left to hand in. Whether there were any. */
  private madeRoom(but: string): boolean {
    const done = this.keys().filter((key) => key !== PREFIX + but && this.read(key.slice(PREFIX.length))?.unsent.length === 0);
    for (const key of done) this.storage?.removeItem(key);
    return done.length > 0;
  }

  forget(sittingId: string): void {
    this.memory.delete(sittingId);
    this.storage?.removeItem(PREFIX + sittingId);
  }

  /** Everything kept for an enrolment, the most recent first. Another person's enrolments are left alone. */
  ofEnrolment(enrolmentId: string): StoredSitting[] {
    const found: StoredSitting[] = [];
    const ids = new Set([...this.keys().map((key) => key.slice(PREFIX.length)), ...this.memory.keys()]);
    for (const id of ids) {
      const kept = this.read(id);
      if (kept === null) continue;
      if (Date.now() - kept.touchedAt > FORGET_AFTER_MS) this.forget(kept.sittingId);
      else if (kept.enrolmentId === enrolmentId) found.push(kept);
    }
    return found.sort((one, other) => other.touchedAt - one.touchedAt);
  }

  private keys(): string[] {
    const keys: string[] = [];
    for (let index = 0; index < (this.storage?.length ?? 0); index += 1) {
      const key = this.storage?.key(index) ?? null;
      if (key?.startsWith(PREFIX)) keys.push(key);
    }
    return keys;
  }
}

/** The browser's storage, or null where it is forbidden. */
export function browserStorage(): Storage | null {
  try {
    const storage = window.localStorage;
    storage.setItem(`${PREFIX}probe`, "1");
    storage.removeItem(`${PREFIX}probe`);
    return storage;
  } catch {
    return null;
  }
}

const LEFT = "xueji.left";

/**
 * The sitting that the page of this tab had open when it was left: what a reload goes on with where the browser has no
 * locks to ask whose a sitting is. A tab that was duplicated while its page lived finds nothing, and opens one of its own.
 */
export class TabMark {
  private readonly storage: Storage | null;

  constructor(storage: Storage | null) {
    this.storage = storage;
  }

  /** Said once: whoever comes next in this tab must have been told by a page that was left. */
  take(): string | null {
    const left = this.storage?.getItem(LEFT) ?? null;
    this.storage?.removeItem(LEFT);
    return left;
  }

  /** The page of this sitting is being left. */
  leave(sittingId: string): void {
    this.storage?.setItem(LEFT, sittingId);
  }
}

/** The tab's own storage, or null where it is forbidden. */
export function tabStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
