"""When a film's pictures and sounds are shown, from its packets alone: nothing is decoded."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_DISCARD = 0x4
_KEY = 0x1
_NO_TIME = 1 << 62
# Rates that cameras and programs write; a measured one this near to one of them is that one.
_USUAL_RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "12", "12.5", "15", "20")
)
_RATE_NEARNESS = 0.003
_GRID_SLACK_MS = 2.0
_SOUND_JOIN_MS = 1_000
# Longer than any slide stands in silence: here the file itself jumps.
_MOST_EMPTY_MS = 60_000


@dataclass
class Packets:
    """Of one picture and at most one sound, read line by line from ffmpeg's ``framecrc`` lists of each.

    All times are milliseconds after the file's own beginning, as ffmpeg counts for both reading and decoding.
    """

    time_base: dict[int, Fraction] = field(default_factory=dict)
    dimensions: tuple[int, int] | None = None
    aspect: Fraction = Fraction(1)
    size: int = 0
    hidden: int = 0
    """Packets that an edit list hides, and those with something in them that a copy could not carry."""
    late_start: bool = False
    """Whether packets came before the first key frame: a recording begun in the middle."""
    key_gap: int = 0
    _started: bool = False
    _shown: array[int] = field(default_factory=lambda: array("q"))
    _keys: array[int] = field(default_factory=lambda: array("q"))
    _last_duration: dict[int, int] = field(default_factory=dict)
    _sound: list[list[int]] = field(default_factory=list)

    def read_picture(self, line: str) -> None:
        """One line of the picture's list: ``#name stream: value`` or ``stream, dts, pts, duration, size, sum[,
        flags…]``."""
        self._read(line, 0)

    def read_sound(self, line: str) -> None:
        """One line of the sound's list."""
        self._read(line, 1)

    def _read(self, line: str, stream: int) -> None:
        if line.startswith("#"):
            self._read_header(line, stream)
            return
        fields = [part.strip() for part in line.split(",")]
        if len(fields) < 6 or not fields[0].isdigit():
            return
        # Some containers say only in which order packets are decoded.
        stamps = [int(part) for part in (fields[2], fields[1]) if part.lstrip("-").isdigit()]
        stamp = next((each for each in stamps if abs(each) < _NO_TIME), None)
        if stamp is None:
            return
        flags = next((int(part[2:], 16) for part in fields[6:] if part.startswith("F=")), _KEY)
        if stream == 0:
            self._count_picture(stamp, int(fields[3]), int(fields[4]), flags)
            self.hidden += any(part.startswith("S=") for part in fields[6:])
        elif not flags & _DISCARD:
            self._count_sound(stamp, int(fields[3]))

    def _read_header(self, line: str, stream: int) -> None:
        name, _, value = line[1:].partition(": ")
        kind = name.partition(" ")[0]
        value = value.strip()
        if kind == "tb":
            self.time_base[stream] = Fraction(value)
        elif kind == "dimensions" and stream == 0:
            width, height = value.split("x")
            self.dimensions = (int(width), int(height))
        elif kind == "sar" and stream == 0 and not value.startswith("0") and not value.endswith("/0"):
            self.aspect = Fraction(value)

    def _count_picture(self, shown: int, duration: int, size: int, flags: int) -> None:
        key = bool(flags & _KEY)
        self._started = self._started or key
        if flags & _DISCARD:
            # Hidden by an edit list, but decoded: what follows may build on it.
            self.hidden += 1
            return
        self.late_start = self.late_start or not self._started
        if key:
            if self._keys:
                self.key_gap = max(self.key_gap, shown - self._keys[-1])
            self._keys.append(shown)
        self._shown.append(shown)
        self.size += size
        if shown >= self._last_duration.get(-1, shown):
            self._last_duration[-1], self._last_duration[0] = shown, duration

    def _count_sound(self, heard: int, duration: int) -> None:
        """Stretches of sound, joined where less than a second is missing."""
        join = int(_SOUND_JOIN_MS / (self.time_base[1] * 1000))
        if self._sound and self._sound[-1][0] <= heard <= self._sound[-1][1] + join:
            self._sound[-1][1] = max(self._sound[-1][1], heard + duration)
        else:
            self._sound.append([heard, heard + duration])

    def timing(self) -> Timing | None:
        """What the packets come to; None without a picture."""
        if not self._shown:
            return None
        base = float(self.time_base[0] * 1000)
        shown = np.sort(np.frombuffer(self._shown, dtype=np.int64))
        if self.late_start and self._keys:
            shown = shown[shown >= self._keys[0]]
        times = shown.astype(np.float64) * base
        step = float(np.median(np.diff(times))) if len(times) > 1 else 40.0
        last = self._last_duration.get(0, 0) * base or step
        rate, constant = _rate(times, step)
        if constant:
            last = min(last, 1000 / float(rate)) if last < 1.5 * step else last
        last_stretch = times[-1] + last - self._keys[-1] * base if self._keys else times[-1] + last - times[0]
        sound_base = float(self.time_base[1] * 1000) if 1 in self.time_base else 0.0
        return Timing(
            pictures=times,
            picture_end_ms=float(times[-1]) + last,
            rate=rate,
            constant=constant and last < 1.5 * step,
            in_order=bool(self._keys) and self._keys[0] == int(shown[0]),
            key_gap_ms=round(max(self.key_gap * base, last_stretch)),
            sound=tuple((begin * sound_base, end * sound_base) for begin, end in self._sound),
        )


@dataclass(frozen=True)
class Timing:
    """When pictures are shown and sound is heard, in milliseconds after the file's beginning.

    ``pictures`` ``[n]`` are sorted. ``constant``: every picture stands as long as any other, to 2 ms. ``in_order``:
    the first packet is a key frame and nothing is shown before it.
    """

    pictures: NDArray[np.float64]
    picture_end_ms: float
    rate: Fraction
    constant: bool
    in_order: bool
    key_gap_ms: int
    sound: tuple[tuple[float, float], ...]

    def empty_from(self) -> float | None:
        """Where a minute or more begins in which the file has neither picture nor sound."""
        edges = np.append(self.pictures, self.picture_end_ms)
        for place in np.flatnonzero(np.diff(edges) > _MOST_EMPTY_MS):
            begin, end = float(edges[place]), float(edges[place + 1])
            if place + 1 == len(self.pictures):
                break
            covered = sum(max(0.0, min(end, to) - max(begin, since)) for since, to in self.sound)
            if end - begin - covered > _MOST_EMPTY_MS:
                return begin
        return None


def _rate(times: NDArray[np.float64], step: float) -> tuple[Fraction, bool]:
    """Pictures a second, and whether they come at even steps."""
    if len(times) < 2 or step <= 0:
        return Fraction(25), False
    average = 1000 * (len(times) - 1) / float(times[-1] - times[0])
    nominal = 1000 / step
    for measured in (average, nominal):
        usual = min(_USUAL_RATES, key=lambda rate: abs(float(rate) - measured))
        if abs(float(usual) - measured) / measured > _RATE_NEARNESS and measured is average:
            usual = Fraction(average).limit_denominator(1001)
        grid = times[0] + np.arange(len(times)) * (1000 / float(usual))
        if usual > 0 and float(np.abs(times - grid).max()) <= _GRID_SLACK_MS:
            return usual, True
    usual = min(_USUAL_RATES, key=lambda rate: abs(float(rate) - nominal))
    near = abs(float(usual) - nominal) / nominal <= 0.05
    return usual if near else Fraction(max(nominal, 1)).limit_denominator(1001), False
