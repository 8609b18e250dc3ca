"""Turn a film into what every player can stream: HLS in fragmented MP4, two sizes cut at the same moments."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_pipeline import ffmpeg, graph
from media_pipeline.film import FilmError, FilmFacts, FilmFault, FilmLimits, probe
from media_pipeline.playing import UnplayableError, refuse_sizes_that_differ, settle_playlist
from media_pipeline.stillness import read_stillness

MASTER = "master.m3u8"
POSTER = "poster.jpg"
STRIP = "strip.jpg"

_SEGMENT_SECONDS = 4
_KEY_SECONDS = 2
# A copied film may have its key frames this far apart; beyond, seeking back and changing size would stutter.
_COPY_KEY_GAP_MS = 4_000
# Only from files that describe all their pictures once, at the beginning: a joined stream may change in the middle.
_COPY_CONTAINERS = frozenset({"mov", "matroska"})
_PROBE_SHARE = 20
# A picture that comes so much late is taken as not read; that long, or so many of them, and the film is broken.
_LATE_MS, _MOST_LATE_MS, _MOST_LATE_SHARE = 500, 2_000, 0.05
# How far what was made may be from what was wanted: a copy keeps a file's own ticks.
_NEAR_MS = 20
_NAMED_HELD_MS = 1_000
_MOST_SILENT_MS, _LEAST_HEARD_SHARE = 2_000, 0.9
_READ_PICTURES, _READ_SOUND, _GREY_PICTURES = "pictures.txt", "sound.txt", "still.gray"
# The sound is made whole before the pictures, once for all sizes. Were both made in one run, a sound that is missing
# for a while would come to the segments long after the pictures it belongs to.
_SOUND, _SOUND_BITS = "sound.nut", "112k"
_SOUND_SHARE = 40


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


class FilmRemark(StrEnum):
    """What is odd about an accepted film. The values are stable: they are stored and shown."""

    ALMOST_STILL = "almost_still"
    PICTURE_HELD = "picture_held"
    SILENT = "silent"


@dataclass(frozen=True)
class PackagedFilm:
    """The finished film. ``duration_ms`` is what players play: the sum of the playlist's segments, rounded down.

    ``files`` are all paths below the folder, relative to it, the master playlist last: whoever uploads them in
    this order never publishes a playlist before its segments. Among them is a strip of pictures from all over the film.
    """

    duration_ms: int
    renditions: tuple[Rendition, ...]
    files: tuple[str, ...]
    facts: FilmFacts
    remarks: tuple[FilmRemark, ...] = ()


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
    """Write ``master.m3u8``, the renditions, ``poster.jpg`` and ``strip.jpg`` into ``folder`` (made, or emptied of an
    earlier try).

    ``progress`` is called with 0..1000, never falling; ``cancelled`` is asked a few times a second. The pictures of a
    film that is already what players want are copied, not encoded again; its sound never is, for it must be exactly
    as long as they. A film is never enlarged. What was made is then played through, and what would stop or jump is
    not handed out. Raises ``FilmError`` with the reason for a refusal and ``FilmCancelled``; then ``folder`` is gone.
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
        work = _Work(source, aside, facts, report, cancelled, threads, timeout)
        renditions, duration_ms = _make(work)
        remarks = _look_at(aside, facts)
        aside.chmod(0o755)
        aside.replace(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    report.at(1000)
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    ordered = sorted(written, key=lambda name: (name == MASTER, name.endswith(".m3u8")))
    return PackagedFilm(duration_ms, renditions, tuple(ordered), facts, remarks)


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
    """Whether every browser can play the uploaded pictures as they are, and shows with them neither more nor less."""
    return (
        facts.video_codec == "h264"
        and bool(facts.containers & _COPY_CONTAINERS)
        and facts.pixel_format in ("yuv420p", "yuvj420p")
        and facts.whole
        and facts.upright
        and facts.picture.progressive
        and graph.transfer(facts.picture) is None
        and graph.timeline(facts).rate == facts.rate
        and min(facts.width, facts.height) <= _SIZES[0].short_side
        and max(facts.width, facts.height) <= 2 * _SIZES[0].short_side
        and facts.width % 2 == facts.height % 2 == 0
        and facts.key_gap_ms <= _COPY_KEY_GAP_MS
        and facts.video_bits_per_second <= _COPY_MAX_BITS
    )


@dataclass(frozen=True)
class _Work:
    """One film being made."""

    source: Path
    folder: Path
    facts: FilmFacts
    report: _Progress
    cancelled: Callable[[], bool] | None
    threads: int
    timeout: timedelta


def _make(work: _Work) -> tuple[tuple[Rendition, ...], int]:
    """The sizes and the film's length in milliseconds. What was copied and does not play is encoded after all."""
    _make_sound(work)
    work.report.at(_SOUND_SHARE)
    copying = may_be_copied(work.facts)
    while True:
        renditions = _plan(work.facts, copying=copying)
        try:
            _encode(work, renditions)
            return renditions, _settle(work, renditions)
        except UnplayableError as error:
            if not copying:
                raise FilmError(FilmFault.UNPLAYABLE, str(error)) from error
        copying = False
        for rendition in renditions:
            shutil.rmtree(work.folder / rendition.name)


def _settle(work: _Work, renditions: tuple[Rendition, ...]) -> int:
    """Play what was made. Returns its length in milliseconds, rounded down. Raises UnplayableError."""
    has_sound = work.facts.sound is not None
    sizes = [settle_playlist(work.folder / rendition.playlist, has_sound=has_sound) for rendition in renditions]
    refuse_sizes_that_differ(sizes)
    end = min(segments[-1].end for segments in sizes)
    expected = graph.timeline(work.facts).seconds
    if abs(end - expected) * 1000 > _NEAR_MS:
        raise UnplayableError(f"{float(end):.3f} s were made of {float(expected):.3f} s")
    return int(end * 1000)


def _look_at(folder: Path, facts: FilmFacts) -> tuple[FilmRemark, ...]:
    """What is odd about the film. Raises FilmError for a film in which nothing ever moves."""
    stillness = read_stillness(folder / _GREY_PICTURES)
    for name in (_READ_PICTURES, _READ_SOUND, _GREY_PICTURES, _SOUND):
        (folder / name).unlink(missing_ok=True)
    if stillness.is_one_picture:
        raise FilmError(FilmFault.STILL_PICTURE)
    found = {
        FilmRemark.ALMOST_STILL: stillness.is_almost_still,
        FilmRemark.PICTURE_HELD: facts.held_ms >= _NAMED_HELD_MS,
        FilmRemark.SILENT: facts.sound is None,
    }
    return tuple(remark for remark, true in found.items() if true)


def _plan(facts: FilmFacts, *, copying: bool) -> tuple[Rendition, ...]:
    """The sizes to make: never larger than the source, so a small film has one."""
    sizes = [size for size in _SIZES if size is _SIZES[-1] or min(facts.width, facts.height) > _SIZES[-1].short_side]
    return tuple(
        Rendition(size.name, *graph.fitted(facts, size.short_side), copying and place == 0, f"{size.name}/index.m3u8")
        for place, size in enumerate(sizes)
    )


def _encode(work: _Work, renditions: tuple[Rendition, ...]) -> None:
    """Make all sizes, and see how much could be read. Raises FilmError."""
    line = graph.timeline(work.facts)

    def on_line(text: str) -> None:
        name, _, value = text.partition("=")
        if name == "out_time_us" and value.lstrip("-").isdigit():
            share = int(value) / 1_000_000 / float(line.seconds)
            work.report.at(_SOUND_SHARE + int(share * (980 - _SOUND_SHARE)))

    finished = _run(work, _arguments(work, renditions), on_line)
    last_error = finished.errors[-1] if finished.errors else ""
    _refuse_pictures_not_read(work.folder, work.facts, last_error)
    if finished.status != 0 or not (work.folder / MASTER).is_file():
        raise FilmError(FilmFault.UNPLAYABLE, last_error)
    for name in (POSTER, STRIP):
        if not (work.folder / name).is_file() or (work.folder / name).stat().st_size == 0:
            raise FilmError(FilmFault.UNPLAYABLE, f"no {name}: {last_error}")


def _run(work: _Work, arguments: list[str], on_line: Callable[[str], None] | None = None) -> ffmpeg.Finished:
    try:
        return ffmpeg.run(arguments, timeout=work.timeout, on_line=on_line, cancelled=work.cancelled, cwd=work.folder)
    except ffmpeg.FfmpegTimeout as error:
        raise FilmError(FilmFault.TOO_SLOW) from error


def _make_sound(work: _Work) -> None:
    """The film's sound, from nought to its end, in a file beside. Raises FilmError."""
    chains = graph.sound(work.facts, graph.timeline(work.facts))
    if not chains:
        return
    arguments = ["-threads", str(work.threads), "-max_error_rate", "1", *ffmpeg.confined(str(work.source.resolve()))]
    arguments += ["-filter_complex_threads", "1", "-filter_complex", ";".join(chains)]
    arguments += ["-map", "[sound]", "-c:a", "aac", "-b:a", _SOUND_BITS, "-f", "nut", "-y", _SOUND]
    arguments += ["-map", "[heard]", "-stats_enc_pre", _READ_SOUND, "-stats_enc_pre_fmt", "{t}", "-f", "null", "-"]
    finished = _run(work, arguments)
    last_error = finished.errors[-1] if finished.errors else ""
    _refuse_sound_not_read(work.folder, work.facts, last_error)
    if finished.status != 0:
        raise FilmError(FilmFault.SOUND_BROKEN, last_error, at_ms=0)


def _refuse_pictures_not_read(folder: Path, facts: FilmFacts, last_error: str) -> None:
    """Compare the packets with what was decoded of them: broken is only what is not there to be seen."""
    seen = np.sort(_numbers(folder / _READ_PICTURES)) * 1000
    if len(seen) == 0:
        raise FilmError(FilmFault.BROKEN, last_error, at_ms=0)
    step = 1000 / float(facts.rate)
    latest = seen[np.maximum(np.searchsorted(seen, facts.pictures + step / 2, side="right") - 1, 0)]
    late = np.abs(facts.pictures - latest)
    missing = np.flatnonzero(late > max(_LATE_MS, 3 * step))
    if len(missing) and (late.max() > max(_MOST_LATE_MS, 6 * step) or len(missing) > _MOST_LATE_SHARE * len(late)):
        raise FilmError(FilmFault.BROKEN, last_error, at_ms=_at(facts, float(latest[missing[0]]) + step))


def _refuse_sound_not_read(folder: Path, facts: FilmFacts, last_error: str) -> None:
    heard = np.sort(_numbers(folder / _READ_SOUND)) * 1000
    for begin, end in facts.sound_spans:
        inside = heard[(heard >= begin) & (heard < end)]
        edges = np.concatenate([[begin], inside, [end]])
        gaps = np.diff(edges)
        missing = gaps[gaps > _LATE_MS].sum()
        if gaps.max() > _MOST_SILENT_MS or missing > max(_MOST_SILENT_MS, (1 - _LEAST_HEARD_SHARE) * (end - begin)):
            raise FilmError(FilmFault.SOUND_BROKEN, last_error, at_ms=_at(facts, float(edges[gaps.argmax()])))


def _at(facts: FilmFacts, file_ms: float) -> int:
    """A moment of the file as a moment of the film."""
    return min(max(0, round(file_ms - facts.begin_ms)), facts.duration_ms)


def _numbers(path: Path) -> NDArray[np.float64]:
    """Seconds, one a line, as ffmpeg wrote them."""
    if not path.is_file():
        return np.empty(0)
    return np.array([float(line) for line in path.read_text("ascii").split()], dtype=np.float64)


def _arguments(work: _Work, renditions: tuple[Rendition, ...]) -> list[str]:
    """One run that decodes once: all sizes, the small grey pictures, the strip, the poster, and the times of what was
    read."""
    facts, line, threads = work.facts, graph.timeline(work.facts), work.threads
    copying = renditions[0].copied
    encoded = [
        (f"v{place}", rendition.width, rendition.height)
        for place, rendition in enumerate(renditions)
        if not rendition.copied
    ]
    has_sound = facts.sound is not None
    # A picture that changes its size in the middle goes on through the same filters, whose clock would else begin anew.
    arguments = ["-threads", str(threads), "-reinit_filter", "0", "-max_error_rate", "1"]
    arguments += [*ffmpeg.confined(str(work.source.resolve()))]
    if has_sound:
        arguments += ["-protocol_whitelist", "file", "-format_whitelist", "nut", "-i", f"file:{_SOUND}"]
    chains = graph.pictures(facts, line, encoded, copying=copying)
    arguments += ["-filter_complex_threads", str(threads), "-filter_complex", ";".join(chains)]
    for place, rendition in enumerate(renditions):
        arguments += _video(place, rendition, facts, copying=copying, threads=threads)
        arguments += ["-map", "1:a:0", f"-c:a:{place}", "copy"] if has_sound else []
    streams = " ".join(
        f"v:{place}{f',a:{place}' if has_sound else ''},name:{rendition.name}"
        for place, rendition in enumerate(renditions)
    )
    arguments += [
        # However far one track is read ahead, segments hold what belongs together.
        *("-max_interleave_delta", "0", "-max_muxing_queue_size", "100000"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        *("-f", "hls", "-hls_time", str(_SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
        *("-hls_segment_type", "fmp4", "-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4"),
        # Players differ in whether they follow edit lists, so nothing is said by one.
        *("-hls_segment_options", "movflags=+negative_cts_offsets:use_editlist=0"),
        *("-hls_segment_filename", "%v/%05d.m4s", "-master_pl_name", MASTER, "-var_stream_map", streams),
        *("-progress", "pipe:1", "-stats_period", "0.5", "-y", "%v/index.m3u8"),
    ]
    return arguments + _outputs_beside()


def _outputs_beside() -> list[str]:
    outputs = [
        *("-map", "[decoded]", "-c:v", "wrapped_avframe", "-fps_mode", "passthrough"),
        *("-stats_enc_pre", _READ_PICTURES, "-stats_enc_pre_fmt", "{t}", "-f", "null", "-"),
        *("-map", "[still]", "-fps_mode", "passthrough", "-f", "rawvideo", "-y", _GREY_PICTURES),
    ]
    for name in (STRIP, POSTER):
        outputs += ["-map", f"[{name.removesuffix('.jpg')}]", "-frames:v", "1", "-q:v", "4"]
        outputs += ["-color_range", "pc", "-strict", "unofficial", "-f", "mjpeg", "-y", name]
    return outputs


def _video(place: int, rendition: Rendition, facts: FilmFacts, *, copying: bool, threads: int) -> list[str]:
    if rendition.copied:
        # Moved so that the first picture is shown at nought, as all else is.
        moved = "setts=pts=PTS-STARTPTS:dts=DTS-STARTPTS"
        return ["-map", f"0:{facts.picture.index}", f"-c:v:{place}", "copy", f"-bsf:v:{place}", moved]
    size = next(size for size in _SIZES if size.name == rendition.name)
    # Beside a copied size the key frames are the source's, otherwise every two seconds: the sizes always cut alike.
    keys = "source" if copying else f"expr:gte(t,n_forced*{_KEY_SECONDS})"
    return [
        *("-map", f"[v{place}]", f"-c:v:{place}", "libx264", f"-preset:v:{place}", "veryfast"),
        *(f"-profile:v:{place}", "main", f"-crf:v:{place}", str(size.quality), f"-threads:v:{place}", str(threads)),
        *(f"-maxrate:v:{place}", str(size.max_bits), f"-bufsize:v:{place}", str(2 * size.max_bits)),
        *(f"-force_key_frames:v:{place}", keys, f"-sc_threshold:v:{place}", "0"),
    ]
