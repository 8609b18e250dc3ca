/** The camera: opening it, telling its six failures apart, taking frames. */

import { pause } from "./pause.ts";

/**
 * Why there is no picture: none connected; the person said no; the browser or its policy forbids it; another program has it; it is too
 * coarse; it gives no (or a black) picture or went away.
 */
export type CameraFailure = "not_found" | "denied" | "blocked" | "in_use" | "too_low" | "lost";

export class CameraError extends Error {
  readonly failure: CameraFailure;

  constructor(failure: CameraFailure) {
    super(failure);
    this.failure = failure;
  }
}

const FIRST_FRAME_MS = 8_000;
/** A browser that has not opened the camera by then is asking, whatever it says of its permissions. */
const ASKS_AFTER_MS = 1_200;
const STALLED_MS = 3_000;
const SHORT_SIDE = 480;
const JPEG_QUALITY = 0.85;
/** Mean brightness (0–255) and spread below which a picture is black: a lens cover, a disabled camera. */
const BLACK_MEAN = 10;
const BLACK_SPREAD = 6;

export class Camera {
  /** The name the system gives the camera; may be empty. */
  readonly label: string;
  private readonly stream: MediaStream;
  private readonly preview: HTMLVideoElement;
  private readonly canvas = document.createElement("canvas");
  private watcher: number | undefined;

  private constructor(stream: MediaStream, preview: HTMLVideoElement) {
    this.stream = stream;
    this.preview = preview;
    this.label = stream.getVideoTracks()[0]?.label ?? "";
  }

  /**
   * Open the camera into `preview`. `minPixels` is width × height; `asking` hears whether the browser asks the person
   * first (true), and that it no longer does (false). Throws CameraError.
   */
  static async open(preview: HTMLVideoElement, minPixels: number, asking: (asks: boolean) => void = () => undefined): Promise<Camera> {
    if (!window.isSecureContext || navigator.mediaDevices === undefined) throw new CameraError("blocked");
    let stream: MediaStream;
    const stopWatching = watchQuestion(asking);
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
      });
    } catch (error) {
      throw new CameraError(failureOf(error));
    } finally {
      stopWatching();
    }
    const camera = new Camera(stream, preview);
    try {
      await camera.start(minPixels);
    } catch (error) {
      camera.close();
      throw error;
    }
    return camera;
  }

  /** Call `lost` once when the camera goes away, freezes or turns black. */
  watch(lost: () => void): void {
    let lastTime = -1;
    let lastMoved = performance.now();
    const tell = (): void => {
      window.clearInterval(this.watcher);
      lost();
    };
    this.stream.getVideoTracks()[0]?.addEventListener("ended", tell, { once: true });
    this.watcher = window.setInterval(() => {
      const now = performance.now();
      if (this.preview.currentTime !== lastTime) {
        lastTime = this.preview.currentTime;
        lastMoved = now;
      }
      // A hidden page gets no frames: that is not the camera's fault.
      if (document.hidden) lastMoved = now;
      if (now - lastMoved > STALLED_MS || this.isBlack()) tell();
    }, 1_000);
  }

  /** The picture of this moment as JPEG, its short side 480 px. Throws CameraError. */
  async frame(): Promise<Blob> {
    const { videoWidth: width, videoHeight: height } = this.preview;
    if (width === 0 || !this.isLive()) throw new CameraError("lost");
    const scale = Math.min(1, SHORT_SIDE / Math.min(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.getContext("2d")?.drawImage(this.preview, 0, 0, this.canvas.width, this.canvas.height);
    const blob = await new Promise<Blob | null>((done) => this.canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
    if (blob === null) throw new CameraError("lost");
    return blob;
  }

  /** Brightness of the picture now: mean and spread, 0–255. */
  light(): { mean: number; spread: number } {
    const sample = document.createElement("canvas");
    sample.width = 32;
    sample.height = 24;
    const pen = sample.getContext("2d");
    if (pen === null) return { mean: 128, spread: 64 };
    pen.drawImage(this.preview, 0, 0, 32, 24);
    const { data } = pen.getImageData(0, 0, 32, 24);
    const greys: number[] = [];
    for (let at = 0; at < data.length; at += 4) {
      greys.push(0.3 * (data[at] ?? 0) + 0.59 * (data[at + 1] ?? 0) + 0.11 * (data[at + 2] ?? 0));
    }
    const mean = greys.reduce((sum, grey) => sum + grey, 0) / greys.length;
    const variance = greys.reduce((sum, grey) => sum + (grey - mean) ** 2, 0) / greys.length;
    return { mean, spread: Math.sqrt(variance) };
  }

  close(): void {
    window.clearInterval(this.watcher);
    for (const track of this.stream.getTracks()) track.stop();
    // Another camera may have been opened into the same preview meanwhile.
    if (this.preview.srcObject === this.stream) this.preview.srcObject = null;
  }

  private async start(minPixels: number): Promise<void> {
    const { preview } = this;
    preview.muted = true;
    preview.playsInline = true;
    preview.srcObject = this.stream;
    await firstFrame(preview);
    if (preview.videoWidth * preview.videoHeight < minPixels) throw new CameraError("too_low");
    // Exposure settles in the first moments: look again before calling it black.
    for (let look = 0; look < 6 && this.isBlack(); look += 1) await pause(400);
    if (this.isBlack()) throw new CameraError("lost");
  }

  private isLive(): boolean {
    const track = this.stream.getVideoTracks()[0];
    return track !== undefined && track.readyState === "live";
  }

  private isBlack(): boolean {
    const { mean, spread } = this.light();
    return mean < BLACK_MEAN && spread < BLACK_SPREAD;
  }
}


/** Tell when the browser begins to ask for the camera; call what is given back when it has been answered. */
function watchQuestion(asking: (asks: boolean) => void): () => void {
  let told = false;
  let over = false;
  const asks = (): void => {
    if (told || over) return;
    told = true;
    asking(true);
  };
  const timer = window.setTimeout(asks, ASKS_AFTER_MS);
  permission().then((state) => state === "prompt" && asks(), () => undefined);
  return () => {
    over = true;
    window.clearTimeout(timer);
    if (told) asking(false);
  };
}

/** What the browser would do with a request for the camera; older ones do not know the name. */
async function permission(): Promise<PermissionState | null> {
  if (!("permissions" in navigator)) return null;
  return (await navigator.permissions.query({ name: "camera" as PermissionName })).state;
}

function firstFrame(preview: HTMLVideoElement): Promise<void> {
  return new Promise((done, failed) => {
    const timer = window.setTimeout(() => failed(new CameraError("lost")), FIRST_FRAME_MS);
    const ready = (): void => {
      window.clearTimeout(timer);
      done();
    };
    preview.addEventListener("loadeddata", ready, { once: true });
    preview.play().catch(() => undefined);
  });
}

/** Browsers name failures differently, and give one name to two of them. */
function failureOf(error: unknown): CameraFailure {
  const name = error instanceof DOMException || error instanceof Error ? error.name : "";
  if (name === "NotFoundError" || name === "DevicesNotFoundError") return "not_found";
  if (name === "NotReadableError" || name === "TrackStartError" || name === "AbortError") return "in_use";
  if (name === "OverconstrainedError" || name === "ConstraintNotSatisfiedError") return "too_low";
  if (name === "SecurityError" || name === "TypeError") return "blocked";
  return forbiddenByPolicy() ? "blocked" : "denied";
}

interface FeaturePolicy {
  allowsFeature(name: string): boolean;
}

/** "Not allowed" may be the person's word or the page's own header's. */
function forbiddenByPolicy(): boolean {
  const policy = (document as Document & { featurePolicy?: FeaturePolicy }).featurePolicy;
  return policy !== undefined && !policy.allowsFeature("camera");
}
