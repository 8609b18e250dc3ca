/** What the server has to say of itself. Only a faster way: everything arrives in beat answers too. */

import type { Check } from "./protocol.ts";

interface Heard {
  checkDue: (check: Check) => void;
  leaseLost: () => void;
  stateChanged: () => void;
}

/** Connect and join the sitting's room. Gives back how to hang up. Never throws: the page works without. */
export async function listen(sittingId: string, heard: Heard): Promise<() => void> {
  try {
    const { io } = await import("socket.io-client");
    const socket = io({ transports: ["websocket"], reconnectionDelay: 2_000, reconnectionDelayMax: 30_000, randomizationFactor: 0.7 });
    const ours = (message: { sitting_id?: string } | undefined): boolean =>
      message?.sitting_id === undefined || message.sitting_id === sittingId;
    socket.on("connect", () => socket.emit("join", { sitting_id: sittingId }));
    socket.on("check.due", (message: Check & { sitting_id?: string }) => {
      if (ours(message) && typeof message.nonce === "string") heard.checkDue(message);
    });
    socket.on("lease.lost", (message?: { sitting_id?: string }) => {
      if (ours(message)) heard.leaseLost();
    });
    socket.on("sitting.state", (message?: { sitting_id?: string }) => {
      if (ours(message)) heard.stateChanged();
    });
    return () => socket.disconnect();
  } catch {
    return () => undefined;
  }
}
