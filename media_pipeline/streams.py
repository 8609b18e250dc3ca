"""What ffmpeg lists of a file: its streams, and which picture and which sound a viewer would be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_STREAM = re.compile(r"\[info\] +Stream #0:(\d+)(?:\[0x\w+\])?(?:\((\w+)\))?: (Video|Audio): (.*)")
_PROGRAM = re.compile(r"\[info\] +(?:Program (\d+)|No Program)")
_MATRIX = re.compile(r"\[info\] +display ?matrix: rotation of (-?[\d.]+|nan) degrees", re.IGNORECASE)
_DURATION = re.compile(r"\[info\] +Duration: (\d+):(\d\d):(\d\d)\.(\d\d)")
_INPUT = re.compile(r"\[info\] Input #0, ([\w,]+), from ")
_PICTURE = re.compile(r"(\w+)[^,]*, (\w+)(?:\(([^)]*)\))?(?:.*?, (\d+)x(\d+))?")
_DISPOSITIONS = re.compile(r"\((default|attached pic|timed thumbnails|still image|visual impaired|comment|dub)\)")
_FIELD_ORDERS = ("progressive", "top first", "bottom first", "top coded first", "bottom coded first")
_CHINESE = frozenset({"chi", "zho", "zh", "cmn", "yue"})
# Sounds made for somebody else than the class: a description of the picture, a remark of the maker.
_ASIDE = frozenset({"visual impaired", "comment"})
_NO_PICTURES = frozenset({"attached pic", "timed thumbnails", "still image"})


@dataclass(frozen=True)
class Stream:
    """One picture or sound of a file. ``codec`` is ``none`` when ffmpeg has no name for it."""

    index: int
    kind: str
    codec: str
    language: str
    program: str | None
    dispositions: frozenset[str]
    pixel_format: str = ""
    width: int = 0
    height: int = 0
    progressive: bool = False
    full_range: bool = False
    matrix: str = ""
    primaries: str = ""
    transfer: str = ""
    rotation: float | None = None
    """Degrees, when the file asks players to turn or mirror the picture."""

    @property
    def readable(self) -> bool:
        """Whether there is something to decode; a sound without a rate has nothing that could be played."""
        return self.codec not in ("none", "unknown") and (self.kind == "Audio" or self.width > 0)


@dataclass(frozen=True)
class Listing:
    """What a file holds. ``containers`` are ffmpeg's names; ``declared_ms`` what the file says of its own length."""

    containers: frozenset[str]
    declared_ms: int | None
    streams: tuple[Stream, ...]

    @property
    def picture(self) -> Stream | None:
        """The picture a viewer is shown: the default one, else the first."""
        pictures = [
            stream
            for stream in self.streams
            if stream.kind == "Video" and stream.readable and not stream.dispositions & _NO_PICTURES
        ]
        return min(pictures, key=lambda stream: "default" not in stream.dispositions, default=None)

    @property
    def sound(self) -> Stream | None:
        """The sound a class hears: the default one, then a Chinese one, then the first; of the picture's programme."""
        picture = self.picture
        sounds = [stream for stream in self.sounds if stream.readable]
        if picture is not None and any(stream.program == picture.program for stream in sounds):
            sounds = [stream for stream in sounds if stream.program == picture.program]
        defaults = sum("default" in stream.dispositions for stream in sounds)

        def rank(stream: Stream) -> tuple[bool, bool, bool]:
            # When a file calls all its sounds the default it has said nothing.
            default = defaults < len(sounds) and "default" in stream.dispositions
            return bool(stream.dispositions & _ASIDE), not default, stream.language not in _CHINESE

        return min(sounds, key=rank, default=None)

    @property
    def sounds(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.kind == "Audio"]


def read_listing(messages: Iterable[str]) -> Listing | None:
    """From the lines ffmpeg writes about an input (``-loglevel level+info``); None when it could not open it."""
    containers: frozenset[str] = frozenset()
    declared: int | None = None
    program: str | None = None
    streams: dict[int, Stream] = {}
    latest: int | None = None
    for line in messages:
        if opened := _INPUT.match(line):
            containers = frozenset(opened[1].split(","))
        elif length := _DURATION.match(line):
            hours, minutes, seconds, hundredths = (int(part) for part in length.groups())
            declared = ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10
        elif chosen := _PROGRAM.match(line):
            program = chosen[1]
        elif found := _STREAM.match(line):
            latest = int(found[1])
            streams.setdefault(latest, _stream(found, program))
        elif line.startswith("[info] Output #0"):
            break
        elif latest is not None and (turned := _MATRIX.match(line)):
            rotation = 0.0 if turned[1] == "nan" else float(turned[1])
            streams[latest] = replace(streams[latest], rotation=rotation)
    return Listing(containers, declared, tuple(streams.values())) if containers else None


def _stream(found: re.Match[str], program: str | None) -> Stream:
    index, language, kind, rest = int(found[1]), found[2] or "", found[3], found[4]
    dispositions = frozenset(_DISPOSITIONS.findall(rest))
    codec = (re.match(r"\w+", rest) or [""])[0].lower()
    if kind == "Audio":
        if not re.search(r", \d+ Hz", rest):
            codec = "none"
        return Stream(index, kind, codec, language, program, dispositions)
    picture = _PICTURE.match(rest)
    if picture is None or picture[4] is None:
        return Stream(index, kind, codec, language, program, dispositions)
    properties = (picture[3] or "").split(", ")
    colours = [word for word in properties if word not in (*_FIELD_ORDERS, "tv", "pc")]
    matrix, primaries, transfer = _colours(colours)
    return Stream(
        index,
        kind,
        codec,
        language,
        program,
        dispositions,
        pixel_format=picture[2],
        width=int(picture[4]),
        height=int(picture[5]),
        progressive="progressive" in properties,
        full_range="pc" in properties or picture[2].startswith("yuvj"),
        matrix=matrix,
        primaries=primaries,
        transfer=transfer,
    )


def _colours(words: list[str]) -> tuple[str, str, str]:
    """Matrix, primaries and transfer; one word stands for all three, ``unknown`` for nothing."""
    for word in words:
        parts = word.split("/")
        if len(parts) == 3:
            known = ["" if part in ("unknown", "reserved") else part for part in parts]
            return known[0], known[1], known[2]
        if re.fullmatch(r"bt\w+|smpte\w+|gbr|fcc|ycgco|unknown", word):
            known_word = "" if word == "unknown" else word
            return known_word, known_word, known_word
    return "", "", ""
