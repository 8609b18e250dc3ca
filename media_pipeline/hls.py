"""Turn a film into what every player can stream: HLS in fragmented MP4, two sizes cut at the same moments."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from media_pipeline import ffmpeg
from media_pipeline.film import FilmError, FilmFacts, FilmFault, FilmLimits, probe

MASTER = "master.m3u8"
POSTER = "poster.jpg"

_SEGMENT_SECONDS = 4
_KEY_SECONDS = 2
# A copied film may have its key frames this far apart; beyond, seeking back and changing size would stutter.
_COPY_KEY_GAP_MS = 4_000
_COPY_CODECS = ("h264",)
_COPY_AUDIO = (None, "aac")
# How much shorter than the source the result may be before the source counts as broken.
_LOST_MS = 500
_PROBE_SHARE = 20


@dataclass(frozen=True)
class _Size:
    """One size: the shorter side in pixels and how many bits a second it may take."""

    name: str
    short_side: int
    quality: int
    max_bits: int


_SIZES = (_Size("720p", 720, 23, 2_500_000), _Size("360p", 360, 24, 700_000))
_COPY_MAX_BITS = 4_000_000


@dataclass(frozen=True)
class Rendition:
    """One size of the finished film. ``copied``: the pictures are the uploaded ones, bit for bit."""

    name: str
    width: int
    height: int
    copied: bool
    playlist: str


@dataclass(frozen=True)
class PackagedFilm:
    """The finished film. ``duration_ms`` is what players play: the sum of the playlist's segments, rounded down.

    ``files`` are all paths below the folder, relative to it, the master playlist last: whoever uploads them in
    this order never publishes a playlist before its segments.
    """

    duration_ms: int
    renditions: tuple[Rendition, ...]
    files: tuple[str, ...]
    facts: FilmFacts


def package_film(
    source: Path,
    folder: Path,
    *,
    limits: FilmLimits | None = None,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    threads: int = 1,
    timeout: timedelta = timedelta(hours=6),
) -> PackagedFilm:
    """Write ``master.m3u8``, the renditions and ``poster.jpg`` into ``folder`` (made, or emptied of an earlier try).

    ``progress`` is called with 0..1000, never falling; ``cancelled`` is asked a few times a second. A film that is
    already H.264 of at most 720 lines is copied, not encoded again; a film is never enlarged. Raises ``FilmError``
    with the reason for a refusal and ``FilmCancelled``; then ``folder`` is gone.
    """
    report = _Progress(progress)
    report.at(0)
    facts = probe(source, limits, cancelled=cancelled)
    report.at(_PROBE_SHARE)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(folder)
    shutil.rmtree(folder, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-{os.getpid()}-", dir=folder.parent))
    try:
        renditions = _encode(source, aside, facts, report, cancelled, threads, timeout)
        duration_ms = min(_played_ms(aside / rendition.playlist) for rendition in renditions)
        if duration_ms < facts.duration_ms - _LOST_MS:
            raise FilmError(FilmFault.BROKEN, f"{facts.duration_ms - duration_ms} ms could not be read")
        _take_poster(source, aside, facts, cancelled)
        aside.chmod(0o755)
        aside.replace(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    report.at(1000)
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    ordered = sorted(written, key=lambda name: (name == MASTER, name.endswith(".m3u8")))
    return PackagedFilm(duration_ms, renditions, tuple(ordered), facts)


def _clear_abandoned(folder: Path) -> None:
    """Remove what killed processes left of this film; an ffmpeg that still writes there stops for want of a folder."""
    for aside in folder.parent.glob(f".{glob.escape(folder.name)}-*-*"):
        owner = aside.name.removeprefix(f".{folder.name}-").partition("-")[0]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(aside, ignore_errors=True)
        except (ValueError, PermissionError):
            continue


class _Progress:
    """Thousandths that only rise."""

    def __init__(self, tell: Callable[[int], None] | None) -> None:
        self._tell = tell
        self._last = -1

    def at(self, thousandths: int) -> None:
        thousandths = max(0, min(1000, thousandths))
        if thousandths > self._last:
            self._last = thousandths
            if self._tell is not None:
                self._tell(thousandths)


def may_be_copied(facts: FilmFacts) -> bool:
    """Whether every browser can play the uploaded pictures as they are."""
    return (
        facts.video_codec in _COPY_CODECS
        and facts.pixel_format in ("yuv420p", "yuvj420p")
        and facts.upright
        and min(facts.width, facts.height) <= _SIZES[0].short_side
        and max(facts.width, facts.height) <= 2 * _SIZES[0].short_side
        and facts.key_gap_ms <= _COPY_KEY_GAP_MS
        and facts.video_bits_per_second <= _COPY_MAX_BITS
    )


def _fitted(facts: FilmFacts, short_side: int) -> tuple[int, int]:
    """Width and height with the shorter side at most ``short_side``, even numbers as the codec wants."""
    scale = min(1.0, short_side / min(facts.width, facts.height))
    return max(2, round(facts.width * scale / 2) * 2), max(2, round(facts.height * scale / 2) * 2)


def _plan(facts: FilmFacts) -> tuple[Rendition, ...]:
    """The sizes to make: never larger than the source, so a small film has one."""
    sizes = [size for size in _SIZES if size is _SIZES[-1] or min(facts.width, facts.height) > _SIZES[-1].short_side]
    copied = may_be_copied(facts)
    return tuple(
        Rendition(size.name, *_fitted(facts, size.short_side), copied and place == 0, f"{size.name}/index.m3u8")
        for place, size in enumerate(sizes)
    )


def _encode(
    source: Path,
    folder: Path,
    facts: FilmFacts,
    report: _Progress,
    cancelled: Callable[[], bool] | None,
    threads: int,
    timeout: timedelta,
) -> tuple[Rendition, ...]:
    renditions = _plan(facts)
    arguments = ["-threads", str(threads), *ffmpeg.confined(str(source.resolve()))]
    arguments += _filters(renditions, threads)
    for place, rendition in enumerate(renditions):
        arguments += _video(place, rendition, copying=renditions[0].copied, threads=threads)
    has_audio = facts.audio_codec is not None
    if has_audio:
        for place in range(len(renditions)):
            arguments += _audio(place, facts, copy_video=renditions[0].copied)
    streams = " ".join(
        f"v:{place}{f',a:{place}' if has_audio else ''},name:{rendition.name}"
        for place, rendition in enumerate(renditions)
    )
    arguments += [
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        *("-f", "hls", "-hls_time", str(_SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
        *("-hls_segment_type", "fmp4", "-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4"),
        *("-hls_segment_filename", "%v/%05d.m4s", "-master_pl_name", MASTER, "-var_stream_map", streams),
        *("-progress", "pipe:1", "-stats_period", "0.5", "-y", "%v/index.m3u8"),
    ]

    def on_line(line: str) -> None:
        name, _, value = line.partition("=")
        if name == "out_time_us" and value.lstrip("-").isdigit():
            share = int(value) / 1000 / facts.duration_ms
            report.at(_PROBE_SHARE + int(share * (980 - _PROBE_SHARE)))

    try:
        finished = ffmpeg.run(arguments, timeout=timeout, on_line=on_line, cancelled=cancelled, cwd=folder)
    except ffmpeg.FfmpegTimeout as error:
        raise FilmError(FilmFault.TOO_SLOW) from error
    if finished.status != 0 or not (folder / MASTER).is_file():
        raise FilmError(FilmFault.BROKEN, finished.errors[-1] if finished.errors else "")
    return renditions


def _filters(renditions: tuple[Rendition, ...], threads: int) -> list[str]:
    """One chain that decodes once and scales for every size that is encoded."""
    made = [(place, rendition) for place, rendition in enumerate(renditions) if not rendition.copied]
    if not made:
        return []
    names = "".join(f"[s{place}]" for place, _ in made)
    chains = [f"[0:V:0]split={len(made)}{names}"]
    chains += [
        f"[s{place}]scale={rendition.width}:{rendition.height}:flags=bicubic,setsar=1,format=yuv420p[v{place}]"
        for place, rendition in made
    ]
    return ["-filter_complex_threads", str(threads), "-filter_complex", ";".join(chains)]


def _video(place: int, rendition: Rendition, *, copying: bool, threads: int) -> list[str]:
    if rendition.copied:
        return ["-map", "0:V:0", f"-c:v:{place}", "copy"]
    size = next(size for size in _SIZES if size.name == rendition.name)
    # Beside a copied size the key frames are the source's, otherwise every two seconds: the sizes always cut alike.
    keys = "source" if copying else f"expr:gte(t,n_forced*{_KEY_SECONDS})"
    return [
        *("-map", f"[v{place}]", f"-c:v:{place}", "libx264", f"-preset:v:{place}", "veryfast"),
        *(f"-profile:v:{place}", "main", f"-crf:v:{place}", str(size.quality), f"-threads:v:{place}", str(threads)),
        *(f"-maxrate:v:{place}", str(size.max_bits), f"-bufsize:v:{place}", str(2 * size.max_bits)),
        *(f"-force_key_frames:v:{place}", keys, f"-sc_threshold:v:{place}", "0", f"-fpsmax:v:{place}", "30"),
    ]


def _audio(place: int, facts: FilmFacts, *, copy_video: bool) -> list[str]:
    if copy_video and facts.audio_codec in _COPY_AUDIO and facts.audio_channels in ("mono", "stereo"):
        return ["-map", "0:a:0", f"-c:a:{place}", "copy"]
    bits = "128k" if place == 0 else "64k"
    return [
        "-map",
        "0:a:0",
        f"-c:a:{place}",
        "aac",
        f"-b:a:{place}",
        bits,
        f"-ac:a:{place}",
        "2",
        f"-ar:a:{place}",
        "48000",
    ]


def _played_ms(playlist: Path) -> int:
    """The sum of a playlist's segments in milliseconds, rounded down: nobody can watch more."""
    lines = playlist.read_text("utf-8").splitlines()
    seconds = [Decimal(line[len("#EXTINF:") :].split(",")[0]) for line in lines if line.startswith("#EXTINF:")]
    return int(sum(seconds, Decimal(0)) * 1000)


def _take_poster(source: Path, folder: Path, facts: FilmFacts, cancelled: Callable[[], bool] | None) -> None:
    """A picture from a tenth into the film, past the usual fade from black."""
    width, height = _fitted(facts, _SIZES[0].short_side)
    arguments = ["-ss", f"{facts.duration_ms / 10_000:.3f}", *ffmpeg.confined(str(source.resolve()))]
    arguments += ["-map", "0:V:0", "-frames:v", "1", "-vf", f"scale={width}:{height},setsar=1,format=yuvj420p"]
    arguments += ["-q:v", "4", "-f", "mjpeg", "-y", POSTER]
    try:
        finished = ffmpeg.run(arguments, timeout=timedelta(minutes=2), cancelled=cancelled, cwd=folder)
    except ffmpeg.FfmpegTimeout as error:
        raise FilmError(FilmFault.TOO_SLOW) from error
    poster = folder / POSTER
    if finished.status != 0 or not poster.is_file() or poster.stat().st_size == 0:
        raise FilmError(FilmFault.BROKEN, finished.errors[-1] if finished.errors else "no picture for the poster")
