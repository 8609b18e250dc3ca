/** Whether a poster or somebody else is in view: asked of the server before a check, which keeps nothing of it. */

import { call } from "./api.ts";
import type { Camera } from "./camera.ts";
import { pause } from "./pause.ts";

export type Behind = "nobody" | "picture" | "somebody";

/** Between two looks: whoever lives has moved by then. */
const APART_MS = 1_500;
const PATIENCE_MS = 4_000;

/** Never fails: who gets no answer goes on as if nobody were there, and the check itself will tell. */
export async function lookBehind(camera: Camera): Promise<Behind> {
  try {
    const form = new FormData();
    form.append("first", await camera.frame(), "first.jpg");
    await pause(APART_MS);
    form.append("later", await camera.frame(), "later.jpg");
    const { behind } = await call<{ behind: Behind }>("/api/v1/me/view", { method: "POST", body: form, timeoutMs: PATIENCE_MS });
    return behind;
  } catch {
    return "nobody";
  }
}
