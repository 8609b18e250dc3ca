/** Getting a film into a <video>: HLS by the browser itself on Apple's, by hls.js elsewhere, loaded only when needed. */

/** Attach the playlist; `failed` is called when the film cannot be played any more. Gives back a way to try again. */
export async function attachFilm(
  video: HTMLVideoElement,
  url: string,
  startMs: number,
  failed: (why: "network" | "unsupported") => void,
): Promise<() => void> {
  if (playsHlsItself(video)) {
    const load = (): void => {
      video.src = url;
      video.addEventListener("loadedmetadata", () => (video.currentTime = startMs / 1000), { once: true });
      video.load();
    };
    video.addEventListener("error", () => failed("network"));
    load();
    return load;
  }
  const { default: Hls } = await import("hls.js/light");
  if (!Hls.isSupported()) {
    failed("unsupported");
    return () => undefined;
  }
  const hls = new Hls({ startPosition: startMs / 1000, maxBufferLength: 30, backBufferLength: 60 });
  let recoveries = 0;
  hls.on(Hls.Events.ERROR, (_name, error) => {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < 2) {
      recoveries += 1;
      hls.recoverMediaError();
    } else {
      failed("network");
    }
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return () => {
    recoveries = 0;
    hls.loadSource(url);
    hls.startLoad(video.currentTime);
  };
}

/** Apple's browsers; Chromium's own HLS is young, hls.js serves it better. */
function playsHlsItself(video: HTMLVideoElement): boolean {
  return navigator.vendor.startsWith("Apple") && video.canPlayType("application/vnd.apple.mpegurl") !== "";
}
