/** Getting a film into a <video>: HLS by the browser itself on Apple's, by hls.js elsewhere, loaded only when needed. */

/** How often a film that cannot be decoded is attached anew before it is given up. */
const MOST_RECOVERIES = 2;

export interface Attached {
  /** Try again. */
  again: () => void;
  /** Keep to the smallest size, or let the network decide; null where there is no choice. */
  spare: ((on: boolean) => void) | null;
}

export interface Watch {
  /** Something is wrong with the film, which may be attached anew at once. */
  faulty: () => void;
  /** It cannot be played any more. */
  failed: (why: "network" | "unsupported") => void;
}

/** Attach the playlist. */
export async function attachFilm(video: HTMLVideoElement, url: string, startMs: number, watch: Watch): Promise<Attached> {
  if (playsHlsItself(video)) {
    const load = (at: number): void => {
      video.src = url;
      video.addEventListener("loadedmetadata", () => (video.currentTime = at), { once: true });
      video.load();
    };
    video.addEventListener("error", () => {
      watch.faulty();
      watch.failed("network");
    });
    load(startMs / 1000);
    return { again: () => load(video.currentTime || startMs / 1000), spare: null };
  }
  const { default: Hls } = await import("hls.js/light");
  if (!Hls.isSupported()) {
    watch.failed("unsupported");
    return { again: () => undefined, spare: null };
  }
  const hls = new Hls({ startPosition: startMs / 1000, maxBufferLength: 30, backBufferLength: 60 });
  let recoveries = 0;
  const recover = (): void => {
    if (recoveries === MOST_RECOVERIES) {
      watch.failed("network");
    } else {
      recoveries += 1;
      hls.recoverMediaError();
    }
  };
  hls.on(Hls.Events.ERROR, (_name, error) => {
    // Some it mends by itself, by attaching the film anew.
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) watch.faulty();
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) recover();
    else watch.failed("network");
  });
  // hls.js hears of a decoder that broke only when it has something to add: with enough in store the film would stand still.
  // Where it hears first it attaches the film anew, and the element forgets to tell of its error.
  video.addEventListener("error", () => {
    if (video.error === null) return;
    watch.faulty();
    recover();
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
