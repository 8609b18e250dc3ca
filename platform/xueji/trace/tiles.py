"""The tree as files (C2SP tlog-tiles): 256 hashes of a level a tile, 256 leaves an entry bundle, and their paths.

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xueji.trace import merkle

HEIGHT = 8
WIDTH = 1 << HEIGHT
HIGHEST_LEVEL = 63 // HEIGHT

_PATH = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class NoSuchTile(ValueError):
    """A path does not name a tile, or names one this tree does not have."""


@dataclass(frozen=True)
class FullTile:
    level: int
    number: int
    hashes: bytes
    """256 hashes, 8192 bytes."""
    root: bytes


def number_path(number: int, width: int = WIDTH) -> str:
    """``x001/x234/067`` for 1234067, with ``.p/<width>`` when the tile is not full."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups) + ("" if width == WIDTH else f".p/{width}")


def parse_number_path(path: str) -> tuple[int, int]:
    """Number and width. Raises NoSuchTile for any spelling but the one `number_path` writes."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise NoSuchTile(path)
    number = int(match[1].replace("x", "").replace("/", ""))
    width = int(match[2]) if match[2] else WIDTH
    if width > WIDTH or number_path(number, width) != path:
        raise NoSuchTile(path)
    return number, width


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes (0 to 256) a tile holds in a tree of so many leaves."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


def entry_bundle(leaves: Iterable[bytes]) -> bytes:
    """Each leaf after its length in 16 bits."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def read_entry_bundle(bundle: bytes) -> Iterator[bytes]:
    """Raises ValueError when it is cut short."""
    place = 0
    while place < len(bundle):
        length = int.from_bytes(bundle[place : place + 2], "big")
        leaf = bundle[place + 2 : place + 2 + length]
        if len(leaf) != length:
            raise ValueError("the entry bundle is cut short")
        yield leaf
        place += 2 + length


class Edge:
    """The ragged right edge of a growing tree: of each level, the hashes since its last full tile."""

    def __init__(self, size: int = 0, levels: Iterable[list[bytes]] = ()) -> None:
        self.size = size
        self._levels = [list(hashes) for hashes in levels] or [[]]

    def copy(self) -> Edge:
        return Edge(self.size, self._levels)

    def append(self, leaf: bytes) -> list[FullTile]:
        """Add a leaf by its hash; the tiles that it filled, lowest first."""
        filled: list[FullTile] = []
        self.size += 1
        entry = leaf
        for level in range(HIGHEST_LEVEL + 1):
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(entry)
            if len(hashes) < WIDTH:
                break
            entry = merkle.fold(hashes)
            number = (self.size >> (HEIGHT * (level + 1))) - 1
            filled.append(FullTile(level, number, b"".join(hashes), entry))
            hashes.clear()
        return filled

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        subtrees: list[bytes] = []
        for hashes in reversed(self._levels):
            start = 0
            for bit in range(HEIGHT - 1, -1, -1):
                if len(hashes) >> bit & 1:
                    subtrees.append(merkle.fold(hashes[start : start + (1 << bit)]))
                    start += 1 << bit
        if not subtrees:
            return merkle.EMPTY_ROOT
        root = subtrees.pop()
        while subtrees:
            root = merkle.node_hash(subtrees.pop(), root)
        return root
