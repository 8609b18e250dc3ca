/** The server's clock as seen from here, so that countdowns do not depend on a wrong clock in the device. */

export class ServerClock {
  /** Server minus device, and how far off it may be. */
  private offsetMs = 0;
  private doubtMs = Number.POSITIVE_INFINITY;

  /** A `Date` header: whole seconds, so half a second is added and half a second of doubt. */
  noteDate(header: string | null, askedAtMs: number, answeredAtMs: number): void {
    const server = header === null ? Number.NaN : Date.parse(header);
    if (!Number.isNaN(server)) this.note(server + 500, 500, askedAtMs, answeredAtMs);
  }

  /** An exact time that the server put into an answer. */
  noteExact(iso: string, askedAtMs: number, answeredAtMs: number): void {
    const server = Date.parse(iso);
    if (!Number.isNaN(server)) this.note(server, 0, askedAtMs, answeredAtMs);
  }

  /** The server's time now, epoch ms. */
  now(): number {
    return Date.now() + this.offsetMs;
  }

  /** ms until an ISO time of the server; negative when it is past. */
  until(iso: string): number {
    return Date.parse(iso) - this.now();
  }

  private note(serverMs: number, ownDoubtMs: number, askedAtMs: number, answeredAtMs: number): void {
    const doubt = ownDoubtMs + (answeredAtMs - askedAtMs) / 2;
    const offset = serverMs - (askedAtMs + answeredAtMs) / 2;
    // A better measurement wins; one that contradicts the old one means the device's clock was changed.
    if (doubt <= this.doubtMs || Math.abs(offset - this.offsetMs) > doubt + this.doubtMs) {
      this.offsetMs = offset;
      this.doubtMs = doubt;
    }
  }
}

export const serverClock = new ServerClock();
