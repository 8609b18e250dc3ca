"""Which part of a film a file holds: read from a size's playlist. Times are ms of media."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal

from xueji.kernel.storage import Store

PART_MS = 60_000
"""About how much of a film is handed out at once: whoever gets one file of a part may have got all of it."""

MOST_KNOWN = 500
INDEX = "index.m3u8"
"""The name of a size's playlist, as `media_pipeline.hls` writes it."""

Part = tuple[int, int]
"""from and to"""


def parts_of(playlist: str) -> Mapping[str, Part]:
    """By name of each of a playlist's media files: the part it belongs to.

    A part begins with a file and is as many files as reach `PART_MS`; parts follow one another without a gap. Raises
    ValueError for what is no media playlist.
    """
    names: list[str] = []
    begins: list[int] = []
    at = Decimal(0)
    length: Decimal | None = None
    for line in playlist.splitlines():
        if line.startswith("#EXTINF:"):
            length = Decimal(line.removeprefix("#EXTINF:").partition(",")[0])
        elif line and not line.startswith("#"):
            if length is None:
                raise ValueError("a file without its length")
            names.append(line.strip())
            begins.append(int(at * 1000))
            at, length = at + length, None
    starts = [0]
    for begin in begins:
        if begin - starts[-1] >= PART_MS:
            starts.append(begin)
    ends = [*starts[1:], int(at * 1000)]
    found: dict[str, Part] = {}
    for name, begin in zip(names, begins, strict=True):
        place = bisect_right(starts, begin) - 1
        found[name] = (starts[place], ends[place])
    return found


class FilmParts:
    """The parts of the films lately asked for: a finished film never changes."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, Part]] = {}

    def find(self, store: Store, folder: str, path: str) -> Part | None:
        """The part that a size's file belongs to; None for a file that no playlist names."""
        size, _, name = path.rpartition("/")
        place = f"{folder}/{size}/{INDEX}"
        known = self._known.get(place)
        if known is None:
            try:
                known = parts_of(store.get(place).decode())
            except (FileNotFoundError, ValueError):
                return None
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[place] = known
        return known.get(name)
