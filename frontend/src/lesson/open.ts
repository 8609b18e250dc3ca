/** Opening a sitting: which id, what was left behind by an earlier page, and whose turn it is. */

import { call, Problem, Unreachable } from "../api.ts";
import { uuid } from "../dom.ts";
import { type StoredSitting, BeatStore, TabMark, tabStorage } from "./beat-store.ts";
import type { BeatsAnswer, Sitting } from "./protocol.ts";

/** A page that comes back this soon goes on with the same sitting instead of asking for another. */
const SAME_SITTING_MS = 10 * 60_000;
const MOST_AT_ONCE = 60;

export interface Lesson {
  enrolmentId: string;
  lessonId: string;
  /** What the page was given to open sittings with. */
  page: string;
  sittingsUrl: string;
  /** Whether she came to make something up. */
  makesUp: boolean;
}

/** Hold the sitting's name in this browser until the page goes away; false when another tab holds it. */
function holdName(sittingId: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(false);
  return new Promise((resolve) => {
    void navigator.locks.request(`sitting-${sittingId}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<void>(() => undefined);
    });
  });
}

/** The sitting this page goes on with: the last one of the lesson if its page is gone, else a new one. */
export async function chooseSitting(store: BeatStore, lesson: Lesson): Promise<StoredSitting> {
  const left = new TabMark(tabStorage()).take();
  const last = store.ofEnrolment(lesson.enrolmentId).find((kept) => kept.lessonId === lesson.lessonId);
  if (last !== undefined && Date.now() - last.touchedAt < SAME_SITTING_MS) {
    // Without locks only this tab's own page can be known to be gone: by having said so as it was left.
    if ("locks" in navigator ? await holdName(last.sittingId) : left === last.sittingId) return last;
  }
  return newSitting(lesson);
}

/** Leave word in this tab of what its page had open; taken back when the browser brings the very page back. */
export function leaveWord(sitting: () => string | null): void {
  const mark = new TabMark(tabStorage());
  window.addEventListener("pagehide", () => {
    const sittingId = sitting();
    if (sittingId !== null) mark.leave(sittingId);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) mark.take();
  });
}

export async function newSitting(lesson: Lesson): Promise<StoredSitting> {
  const sittingId = uuid();
  await holdName(sittingId);
  return {
    sittingId,
    enrolmentId: lesson.enrolmentId,
    lessonId: lesson.lessonId,
    nextSeq: 1,
    unsent: [],
    touchedAt: Date.now(),
  };
}

/** Hand in what earlier pages could not send, with its old numbers. Throws Unreachable, and Problem when signed out. */
export async function handInLeftovers(store: BeatStore, lesson: Lesson, current: StoredSitting): Promise<void> {
  for (const kept of store.ofEnrolment(lesson.enrolmentId)) {
    if (kept.sittingId === current.sittingId || !(await isNobodys(kept))) continue;
    while (kept.unsent.length > 0) {
      const batch = kept.unsent.slice(0, MOST_AT_ONCE);
      try {
        await call<BeatsAnswer>(`${lesson.sittingsUrl}/${kept.sittingId}/beats`, { method: "POST", json: { beats: batch } });
      } catch (error) {
        if (error instanceof Unreachable) throw error;
        if (error instanceof Problem && (error.status === 401 || error.status === 429 || error.status >= 500)) throw error;
        // Any other answer is final: the server has recorded why.
      }
      kept.unsent = kept.unsent.slice(batch.length);
      store.write(kept);
    }
    store.forget(kept.sittingId);
  }
}

/** Whether no living tab of this browser works on the sitting. */
async function isNobodys(kept: StoredSitting): Promise<boolean> {
  if (!("locks" in navigator)) return Date.now() - kept.touchedAt > 60_000;
  const held = (await navigator.locks.query()).held ?? [];
  return !held.some((lock) => lock.name === `sitting-${kept.sittingId}`);
}

export function openSitting(lesson: Lesson, kept: StoredSitting, device: string, continueHere: boolean): Promise<Sitting> {
  return call<Sitting>(lesson.sittingsUrl, {
    method: "POST",
    json: {
      sitting_id: kept.sittingId,
      enrolment_id: lesson.enrolmentId,
      lesson_id: lesson.lessonId,
      device,
      page: lesson.page,
      ...(continueHere ? { continue_here: true } : {}),
    },
  });
}

/** What kind of device this is, for the trace: nothing that singles it out. */
export function deviceLabel(): string {
  const agent = navigator.userAgent;
  const system = /HarmonyOS|Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(agent)?.[0] ?? "?";
  const app = /MicroMessenger|DingTalk|Edg|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? "?";
  return `${system} ${app} ${window.screen.width}x${window.screen.height}`;
}
