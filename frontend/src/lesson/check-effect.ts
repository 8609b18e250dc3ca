/** What a check did, in a sentence: how much it confirmed, how much is still held, and why. */

import { amount, words } from "../words/index.ts";
import type { Did } from "./protocol.ts";

export function sentenceOf(did: Did, outcome: string): string {
  const { check } = words;
  const parts: string[] = [];
  const passed = outcome === "match";
  if (passed) parts.push(check.confirmed(amount(did.confirmed_ms)));
  if (did.over_cap_ms > 0) parts.push(check.overCap(amount(did.over_cap_ms)));
  if (did.held_ms > 0) parts.push(check.heldByThis(amount(did.held_ms)));
  // What an earlier check holds stays held, however good this one was.
  if (did.make_up_ms > 0 && passed) parts.push(check.heldBefore(amount(did.make_up_ms)));
  else if (did.make_up_ms > did.held_ms) parts.push(check.heldInAll(amount(did.make_up_ms)));
  if (did.awaited_ms > 0) parts.push(check.awaited(amount(did.awaited_ms)));
  if (did.provisional_ms > 0 && !passed) parts.push(check.stillWaiting(amount(did.provisional_ms)));
  return parts.join(words.space);
}
