"""The tree as the database keeps it: full tiles from their table, ragged ends computed from what lies below them."""

from __future__ import annotations

from collections import OrderedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.trace import merkle, tiles
from xueji.trace.models import LeafRow, Log, Tile

MOST_TILES_HELD = 512


def current_log(session: Session) -> Log | None:
    """The log that grows; earlier ones stand still since a loss."""
    return session.scalar(select(Log).order_by(Log.id.desc()).limit(1))


def leaf_count(session: Session, log: Log) -> int:
    """How many leaves a log has in its tree, signed for or not."""
    last = session.scalar(
        select(LeafRow.position)
        .where(LeafRow.position >= log.first_position, LeafRow.log == log.id)
        .order_by(LeafRow.position.desc())
        .limit(1)
    )
    return 0 if last is None else last + 1 - log.first_position


class Tree:
    """One log's tree at one size, for making proofs in one session. Holds at most 4 MiB of tiles."""

    def __init__(self, session: Session, log: Log, size: int) -> None:
        self._session = session
        self._log = log
        self.size = size
        self._held: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def hashes(self, level: int, number: int) -> list[bytes]:
        """The hashes of a tile, up to 256, fewer at the ragged end. Raises tiles.NoSuchTile."""
        width = tiles.width_at(level, number, self.size)
        if width == 0 or level > tiles.HIGHEST_LEVEL:
            raise tiles.NoSuchTile(f"{level}/{number}")
        held = self._held.get((level, number))
        if held is None:
            held = self._full(level, number) if width == tiles.WIDTH else self._ragged(level, number, width)
            self._held[level, number] = held
            if len(self._held) > MOST_TILES_HELD:
                self._held.popitem(last=False)
        return held

    def node(self, level: int, index: int) -> bytes:
        """The hash over leaves [index * 2^level, (index + 1) * 2^level), as `merkle` asks for it."""
        tile_level, above = divmod(level, tiles.HEIGHT)
        number, start = divmod(index << above, tiles.WIDTH)
        hashes = self.hashes(tile_level, number)
        return merkle.fold(hashes[start : start + (1 << above)])

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree when it had ``size`` leaves."""
        return merkle.root_hash(self.size if size is None else size, self.node)

    def edge(self) -> tiles.Edge:
        """Where the tree goes on growing."""
        levels: list[list[bytes]] = []
        for level in range(tiles.HIGHEST_LEVEL + 1):
            number = (self.size >> (tiles.HEIGHT * level)) // tiles.WIDTH
            ragged = tiles.width_at(level, number, self.size)
            levels.append(self._ragged(level, number, ragged) if ragged else [])
        return tiles.Edge(self.size, levels)

    def _full(self, level: int, number: int) -> list[bytes]:
        hashes = self._session.scalar(
            select(Tile.hashes).where(Tile.log == self._log.id, Tile.level == level, Tile.number == number)
        )
        if hashes is None:
            raise tiles.NoSuchTile(f"{level}/{number}")
        return [hashes[place : place + 32] for place in range(0, len(hashes), 32)]

    def _ragged(self, level: int, number: int, width: int) -> list[bytes]:
        start = number * tiles.WIDTH
        if level:
            roots = self._session.scalars(
                select(Tile.root)
                .where(Tile.log == self._log.id, Tile.level == level - 1)
                .where(Tile.number >= start, Tile.number < start + width)
                .order_by(Tile.number)
            )
            found = [bytes(root) for root in roots]
        else:
            found = [merkle.leaf_hash(leaf) for leaf in leaves(self._session, self._log, start, start + width)]
        if len(found) != width:
            raise tiles.NoSuchTile(f"{level}/{number}")
        return found


def leaves(session: Session, log: Log, start: int, end: int) -> list[bytes]:
    """The bytes of leaves [start, end) of a log."""
    first = log.first_position
    return list(
        session.scalars(
            select(LeafRow.leaf)
            .where(LeafRow.position >= first + start, LeafRow.position < first + end, LeafRow.log == log.id)
            .order_by(LeafRow.position)
        )
    )
