/** Getting a film into a <video>: HLS by the browser itself on Apple's, by hls.js elsewhere, loaded only when needed. */

/** How often a film that cannot be decoded is attached anew before it is given up. */
const MOST_RECOVERIES = 2;

export interface Attached {
  /** Try again. */
  again: () => void;
  /** Keep to the smallest size, or let the network decide; null where there is no choice. */
  spare: ((on: boolean) => void) | null;
}

/** Attach the playlist; `failed` is called when the film cannot be played any more. */
export async function attachFilm(
  video: HTMLVideoElement,
  url: string,
  startMs: number,
  failed: (why: "network" | "unsupported") => void,
): Promise<Attached> {
  if (playsHlsItself(video)) {
    const load = (): void => {
      video.src = url;
      video.addEventListener("loadedmetadata", () => (video.currentTime = startMs / 1000), { once: true });
      video.load();
    };
    video.addEventListener("error", () => failed("network"));
    load();
    return { again: load, spare: null };
  }
  const { default: Hls } = await import("hls.js/light");
  if (!Hls.isSupported()) {
    failed("unsupported");
    return { again: () => undefined, spare: null };
  }
  const hls = new Hls({ startPosition: startMs / 1000, maxBufferLength: 30, backBufferLength: 60 });
  let recoveries = 0;
  const recover = (): void => {
    if (recoveries === MOST_RECOVERIES) {
      failed("network");
    } else {
      recoveries += 1;
      hls.recoverMediaError();
    }
  };
  hls.on(Hls.Events.ERROR, (_name, error) => {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) recover();
    else failed("network");
  });
  // hls.js hears of a decoder that broke only when it has something to add: with enough in store the film would stand still.
  video.addEventListener("error", () => {
    if (video.error !== null) recover();
  });
  const known = new Promise<void>((done) => hls.once(Hls.Events.MANIFEST_PARSED, () => done()));
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    again: () => {
      recoveries = 0;
      hls.loadSource(url);
      hls.startLoad(video.currentTime);
    },
    // Sizes stand in the order of what they take.
    spare: (on) => void known.then(() => (hls.autoLevelCapping = on ? 0 : -1)),
  };
}

/** Apple's browsers; Chromium's own HLS is young, hls.js serves it better. */
function playsHlsItself(video: HTMLVideoElement): boolean {
  return navigator.vendor.startsWith("Apple") && video.canPlayType("application/vnd.apple.mpegurl") !== "";
}
