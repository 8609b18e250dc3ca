/** What to say when there is no camera, and what to do about it: inside another program the way out of it. */

import type { CameraFailure } from "./camera.ts";
import { copied, inApp, ownAddress } from "./inapp.ts";
import { words, wordsFor } from "./words/index.ts";

export interface NoCamera {
  title: string;
  text: string;
  /** The address to open elsewhere, where that is the way. */
  address: string | null;
}

/** In another program's browser every one of these may be that program's doing, and only there. */
const OF_THE_PROGRAM: readonly CameraFailure[] = ["blocked", "denied", "not_found", "lost"];

export function noCamera(failure: CameraFailure, agent = navigator.userAgent, address = location.href): NoCamera {
  const program = inApp(agent);
  const [title, text] = words.camera.failures[failure] ?? [failure, ""];
  if (program === null || !OF_THE_PROGRAM.includes(failure)) return { title, text, address: null };
  const way = words.camera.outside(wordsFor(words.camera.programs, program));
  return { title, text: failure === "denied" ? `${text}${words.space}${way}` : way, address: ownAddress(address) };
}

/** Copies the address and says so on the button that was pressed. */
export async function copyAddress(address: string, pressed: HTMLElement | null): Promise<void> {
  const done = await copied(address);
  const label = pressed?.querySelector("span") ?? pressed;
  if (label !== null) label.textContent = done ? words.camera.copied : words.camera.notCopied;
}
