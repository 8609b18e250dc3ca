/** Pictures of a movement: kept while it is awaited, picked at the moments the server drew, laid into one. */

import { beginningOf, difference, hasBegun, type Look, nearest, SMALL } from "./beginning.ts";

/** How long a movement is waited for, from its telling. Only then is what was seen sent, whatever it was. */
const PATIENCE_MS = 9_000;
/** Nobody reads and moves faster; and the prompt is being spoken. */
const LEAST_MS = 3_600;
const HINT_MS = 4_000;
/** Whoever moves more than this (grey levels) while the prompt is read has begun already. */
const MOST_STILL = 14;
const TICK_MS = 66;
const KEEP_MS = 13_000;
/** One moment's size: the longer and the shorter side, in pixels; three of the longer are as wide as a strip may be. */
const LONG_SIDE = 426;
const SHORT_SIDE = 320;
const COLUMNS = 3;
const ROWS = 4;
const KEPT_QUALITY = 0.86;
const STRIP_QUALITY = 0.8;
/** The middle of the picture, where the face is: the share of its sides that is looked at. */
const MIDDLE = 0.7;

interface StoredSitting extends Look {
  /** A JPEG as a data URL. */
  picture: string;
}

export interface Waiting {
  /** Nothing was seen for a while. */
  unseen: () => void;
  /** The movement has begun. */
  begun: () => void;
  /** Thrown out of, when the dialog does something else. */
  goOn: () => void;
}

export class MovementRecorder {
  private readonly preview: HTMLVideoElement;
  private readonly small = document.createElement("canvas");
  private readonly moment = document.createElement("canvas");
  private kept: StoredSitting[] = [];
  private reference: Float32Array | null = null;
  private last: Float32Array | null = null;
  private lastTime = -1;
  private timer: number | undefined;

  constructor(preview: HTMLVideoElement) {
    this.preview = preview;
    this.small.width = SMALL.width;
    this.small.height = SMALL.height;
  }

  private get wide(): boolean {
    return this.preview.videoWidth >= this.preview.videoHeight;
  }

  start(): void {
    this.stop();
    this.timer = window.setInterval(() => this.look(), TICK_MS);
  }

  stop(): void {
    window.clearInterval(this.timer);
    this.kept = [];
    this.reference = null;
  }

  /** Call when she sits still: what changes from now on is movement. */
  rest(): void {
    this.reference = this.last;
  }

  /** Wait for the movement asked for just now and give its strip; what is not made in time is sent as it was seen. */
  async movement(moments: readonly number[], waiting: Waiting): Promise<Blob> {
    const asked = performance.now();
    const reach = Math.max(0, ...moments);
    this.rest();
    let rest = 0;
    let told = false;
    let hinted = false;
    for (;;) {
      await new Promise((done) => window.setTimeout(done, TICK_MS));
      waiting.goOn();
      const now = performance.now();
      const seen = this.kept.filter((look) => look.at >= asked);
      // What moves while the prompt is still being read is how she sits.
      if (now - asked < 450) {
        rest = seen.reduce((most, look) => Math.max(most, look.change), rest);
        continue;
      }
      const still = Math.min(rest, MOST_STILL);
      const moves = hasBegun(seen, still);
      if (moves && !told) {
        told = true;
        waiting.begun();
      }
      if (!moves && !hinted && now - asked > HINT_MS) {
        hinted = true;
        waiting.unseen();
      }
      // To find when costs more than to see that, and is not needed before.
      if (now - asked <= LEAST_MS) continue;
      const begun = beginningOf(seen, still, reach);
      const over = begun !== null && now > begun + reach;
      if (over || now - asked > PATIENCE_MS) return this.strip(moments, begun ?? asked + 1_000);
    }
  }

  private look(): void {
    const { preview } = this;
    if (preview.videoWidth === 0 || preview.currentTime === this.lastTime) return;
    this.lastTime = preview.currentTime;
    const at = performance.now();
    const small = this.grey();
    const change = this.reference === null ? 0 : difference(this.reference, small);
    this.last = small;
    this.kept.push({ at, change, small, picture: this.picture() });
    this.kept = this.kept.filter((look) => look.at > at - KEEP_MS);
  }

  private grey(): Float32Array {
    const { videoWidth: width, videoHeight: height } = this.preview;
    const pen = this.small.getContext("2d", { willReadFrequently: true });
    const grey = new Float32Array(SMALL.width * SMALL.height);
    if (pen === null) return grey;
    const [w, h] = [width * MIDDLE, height * MIDDLE];
    pen.drawImage(this.preview, (width - w) / 2, (height - h) / 2, w, h, 0, 0, SMALL.width, SMALL.height);
    const { data } = pen.getImageData(0, 0, SMALL.width, SMALL.height);
    for (let at = 0; at < grey.length; at += 1) {
      grey[at] = 0.3 * (data[4 * at] ?? 0) + 0.59 * (data[4 * at + 1] ?? 0) + 0.11 * (data[4 * at + 2] ?? 0);
    }
    return grey;
  }

  /**
   * The whole picture, small enough that twelve of them go into one.
   *
   * At once: a busy browser puts `toBlob` off for seconds, and what she does meanwhile would not be seen.
   */
  private picture(): string {
    const [width, height] = this.momentSize();
    this.moment.width = width;
    this.moment.height = height;
    this.moment.getContext("2d")?.drawImage(this.preview, 0, 0, width, height);
    return this.moment.toDataURL("image/jpeg", KEPT_QUALITY);
  }

  private momentSize(): [number, number] {
    const { videoWidth: width, videoHeight: height } = this.preview;
    const scale = Math.min(1, LONG_SIDE / Math.max(width, height), SHORT_SIDE / Math.min(width, height));
    return [Math.round(width * scale), Math.round(height * scale)];
  }

  private async strip(moments: readonly number[], begun: number): Promise<Blob> {
    const { kept } = this;
    const [width, height] = this.momentSize();
    const columns = this.wide ? COLUMNS : ROWS;
    const canvas = document.createElement("canvas");
    canvas.width = columns * width;
    canvas.height = (this.wide ? ROWS : COLUMNS) * height;
    const pen = canvas.getContext("2d");
    for (const [place, index] of nearest(kept, moments.map((moment) => begun + moment)).entries()) {
      const look = kept[index];
      if (look === undefined || pen === null) continue;
      const picture = await opened(blobOf(look.picture));
      pen.drawImage(picture, (place % columns) * width, Math.floor(place / columns) * height, width, height);
      if ("close" in picture) picture.close();
    }
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", STRIP_QUALITY));
    return blob ?? new Blob();
  }
}

function blobOf(dataUrl: string): Blob {
  const bytes = atob(dataUrl.slice(dataUrl.indexOf(",") + 1));
  return new Blob([Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))], { type: "image/jpeg" });
}

/** Older browsers open pictures by an element only. */
async function opened(blob: Blob): Promise<ImageBitmap | HTMLImageElement> {
  if (typeof createImageBitmap === "function") return createImageBitmap(blob);
  const url = URL.createObjectURL(blob);
  const picture = new Image();
  try {
    await new Promise((done, failed) => {
      picture.onload = done;
      picture.onerror = failed;
      picture.src = url;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
  return picture;
}
