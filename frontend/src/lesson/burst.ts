/** When the frames of a check are taken: one at rest, the rest shared out over the movements asked for. */

/** One thing to ask the person, and the moments (ms after asking) at which frames are taken. */
export interface Step {
  /** null: look straight and hold still. */
  prompt: string | null;
  takeAtMs: number[];
  lastsMs: number;
}

/** A person needs this long to read and move. */
const REACT_MS = 1_300;
const STILL_MS = 900;
const APART_MS = 350;

/** `frames` is what the plan asks for; every movement gets at least one frame, so there may be more. */
export function planBurst(prompts: readonly string[], frames: number): Step[] {
  if (prompts.length === 0) {
    return [{ prompt: null, takeAtMs: moments(STILL_MS, Math.max(1, frames)), lastsMs: STILL_MS + Math.max(1, frames) * APART_MS }];
  }
  const moving = Math.max(prompts.length, frames - 1);
  const each = Math.floor(moving / prompts.length);
  const extra = moving % prompts.length;
  const steps: Step[] = [{ prompt: null, takeAtMs: [STILL_MS], lastsMs: STILL_MS + 200 }];
  prompts.forEach((prompt, index) => {
    const count = each + (index < extra ? 1 : 0);
    steps.push({ prompt, takeAtMs: moments(REACT_MS, count), lastsMs: REACT_MS + count * APART_MS });
  });
  return steps;
}

function moments(firstMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => firstMs + index * APART_MS);
}
