"""What an uploaded film is: read packet by packet without decoding, and refused for named reasons."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from media_pipeline import ffmpeg

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


class FilmFault(StrEnum):
    """Why a film is refused. The values are stable: they are stored and shown."""

    NOT_A_FILM = "not_a_film"
    NO_VIDEO = "no_video"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    BROKEN = "broken"
    TOO_SLOW = "too_slow"


class FilmError(ValueError):
    """The film was refused; ``fault`` says why, ``detail`` is ffmpeg's own last word for the operator."""

    def __init__(self, fault: FilmFault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True)
class FilmLimits:
    """What is accepted. Bytes, milliseconds and pixels of one picture."""

    max_bytes: int = 4 * 1024**3
    min_ms: int = 1_000
    max_ms: int = 4 * 60 * 60 * 1000
    max_pixels: int = 3840 * 2160


@dataclass(frozen=True)
class FilmFacts:
    """What is in the file.

    ``duration_ms`` is from the first picture's beginning to the last one's end, to the nearest millisecond. ``width``
    and ``height`` are as shown: turned upright and with square pixels. ``key_gap_ms`` is the longest stretch
    without a key frame. ``upright`` is False when the file asks players to turn or stretch the picture.
    """

    duration_ms: int
    width: int
    height: int
    video_codec: str
    pixel_format: str
    frames: int
    key_gap_ms: int
    video_bytes: int
    upright: bool
    audio_codec: str | None
    audio_channels: str | None

    @property
    def video_bits_per_second(self) -> int:
        return self.video_bytes * 8 * 1000 // max(self.duration_ms, 1)


@dataclass
class _Packets:
    """Sums over the packets of the video stream while they stream by."""

    time_base: dict[int, Fraction] = field(default_factory=dict)
    codec: dict[int, str] = field(default_factory=dict)
    dimensions: tuple[int, int] | None = None
    aspect: Fraction = Fraction(1)
    channels: str | None = None
    first: int | None = None
    end: int = 0
    count: int = 0
    size: int = 0
    last_key: int | None = None
    key_gap: int = 0

    def read(self, line: str) -> None:
        """One line of ffmpeg's list: ``#name stream: value`` or ``stream, dts, pts, duration, size, sum[, flags]``."""
        if line.startswith("#"):
            self._read_header(line)
        elif line.startswith("0,"):
            fields = [part.strip() for part in line.split(",")]
            # A packet's flags are written only when they are not just "key frame".
            self._count(
                int(fields[2]), int(fields[3]), int(fields[4]), key=not any("F=" in part for part in fields[6:7])
            )

    def _read_header(self, line: str) -> None:
        name, _, value = line[1:].partition(": ")
        kind, _, stream = name.partition(" ")
        if kind == "tb":
            self.time_base[int(stream)] = Fraction(value)
        elif kind == "codec_id":
            self.codec[int(stream)] = value.strip()
        elif kind == "dimensions" and stream == "0":
            width, height = value.split("x")
            self.dimensions = (int(width), int(height))
        elif kind == "sar" and stream == "0":
            aspect = value.strip()
            self.aspect = Fraction(aspect) if not aspect.startswith("0") else Fraction(1)
        elif kind == "channel_layout_name":
            self.channels = value.strip()

    def _count(self, shown: int, duration: int, size: int, *, key: bool) -> None:
        self.first = shown if self.first is None else min(self.first, shown)
        self.end = max(self.end, shown + duration)
        self.count += 1
        self.size += size
        if key:
            if self.last_key is not None:
                self.key_gap = max(self.key_gap, shown - self.last_key)
            self.last_key = shown

    def milliseconds(self, ticks: int) -> int:
        return round(ticks * self.time_base[0] * 1000)


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
    packets = _Packets()
    arguments = [*ffmpeg.confined(str(path.resolve())), "-map", "0:V:0", "-map", "0:a:0?", "-c", "copy"]
    try:
        finished = ffmpeg.run(
            [*arguments, "-f", "framecrc", "-"], timeout=timeout, on_line=packets.read, cancelled=cancelled
        )
    except ffmpeg.FfmpegTimeout as error:
        raise FilmError(FilmFault.TOO_SLOW) from error
    facts = _facts(packets, finished, _begins_like_film(path))
    if facts.width * facts.height > limits.max_pixels:
        raise FilmError(FilmFault.TOO_MANY_PIXELS)
    if facts.duration_ms < limits.min_ms:
        raise FilmError(FilmFault.TOO_SHORT)
    if facts.duration_ms > limits.max_ms:
        raise FilmError(FilmFault.TOO_LONG)
    return facts


def _begins_like_film(path: Path) -> bool:
    """Whether the file starts as MP4, Matroska or AVI do: what cannot be read after that is broken, not foreign."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in _MP4_BOXES or head[:4] == b"\x1aE\xdf\xa3" or (head[:4] == b"RIFF" and head[8:] == b"AVI ")


def _facts(packets: _Packets, finished: ffmpeg.Finished, begins_like_film: bool) -> FilmFacts:
    said = "\n".join(finished.messages)
    last_error = finished.errors[-1] if finished.errors else ""
    if "Input #0" not in said:
        raise FilmError(FilmFault.BROKEN if begins_like_film else FilmFault.NOT_A_FILM, last_error)
    video = re.search(r"Stream #0:\d+.*?: Video: (?!.*attached pic)[^,]*, (\w+)", said)
    if "matches no streams" in said or video is None:
        raise FilmError(FilmFault.NO_VIDEO)
    if finished.status != 0 or finished.errors or packets.first is None or packets.dimensions is None:
        raise FilmError(FilmFault.BROKEN, last_error)
    coded_width, coded_height = packets.dimensions
    turned = re.search(r"display ?matrix: rotation of (-?[\d.]+) degrees", said, re.IGNORECASE)
    quarter_turns = round(float(turned.group(1)) / 90) % 4 if turned else 0
    width, height = round(coded_width * packets.aspect), coded_height
    if quarter_turns % 2:
        width, height = height, width
    last_stretch = packets.end - packets.last_key if packets.last_key is not None else packets.end - packets.first
    return FilmFacts(
        duration_ms=packets.milliseconds(packets.end - packets.first),
        width=width,
        height=height,
        video_codec=packets.codec[0],
        pixel_format=video.group(1),
        frames=packets.count,
        key_gap_ms=packets.milliseconds(max(packets.key_gap, last_stretch)),
        video_bytes=packets.size,
        upright=quarter_turns == 0 and packets.aspect == 1,
        audio_codec=packets.codec.get(1),
        audio_channels=packets.channels,
    )
