"""Films of every kind that people own, packaged and played to their end by the page's library in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support.films import AAC, SMALL, joined, picture, run, tone

import xueji
from media_pipeline.film import FilmError
from media_pipeline.hls import MASTER, PackagedFilm, package_film

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BUILT = Path(xueji.__path__[0]) / "web" / "static" / "built"
SECONDS = 3
LEAST_ACCEPTED = 0.97
PATIENCE_MS = 60_000

X264, MP3 = SMALL, ["-c:a", "libmp3lame", "-ar", "44100"]
TEN_BITS = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]
BT2020 = ["-color_primaries", "bt2020", "-colorspace", "bt2020nc"]
SCREEN = ["-c:v", "libvpx", "-deadline", "realtime"]
FIELDS = ["-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ildct+ilme"]

KINDS: dict[str, list[str]] = {
    "plain.mp4": [*X264, *AAC],
    "reordered.mp4": [*X264, "-preset", "medium", "-bf", "3", *AAC],
    "fragmented.mp4": [*X264, *AAC, "-movflags", "+frag_keyframe+empty_moov"],
    "mp3.mp4": [*X264, *MP3],
    "ac3.mkv": [*X264, "-c:a", "ac3"],
    "flac.mkv": [*X264, "-c:a", "flac"],
    "uncompressed-sound.mov": [*X264, "-c:a", "pcm_s16le"],
    "six-channels.mp4": [*X264, "-c:a", "aac", "-ac", "6"],
    "hevc.mp4": ["-c:v", "libx265", "-preset", "ultrafast", *AAC],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
    "recorded-by-a-browser.webm": [*SCREEN, "-c:a", "libopus", "-f", "webm", "-live", "1"],
    "xvid.avi": ["-c:v", "mpeg4", "-vtag", "xvid", "-bf", "2", *MP3],
    "divx.avi": ["-c:v", "msmpeg4v3", *MP3],
    "camera.avi": ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_u8"],
    "windows.wmv": ["-c:v", "wmv2", "-c:a", "wmav2"],
    "old-windows.asf": ["-c:v", "msmpeg4", "-c:a", "wmav1"],
    "flash.flv": ["-c:v", "flv1", *MP3],
    "live.flv": [*X264, *AAC],
    "phone.3gp": ["-c:v", "h263", "-s", "176x144", "-c:a", "aac"],
    "video-cd.mpg": ["-c:v", "mpeg1video", "-c:a", "mp2"],
    "dvd.vob": ["-c:v", "mpeg2video", "-c:a", "mp2", "-f", "vob"],
    "broadcast.ts": ["-c:v", "mpeg2video", "-c:a", "ac3", "-f", "mpegts"],
    "camcorder.m2ts": [*X264, "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"],
    "theora.ogv": ["-c:v", "libtheora", "-c:a", "libvorbis"],
    "studio.mov": ["-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"],
    "screen.mov": ["-c:v", "qtrle", "-pix_fmt", "rgb24", "-c:a", "pcm_s16be"],
    "four-four-four.mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", *AAC],
    "ten-bits.mkv": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *AAC],
    "full-range.mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuvj420p", *AAC],
    "grey.mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "gray", *AAC],
    "uneven.mp4": ["-vf", "select='not(mod(n\\,3))+lt(n\\,20)'", "-fps_mode", "vfr", *X264, *AAC],
    "wide-pixels.mp4": ["-vf", "setsar=16/15", *X264, *AAC],
    "hlg.mov": [*TEN_BITS, "-color_trc", "arib-std-b67", *BT2020, *AAC],
    "hdr10.mp4": [*TEN_BITS, "-color_trc", "smpte2084", *BT2020, *AAC],
    "interlaced.mpg": [*FIELDS, "-c:v", "mpeg2video", "-c:a", "mp2"],
    "own-ticks.mov": [*X264, *AAC, "-video_track_timescale", "600"],
    "late-clock.ts": [*X264, *AAC, "-output_ts_offset", "5000"],
    "clock-wraps.ts": [*X264, *AAC, "-output_ts_offset", "95440"],
    "no-sound.mkv": [*X264, "-an"],
    "refreshed-bit-by-bit.ts": [*X264, "-x264-params", "keyint=infinite:intra-refresh=1", *AAC],
}
RATES = {"film.mkv": "24000/1001", "ntsc.mp4": "30000/1001", "fast.mp4": "60", "slides.mp4": "1", "odd.mp4": "7"}


def make_all(folder: Path) -> list[Path]:
    for name, options in KINDS.items():
        run(*picture(SECONDS), *tone(SECONDS), *options, str(folder / name))
    for name, rate in RATES.items():
        run(*picture(SECONDS, rate=rate), *tone(SECONDS), *X264, *AAC, str(folder / name))
    run("-itsoffset", "1.5", *picture(2), *tone(4), *X264, *AAC, str(folder / "picture-late.mkv"))
    run(*picture(2), "-itsoffset", "1", *tone(1), *X264, *AAC, str(folder / "sound-late.mp4"))
    run("-ss", "1.1", "-i", str(folder / "reordered.mp4"), "-c", "copy", str(folder / "trimmed.mp4"))
    run("-display_rotation", "90", "-i", str(folder / "plain.mp4"), "-c", "copy", str(folder / "turned.mp4"))
    for name in ("broadcast.ts", "video-cd.mpg"):
        joined(folder, f"joined-{name}", [folder / name, folder / name])
    return sorted(folder.iterdir())


PAGE = """<video id="film" muted></video><script type="module">
import * as library from "/built/LIBRARY";
const Hls = Object.values(library).find((each) => typeof each?.isSupported === "function");
window.watch = (url) => new Promise((told) => {
  const video = document.getElementById("film");
  const hls = new Hls({ startPosition: 0, maxBufferLength: 30, backBufferLength: 60 });
  const faults = [];
  const tell = (how) => { told({ how, at: video.currentTime, faults }); hls.destroy(); };
  hls.on("hlsError", (_, error) => faults.push(error.details));
  let at = -1;
  setInterval(() => { if (video.currentTime === at) tell("stands"); at = video.currentTime; }, 30000);
  video.addEventListener("ended", () => tell("ended"), { once: true });
  video.addEventListener("loadedmetadata", () => video.play(), { once: true });
  hls.loadSource(url);
  hls.attachMedia(video);
});
window.ready = true;
</script>"""


class Site(SimpleHTTPRequestHandler):
    """The page, the product's own library, and the finished films."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        page = PAGE.replace("LIBRARY", next(BUILT.glob("hls.light-*.js")).name).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)

    def translate_path(self, path: str) -> str:
        return str(BUILT / path.removeprefix("/built/")) if path.startswith("/built/") else super().translate_path(path)

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address, and the folder it shows."""
    folder = tmp_path_factory.mktemp("made")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", folder
    server.shutdown()
    server.server_close()


def test_nearly_every_film_is_taken_and_each_of_those_is_finished_to_the_millisecond(
    browser: Browser, site: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = site
    taken: dict[str, PackagedFilm] = {}
    refused: dict[str, str] = {}
    for source in make_all(tmp_path):
        try:
            taken[source.name] = package_film(source, folder / source.name)
        except FilmError as error:
            refused[source.name] = str(error)
    assert len(taken) >= LEAST_ACCEPTED * (len(taken) + len(refused)), refused
    wrong = {}
    for name, film in taken.items():
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("window.ready", timeout=PATIENCE_MS)
        seen = page.evaluate("(url) => window.watch(url)", f"{address}{name}/{MASTER}")
        page.close()
        # The page, too, counts in whole milliseconds.
        if seen["how"] != "ended" or not 0 <= round(seen["at"] * 1000) - film.duration_ms <= 1:
            wrong[name] = (film.duration_ms, seen)
    assert not wrong
