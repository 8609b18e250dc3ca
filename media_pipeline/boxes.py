"""The boxes of MP4 (ISO/IEC 14496-12), as far as they say when pictures and sounds are shown."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_HEADER_BYTES = 256 * 1024 * 1024
_LOCKED_ENTRIES = frozenset({b"encv", b"enca", b"drmi", b"drms"})


class BoxError(ValueError):
    """The bytes are not the boxes they should be."""


@dataclass(frozen=True)
class Track:
    """One track of an initialisation segment. ``edited``: an edit list moves it, which some players follow and some
    do not."""

    number: int
    kind: str
    timescale: int
    edited: bool


@dataclass(frozen=True)
class Run:
    """One track's samples in a segment, in ticks: when they are decoded, how long they last, when the first is
    shown."""

    track: int
    start: int
    duration: int
    samples: int
    first_shown: int
    begins_with_key: bool


def children(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and end of the content of each box between ``start`` and ``end``. Raises BoxError."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            if start + 16 > end:
                raise BoxError("a box without its size")
            (size,), head = struct.unpack_from(">Q", data, start + 8), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            raise BoxError(f"box {name!r} is longer than what holds it")
        yield name, start + head, start + size
        start += size


def _inside(data: bytes, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    for name, begin, stop in children(data, start, end):
        if name == path[0]:
            if len(path) == 1:
                yield begin, stop
            else:
                yield from _inside(data, path[1:], begin, stop)


def read_tracks(initial: bytes) -> tuple[Track, ...]:
    """The tracks of an initialisation segment. Raises BoxError."""
    tracks = []
    try:
        for begin, end in _inside(initial, (b"moov", b"trak")):
            (head, _), (media, _) = _one(initial, b"tkhd", begin, end), _one(initial, b"mdhd", begin, end, b"mdia")
            (handler, _) = _one(initial, b"hdlr", begin, end, b"mdia")
            number = struct.unpack_from(">I", initial, head + (20 if initial[head] else 12))[0]
            timescale = struct.unpack_from(">I", initial, media + (20 if initial[media] else 12))[0]
            kind = initial[handler + 8 : handler + 12].decode("latin-1")
            tracks.append(Track(number, kind, timescale, any(_inside(initial, (b"edts", b"elst"), begin, end))))
    except struct.error as error:
        raise BoxError("a track that ends too early") from error
    if not tracks:
        raise BoxError("no tracks")
    return tuple(tracks)


def _one(data: bytes, name: bytes, begin: int, end: int, *outer: bytes) -> tuple[int, int]:
    for found in _inside(data, (*outer, name), begin, end):
        return found
    raise BoxError(f"no {name!r}")


def read_runs(segment: bytes) -> dict[int, Run]:
    """What each track has in a media segment, by the track's number. Raises BoxError."""
    runs: dict[int, Run] = {}
    try:
        for begin, end in _inside(segment, (b"moof", b"traf")):
            run = _read_fragment(segment, begin, end)
            before = runs.get(run.track)
            if before is not None:
                if before.start + before.duration != run.start:
                    raise BoxError("fragments of one segment do not follow each other")
                run = Run(
                    run.track,
                    before.start,
                    before.duration + run.duration,
                    before.samples + run.samples,
                    before.first_shown,
                    before.begins_with_key,
                )
            runs[run.track] = run
    except struct.error as error:
        raise BoxError("a fragment that ends too early") from error
    return runs


def _read_fragment(data: bytes, begin: int, end: int) -> Run:
    head, _ = _one(data, b"tfhd", begin, end)
    flags, track = struct.unpack_from(">II", data, head)
    flags &= 0xFFFFFF
    place = head + 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    defaults = {}
    for bit, name in ((0x8, "duration"), (0x10, "size"), (0x20, "flags")):
        if flags & bit:
            defaults[name] = struct.unpack_from(">I", data, place)[0]
            place += 4
    decode, _ = _one(data, b"tfdt", begin, end)
    start = struct.unpack_from(">Q" if data[decode] else ">I", data, decode + 4)[0]
    duration, samples, shown, key = 0, 0, None, True
    for run, _ in _inside(data, (b"trun",), begin, end):
        listed, first_key = _read_run(data, run, defaults)
        for length, offset in listed:
            if shown is None or start + duration + offset < shown:
                shown = start + duration + offset
            duration += length
        if samples == 0:
            key = first_key
        samples += len(listed)
    return Run(track, start, duration, samples, start if shown is None else shown, key)


def _read_run(data: bytes, place: int, defaults: dict[str, int]) -> tuple[list[tuple[int, int]], bool]:
    """Duration and composition offset of each sample, and whether the first can be decoded by itself."""
    flags, count = struct.unpack_from(">II", data, place)
    flags &= 0xFFFFFF
    place += 8 + (4 if flags & 0x1 else 0)
    first_flags = defaults.get("flags", 0)
    if flags & 0x4:
        first_flags = struct.unpack_from(">I", data, place)[0]
        place += 4
    width = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    if place + count * width > len(data):
        raise BoxError("a run that ends too early")
    listed = []
    for number in range(count):
        at = place + number * width
        length = defaults.get("duration", 0)
        if flags & 0x100:
            length = struct.unpack_from(">I", data, at)[0]
            at += 4
        at += 4 if flags & 0x200 else 0
        if flags & 0x400:
            if number == 0 and not flags & 0x4:
                first_flags = struct.unpack_from(">I", data, at)[0]
            at += 4
        offset = struct.unpack_from(">i", data, at)[0] if flags & 0x800 else 0
        listed.append((length, offset))
    return listed, not first_flags & 0x10000


def has_locked_track(path: Path) -> bool:
    """Whether an MP4 file says of a track that it is encrypted. False for whatever is no MP4."""
    with path.open("rb") as file:
        file.seek(0, 2)
        length, at = file.tell(), 0
        while at + 8 <= length:
            file.seek(at)
            size, name = struct.unpack(">I4s", file.read(8))
            head = 8
            if size == 1:
                size, head = int.from_bytes(file.read(8), "big"), 16
            if size == 0:
                size = length - at
            if size < head or not name.isascii():
                return False
            if name == b"moov" and size <= _MOST_HEADER_BYTES:
                return _locked(file.read(size - head))
            at += size
    return False


def _locked(movie: bytes) -> bool:
    try:
        for begin, end in _inside(movie, (b"trak", b"mdia", b"minf", b"stbl", b"stsd")):
            if any(name in _LOCKED_ENTRIES for name, _, _ in children(movie, begin + 8, end)):
                return True
    except BoxError:
        return False
    return False
