"""What an uploaded film is: read packet by packet without decoding, and refused for named reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_pipeline import ffmpeg
from media_pipeline.locks import is_locked
from media_pipeline.packets import Packets, Timing
from media_pipeline.streams import Listing, Stream, read_listing

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_TRUNCATED = ("partial file", "File ended prematurely", "moov atom not found")
# A sound may be this much longer than the picture without the last picture being held for it: a codec's own padding.
_PADDING_MS = 250
# Sound that begins so much before the first picture is heard over that picture; less is cut off.
_LEAD_MS = 200
# How long one picture may be held for a sound that has none, at least, and as a share of the film.
_MOST_HELD_MS = 60_000
_MOST_HELD_SHARE = 0.25


class FilmFault(StrEnum):
    """Why a film is refused. The values are stable: they are stored and shown."""

    NOT_A_FILM = "not_a_film"
    NO_VIDEO = "no_video"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_FEW_PIXELS = "too_few_pixels"
    BROKEN = "broken"
    SOUND_BROKEN = "sound_broken"
    PICTURE_MISSING = "picture_missing"
    STILL_PICTURE = "still_picture"
    LOCKED = "locked"
    TOO_SLOW = "too_slow"
    UNPLAYABLE = "unplayable"


class FilmError(ValueError):
    """The film was refused.

    ``fault`` says why, ``detail`` is ffmpeg's own last word for the operator, ``at_ms`` where in the film it is wrong.
    """

    def __init__(self, fault: FilmFault, detail: str = "", *, at_ms: int | None = None) -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail
        self.at_ms = at_ms


@dataclass(frozen=True)
class FilmLimits:
    """What is accepted. Bytes, milliseconds, pixels of one picture and of its shorter side."""

    max_bytes: int = 4 * 1024**3
    min_ms: int = 1_000
    max_ms: int = 4 * 60 * 60 * 1000
    max_pixels: int = 8192 * 4352
    min_side: int = 90


@dataclass(frozen=True)
class FilmFacts:
    """What is in the file.

    ``duration_ms`` is what a viewer is to be shown, to the nearest millisecond: from the first whole picture (or from a
    sound that the first picture is held for) to the end of the last picture, or of a sound that the last picture is
    held for. ``begin_ms`` is where that begins and ``held_ms`` how long pictures are held in it. ``width`` and
    ``height`` are as shown: turned upright and with square pixels. ``rate`` is pictures a second. ``key_gap_ms`` is
    the longest stretch without a key frame. ``whole`` says that the packets are exactly what is shown, in order and
    at even steps, so that copying them shows neither more nor less. ``upright`` is False when the file asks players
    to turn or stretch the picture. ``pictures`` ``[n]`` are the times of the packets.
    """

    duration_ms: int
    begin_ms: float
    held_ms: int
    width: int
    height: int
    rate: Fraction
    frames: int
    key_gap_ms: int
    video_bytes: int
    whole: bool
    upright: bool
    picture: Stream
    sound: Stream | None
    containers: frozenset[str]
    pictures: NDArray[np.float64]
    sound_spans: tuple[tuple[float, float], ...]

    @property
    def video_codec(self) -> str:
        return self.picture.codec

    @property
    def pixel_format(self) -> str:
        return self.picture.pixel_format

    @property
    def audio_codec(self) -> str | None:
        return self.sound.codec if self.sound is not None else None

    @property
    def video_bits_per_second(self) -> int:
        return self.video_bytes * 8 * 1000 // max(self.duration_ms, 1)


def probe(
    path: Path,
    limits: FilmLimits | None = None,
    *,
    timeout: timedelta = timedelta(minutes=10),
    cancelled: Callable[[], bool] | None = None,
) -> FilmFacts:
    """Read the whole file without decoding it. Raises ``FilmError``, ``FilmCancelled``.

    Opens the one local file and nothing it may point to: no network, no playlists, no other file.
    """
    limits = limits or FilmLimits()
    if path.stat().st_size > limits.max_bytes:
        raise FilmError(FilmFault.TOO_MANY_BYTES)
    if is_locked(path):
        raise FilmError(FilmFault.LOCKED)
    opened = ffmpeg.confined(str(path.resolve()))
    try:
        listed = ffmpeg.run(opened, timeout=timeout, cancelled=cancelled)
        listing, picture = _look_into(path, listed)
        sound = listing.sound
        packets = Packets()
        # One after the other, as they are decoded later: where recordings were joined ffmpeg moves the times of what
        # follows, and by how much depends on what it reads besides.
        finished = _list_packets(opened, picture, packets.read_picture, timeout, cancelled)
        if sound is not None:
            _list_packets(opened, sound, packets.read_sound, timeout, cancelled)
    except ffmpeg.FfmpegTimeout as error:
        raise FilmError(FilmFault.TOO_SLOW) from error
    timing = packets.timing()
    if timing is None or packets.dimensions is None:
        raise FilmError(FilmFault.BROKEN, _last_error(finished), at_ms=0)
    _refuse_what_is_cut_off(path, finished, timing)
    facts = _facts(listing, picture, packets, timing)
    _refuse_what_exceeds(facts, limits)
    return facts


def _list_packets(
    opened: list[str],
    stream: Stream,
    read: Callable[[str], None],
    timeout: timedelta,
    cancelled: Callable[[], bool] | None,
) -> ffmpeg.Finished:
    arguments = [*opened, "-map", f"0:{stream.index}", "-c", "copy", "-copyinkf", "-f", "framecrc", "-"]
    return ffmpeg.run(arguments, timeout=timeout, on_line=read, cancelled=cancelled)


def _last_error(finished: ffmpeg.Finished) -> str:
    return finished.errors[-1] if finished.errors else ""


def _look_into(path: Path, listed: ffmpeg.Finished) -> tuple[Listing, Stream]:
    listing = read_listing(listed.messages)
    if listing is None:
        raise FilmError(FilmFault.BROKEN if _begins_like_film(path) else FilmFault.NOT_A_FILM, _last_error(listed))
    picture = listing.picture
    if picture is None:
        unread = any(stream.kind == "Video" and not stream.dispositions for stream in listing.streams)
        raise FilmError(FilmFault.BROKEN if unread else FilmFault.NO_VIDEO, _last_error(listed))
    if listing.sounds and listing.sound is None:
        raise FilmError(FilmFault.SOUND_BROKEN, "no decoder for the sound", at_ms=0)
    return listing, picture


def _begins_like_film(path: Path) -> bool:
    """Whether the file starts as MP4, Matroska or AVI do: what cannot be read after that is broken, not foreign."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in _MP4_BOXES or head[:4] == b"\x1aE\xdf\xa3" or (head[:4] == b"RIFF" and head[8:] == b"AVI ")


def _refuse_what_is_cut_off(path: Path, finished: ffmpeg.Finished, timing: Timing) -> None:
    """A file that says of itself that there was more. Where it only guesses its length nothing is concluded."""
    end = round(timing.picture_end_ms)
    for line in finished.errors:
        if any(words in line for words in _TRUNCATED):
            raise FilmError(FilmFault.BROKEN, line, at_ms=max(end, 0))
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"RIFF" and 8 + int.from_bytes(head[4:8], "little") > path.stat().st_size:
        raise FilmError(FilmFault.BROKEN, "the file is shorter than its head says", at_ms=end)
    empty = timing.empty_from()
    if empty is not None:
        raise FilmError(FilmFault.PICTURE_MISSING, "neither picture nor sound for a minute", at_ms=round(empty))


def _refuse_what_exceeds(facts: FilmFacts, limits: FilmLimits) -> None:
    if facts.width * facts.height > limits.max_pixels:
        raise FilmError(FilmFault.TOO_MANY_PIXELS)
    if min(facts.width, facts.height) < limits.min_side:
        raise FilmError(FilmFault.TOO_FEW_PIXELS)
    if facts.duration_ms < limits.min_ms:
        raise FilmError(FilmFault.TOO_SHORT)
    if facts.duration_ms > limits.max_ms:
        raise FilmError(FilmFault.TOO_LONG)
    if facts.held_ms > max(_MOST_HELD_MS, _MOST_HELD_SHARE * facts.duration_ms):
        at = facts.pictures[-1] - facts.begin_ms
        raise FilmError(FilmFault.PICTURE_MISSING, f"{facts.held_ms} ms of sound without a picture", at_ms=round(at))


def _facts(listing: Listing, picture: Stream, packets: Packets, timing: Timing) -> FilmFacts:
    begin = first = float(timing.pictures[0])
    end = timing.picture_end_ms
    if timing.sound:
        heard, silent = min(span[0] for span in timing.sound), max(span[1] for span in timing.sound)
        if first - heard > _LEAD_MS and not packets.late_start:
            begin = heard
        if silent - end > _PADDING_MS:
            end = silent
    held = (first - begin) + (end - timing.picture_end_ms)
    assert packets.dimensions is not None
    width, height = round(packets.dimensions[0] * packets.aspect), packets.dimensions[1]
    if picture.rotation is not None and round(picture.rotation / 90) % 2:
        width, height = height, width
    return FilmFacts(
        duration_ms=round(end - begin),
        begin_ms=begin,
        held_ms=round(held),
        width=max(width, 1),
        height=max(height, 1),
        rate=timing.rate,
        frames=len(timing.pictures),
        key_gap_ms=timing.key_gap_ms,
        video_bytes=packets.size,
        whole=timing.constant and timing.in_order and not packets.hidden and not packets.late_start and held == 0,
        upright=picture.rotation is None and packets.aspect == 1,
        picture=picture,
        sound=listing.sound,
        containers=listing.containers,
        pictures=timing.pictures,
        sound_spans=timing.sound,
    )
