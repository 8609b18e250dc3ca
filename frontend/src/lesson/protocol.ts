/** What the lesson page and the server say to each other. Times in ms of media unless an ISO string. */

export type PlayState = "playing" | "paused" | "hidden" | "idle" | "buffering";

export interface Beat {
  beat_id: string;
  seq: number;
  from_ms: number;
  to_ms: number;
  state: PlayState;
  rate: number;
  sent_at: string;
  interacted: boolean;
}

export interface Refused {
  from_ms: number;
  to_ms: number;
  reason: string;
}

export interface Check {
  check_id: string;
  nonce: string;
  prompts: string[];
  /** For each prompt, at which moments (ms since the movement began) its pictures are taken. */
  pulses: number[][];
  answer_by: string;
  kind: string;
  attempt: number;
}

export interface Question {
  question_id: string;
  answer_by: string;
}

/** The figures of the proctoring plan that the page needs; the server sends them all. */
export interface Plan {
  offline_ms: number;
  frames: number;
  min_pixels: number;
  max_rate: number;
  [name: string]: number;
}

/** The four fates of study, and what was not watched yet. */
export type Fate = "counted" | "provisional" | "held" | "refused";
export const FATES: readonly Fate[] = ["counted", "provisional", "held", "refused"];

export type Range = [number, number];

/** What one check did to her hours, in all lessons; ms. */
export interface Did {
  check_id: string;
  confirmed_ms: number;
  over_cap_ms: number;
  held_ms: number;
  make_up_ms: number;
  awaited_ms: number;
  provisional_ms: number;
}

/** The lesson in the statement of hours. */
export interface Line {
  duration_ms: number;
  furthest_ms: number;
  counted_ms: number;
  provisional_ms: number;
  held_ms: number;
  awaited_ms: number;
  refused: { reason: string; ms: number }[];
  make_up: Range[];
  /** What study is worth from now on, until the next check. */
  ahead: Fate;
  /** Whole seconds that add up to the film's. */
  shown: Record<Fate | "unseen", number>;
  /** Where in the film each sum lies. */
  stretches: Record<Fate, Range[]>;
}

/** The line as it was worked out anew. */
export interface Reckoned extends Line {
  check: Did | null;
}

export interface Sitting {
  sitting_id: string;
  resume_ms: number;
  furthest_ms: number;
  duration_ms: number;
  ledger: Line | null;
  beat_seconds: number;
  lease: { id: string; token: string; expires_at: string };
  rulebook: string;
  method: "face" | "supervised";
  plan: Plan;
  make_up: [number, number][];
  media: { hls: string; poster: string } | null;
  check: Check | null;
  question: Question | null;
}

export interface BeatsAnswer {
  furthest_ms: number;
  ledger: Line | null;
  refused: Refused[];
  check: Check | null;
  question: Question | null;
  server_time: string;
}
