/** Answering a check over HTTP: the frames, a report that it cannot be done, and the verdict. */

import { call, Problem, Unreachable } from "../api.ts";
import type { CameraFailure } from "../camera.ts";
import { pause } from "../pause.ts";
import { serverClock } from "../clock.ts";
import type { Check } from "./protocol.ts";

/** A check as `GET checks/{id}` tells it. */
export interface CheckStatus {
  check_id: string;
  state: "due" | "answered" | "decided" | "contested" | "reviewed";
  outcome: string | null;
  /** Why the previous attempt did not do. */
  last_outcome: string | null;
  /** What was noticed beside the faces in the latest attempt, as codes. */
  signals: string[];
  attempt: number;
  kind: string;
  /** Only while it waits for an answer, as the nonce. */
  answer_by: string | null;
  nonce: string | null;
  prompts: string[];
  pulses: number[][];
}

/** What a check is answered with: single pictures at rest, and one picture for each movement. */
export interface Taken {
  frames: Blob[];
  movements: Blob[];
}

const UPLOAD_TIMEOUT_MS = 20_000;
const POLLS_MS = [600, 800, 1_000, 1_000, 1_500, 1_500, 2_000, 2_000, 3_000, 3_000, 4_000];

export class Answers {
  private readonly url: string;
  private wakePoll: (() => void) | null = null;

  constructor(checksUrl: string) {
    this.url = checksUrl;
  }

  /**
   * Upload the frames, again and again until the answer window closes. The nonce makes a second arrival harmless.
   * Throws Unreachable when time ran out, Problem when the server will not have them.
   */
  async send(check: Check, taken: Taken, device: string, again: () => void): Promise<void> {
    for (;;) {
      const form = new FormData();
      taken.frames.forEach((frame, index) => form.append("frame", frame, `frame-${index + 1}.jpg`));
      taken.movements.forEach((strip, index) => form.append("movement", strip, `movement-${index + 1}.jpg`));
      form.append("nonce", check.nonce);
      form.append("device", device);
      try {
        await call(`${this.url}/${check.check_id}/frames`, { method: "POST", body: form, timeoutMs: UPLOAD_TIMEOUT_MS });
        return;
      } catch (error) {
        const passing = error instanceof Unreachable || (error instanceof Problem && (error.status === 429 || error.status >= 500));
        // A conflict after a lost answer: the frames are there already, the verdict will tell.
        if (error instanceof Problem && error.status === 409) return;
        if (!passing || serverClock.until(check.answer_by) <= 0) throw error;
        again();
        await pause(1_000 + Math.random() * 500);
      }
    }
  }

  /** Report that the camera gives no picture, and why. */
  unable(check: Check, reason: CameraFailure): Promise<CheckStatus> {
    return call(`${this.url}/${check.check_id}/unable`, { method: "POST", json: { nonce: check.nonce, reason } });
  }

  /** The browser asks whether the page may use the camera, or was answered: the time to answer begins then. */
  camera(check: Check, question: "asked" | "answered"): Promise<CheckStatus> {
    return call(`${this.url}/${check.check_id}/camera`, { method: "POST", json: { nonce: check.nonce, question } });
  }

  refuse(check: Check): Promise<CheckStatus> {
    return call(`${this.url}/${check.check_id}/refuse`, { method: "POST", json: { nonce: check.nonce } });
  }

  status(checkId: string): Promise<CheckStatus> {
    return call(`${this.url}/${checkId}`);
  }

  /** Wait for what becomes of an attempt: decided, or due again with the next attempt. null when it takes long. */
  async verdict(check: Check): Promise<CheckStatus | null> {
    for (const ms of POLLS_MS) {
      await this.pauseOrWake(ms);
      let status: CheckStatus;
      try {
        status = await this.status(check.check_id);
      } catch (error) {
        if (error instanceof Problem && error.status < 500 && error.status !== 429) throw error;
        continue;
      }
      if (status.outcome !== null || status.attempt > check.attempt || (status.state !== "due" && status.state !== "answered")) {
        return status;
      }
    }
    return null;
  }

  /** Something was heard over the socket: look at once. */
  wake(): void {
    this.wakePoll?.();
  }

  private pauseOrWake(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = window.setTimeout(done, ms);
      this.wakePoll = () => {
        window.clearTimeout(timer);
        done();
      };
    });
  }
}
