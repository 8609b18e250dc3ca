"""The one writer of the tree: gives recorded leaves their places, fills tiles, signs what it has done.

Business transactions leave their leaves in the outbox; ten times a second the sequencer takes them, in order, into the
tree, and once a second, if the tree grew, signs a checkpoint, all in one transaction. It signs nothing when the
database does not continue what was signed before, and it takes no leaf of a chain whose count has a gap.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.kernel.database import Database
from xueji.kernel.settings import Settings
from xueji.trace import alarms, fork_guard, merkle, rules, services
from xueji.trace.fork_guard import CannotSign, OutsideCheckpoint
from xueji.trace.leaves import KeyRotated, LogOpened
from xueji.trace.models import Alarm, LeafRow, Log, Pending, Tile, VerifierKeyRow
from xueji.trace.models import CheckpointRow as CheckpointRow
from xueji.trace.note import Checkpoint, Note
from xueji.trace.note import VerifierKey as PublicKey
from xueji.trace.rules import Event
from xueji.trace.signing import LOG, KeyFile, SigningKey
from xueji.trace.tiles import Edge
from xueji.trace.tree import Tree, current_log, leaf_count

log = structlog.get_logger(__name__)

MOST_LEAVES_A_STEP = 5000
MOST_HEADS_HELD = 50_000
SECONDS_BETWEEN_CHECKPOINTS = 1

_REFUSED_CHAINS = select(Alarm.chain).where(
    Alarm.kind == alarms.GAP, Alarm.cleared_at.is_(None), Alarm.chain.is_not(None)
)


class Overtaken(Exception):
    """Another sequencer has written to the tree; this one must look again before it goes on."""


class Gap(Exception):
    """A leaf does not continue its chain."""

    def __init__(self, chain: str, detail: str) -> None:
        super().__init__(detail)
        self.chain = chain


@dataclass(frozen=True)
class SequencerRound:
    """What one step did."""

    leaves: int
    signed: Checkpoint | None


NOTHING = SequencerRound(0, None)


class Sequencer:
    """Holds the edge of the tree in memory; to be used by one thread, under `process.SequencerLock`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._origin = settings.log_origin
        self._key_file = KeyFile(settings.keys)
        self._outside = OutsideCheckpoint(settings.data)
        self._keys: list[SigningKey] = []
        self._keys_changed = 0
        self._log: Log | None = None
        self._edge = Edge()
        self._signed_size = 0
        self._signed_time = 0
        self._newest_ms = 0
        self._heads: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self.halted: str | None = None
        """Why nothing is signed any more; None while all is well."""

    def start(self) -> None:
        """Open the log if there is none yet, else make sure that the database continues what was signed for."""
        self.halted = None
        try:
            with self._database.reading() as session:
                newest = current_log(session)
                opened = newest is not None
                if newest is not None:
                    self._resume(session, newest)
            if not opened:
                self._open_first()
        except CannotSign as fork:
            self._halt(str(fork))
        else:
            self._resolve(alarms.FORK)

    def step(self) -> SequencerRound:
        """Take what waits into the tree and sign if it is time. Raises Overtaken."""
        if self.halted is not None or self._log is None:
            return NOTHING
        self._notice_new_keys()
        with self._database.reading() as session:
            waiting = session.scalar(select(exists().where(Pending.chain.not_in(_REFUSED_CHAINS))))
        if not waiting and not self._is_time_to_sign(self._edge.size):
            return NOTHING
        try:
            return self._work(self._log)
        except Gap as gap:
            with self._database.writing() as session:
                alarms.sound(session, alarms.GAP, str(gap), chain=gap.chain)
            return NOTHING

    # -- opening and resuming -------------------------------------------------------------------------------------

    def _open_first(self) -> None:
        outside = self._outside.read()
        last = Checkpoint.parse(outside.text) if outside is not None else None
        if last is not None and last.origin == self._origin and last.size > 0:
            raise CannotSign(f"{self._origin} has been signed for before, and the database holds no log")
        self._open(LogOpened(), carried=[])

    def _open(self, leaf: LogOpened, *, carried: Sequence[LeafRow]) -> None:
        """Begin a log under the origin in the settings: leaf 0 says so, then come the leaves carried over."""
        self._keys = self._key_file.load_or_create(self._origin)
        self._keys_changed = self._key_file.changed()
        # Outside first: once anything has been committed, a missing file means that it was taken away.
        self._outside.write(self._note(Checkpoint(self._origin, 0, merkle.EMPTY_ROOT), _seconds()))
        with self._database.writing() as session:
            last = session.scalar(select(func.max(LeafRow.position)))
            before = current_log(session)
            opened = Log(
                id=1 if before is None else before.id + 1,
                origin=self._origin,
                first_position=0 if last is None else last + 1,
                opened_at=clock.now(),
            )
            session.add(opened)
            session.flush()
            self._edge, self._signed_size, self._signed_time = Edge(), 0, 0
            self._heads.clear()
            self._publish_keys(session, opened)
            chain = f"{rules.LOG}{self._origin}"
            services.record(session, leaf, chain=chain, who=rules.SYSTEM)
            edge = self._edge.copy()
            self._append(session, opened, edge, self._take(session, only=chain))
            self._place(session, opened, edge, [(leaf.chain, leaf.n, leaf.leaf) for leaf in carried])
        # Not signed yet: leaves may wait that were recorded earlier, and the first checkpoint is to cover them.
        self._log, self._edge = opened, edge

    def _resume(self, session: Session, newest: Log) -> None:
        if newest.origin != self._origin:
            raise CannotSign(f"the database holds the log {newest.origin}, and the settings name {self._origin}")
        tree = Tree(session, newest, leaf_count(session, newest))
        keys = session.scalars(select(VerifierKeyRow.key).where(VerifierKeyRow.log == newest.id))
        fork_guard.check(self._outside.read(), [PublicKey.parse(key) for key in keys], tree, self._origin)
        last = session.execute(
            select(CheckpointRow.size, CheckpointRow.time, CheckpointRow.note)
            .where(CheckpointRow.log == newest.id)
            .order_by(CheckpointRow.size.desc())
        ).first()
        if last is not None:
            if _seconds() * 1000 > last.time * 1000 + rules.LONGEST_STANDSTILL_MS and not _looked_at(session):
                raise CannotSign(
                    f"the clock says {clock.now():%Y-%m-%d}, and the last checkpoint was signed on "
                    f"{clock.from_ms(last.time * 1000):%Y-%m-%d}: if the clock is right, run `xueji log clock-reset`"
                )
            if tree.size < last.size or tree.root(last.size) != Checkpoint.parse(Note.parse(last.note).text).root:
                raise CannotSign("the tree in the database is not the one its own last checkpoint signs")
            self._signed_size, self._signed_time = last.size, last.time
        self._log, self._edge = newest, tree.edge()
        self._heads.clear()
        try:
            self._keys = self._key_file.load(self._origin)
        except FileNotFoundError:
            self._keys = []
        if not self._keys:
            raise CannotSign(f"the signing keys of {self._origin} are gone")
        self._keys_changed = 0
        final = session.scalar(select(LeafRow.leaf).order_by(LeafRow.position.desc()).limit(1))
        self._newest_ms = _time_kept(json.loads(final)) if final is not None else 0

    def open_new_origin(self) -> None:
        """After a real loss: begin the log named in the settings, whose leaf 0 holds the last checkpoint of the old.

        The leaves that the restored database still has stay where they are, proven by the checkpoints that cover them;
        those that no checkpoint in the database covers are taken over into the new log, so that no chain is broken.
        Raises CannotSign when the settings still name the old log.
        """
        with self._database.reading() as session:
            old = current_log(session)
            if old is None or old.origin == self._origin:
                raise CannotSign("a new log needs a new name: set log_origin first")
            outside = self._outside.last_of_the_log_before(self._origin)
            covered = session.scalar(select(func.max(CheckpointRow.size)).where(CheckpointRow.log == old.id)) or 0
            carried = session.scalars(
                select(LeafRow)
                .where(LeafRow.log == old.id, LeafRow.position >= old.first_position + covered)
                .order_by(LeafRow.position)
            ).all()
            leaf = LogOpened(
                old_origin=old.origin,
                old_checkpoint=str(outside) if outside is not None else "",
                restored=leaf_count(session, old),
                carried=len(carried),
            )
        self._open(leaf, carried=carried)
        self._resolve(alarms.FORK)
        self.halted = None

    def _halt(self, reason: str) -> None:
        self.halted = reason
        with self._database.writing() as session:
            alarms.sound(session, alarms.FORK, reason)

    def _resolve(self, kind: str) -> None:
        with self._database.reading() as session:
            standing = alarms.stands(session, kind)
        if standing:
            with self._database.writing() as session:
                alarms.clear(session, kind)

    # -- keys -----------------------------------------------------------------------------------------------------

    def _notice_new_keys(self) -> None:
        """The operator has added or retired keys: sign with what the file holds now, and say so in the log."""
        changed = self._key_file.changed()
        if changed == self._keys_changed or self._log is None:
            return
        keys = self._key_file.load(self._origin)
        if not keys:
            raise ValueError(f"the key file holds no key of {self._origin}")
        before, self._keys, self._keys_changed = self._keys, keys, changed
        with self._database.writing() as session:
            for key in self._publish_keys(session, self._log):
                old = [str(each.public) for each in before if each.purpose == key.purpose and each.line != key.line]
                rotated = KeyRotated(old=old[-1] if old else "", new=str(key.public))
                services.record(session, rotated, chain=rules.PLATFORM, who=rules.SYSTEM)

    def _publish_keys(self, session: Session, opened: Log) -> list[SigningKey]:
        """Put public halves not seen before into the list that verifiers are given; returns those."""
        known = set(session.scalars(select(VerifierKeyRow.key).where(VerifierKeyRow.log == opened.id)))
        fresh = [key for key in self._keys if str(key.public) not in known]
        for key in fresh:
            session.add(
                VerifierKeyRow(log=opened.id, key=str(key.public), purpose=key.purpose, from_size=self._edge.size)
            )
        session.flush()
        return fresh

    # -- growing --------------------------------------------------------------------------------------------------

    def _work(self, opened: Log) -> SequencerRound:
        edge = self._edge.copy()
        try:
            with self._database.writing() as session:
                if leaf_count(session, opened) != edge.size:
                    raise Overtaken
                taken = self._take(session)
                self._append(session, opened, edge, taken)
                is_time = self._is_time_to_sign(edge.size) and self._has_caught_up(len(taken))
                signed = self._sign(session, opened, edge) if is_time else None
        except BaseException:
            self._heads.clear()  # they may speak of leaves that were not placed after all
            raise
        self._edge = edge
        self._after_commit(signed)
        return SequencerRound(len(taken), Checkpoint.parse(signed[1].text) if signed else None)

    def _take(self, session: Session, only: str | None = None) -> list[tuple[str, int, bytes]]:
        """Remove leaves from the outbox, in the order they were put there, leaving those of refused chains."""
        chosen = select(Pending.id).order_by(Pending.id).limit(MOST_LEAVES_A_STEP)
        if only is None:
            chosen = chosen.where(Pending.chain.not_in(_REFUSED_CHAINS))
        else:
            chosen = chosen.where(Pending.chain == only)
        rows = session.execute(
            delete(Pending)
            .where(Pending.id.in_(chosen))
            .returning(Pending.id, Pending.chain, Pending.n, Pending.leaf)
            .execution_options(synchronize_session=False)
        ).all()
        return [(chain, n, bytes(leaf)) for _, chain, n, leaf in sorted(rows, key=lambda row: row[0])]

    def _append(self, session: Session, opened: Log, edge: Edge, taken: Sequence[tuple[str, int, bytes]]) -> None:
        """Give leaves their places after making sure that each continues its chain. Raises Gap."""
        now_ms = clock.to_ms(clock.now())
        for chain, n, leaf in taken:
            self._continue_chain(session, chain, n, leaf, now_ms)
        self._place(session, opened, edge, taken)

    def _place(self, session: Session, opened: Log, edge: Edge, taken: Sequence[tuple[str, int, bytes]]) -> None:
        filled = []
        rows = []
        for chain, n, leaf in taken:
            rows.append(
                {
                    "position": opened.first_position + edge.size,
                    "log": opened.id,
                    "chain": chain,
                    "n": n,
                    "leaf": leaf,
                }
            )
            filled += edge.append(merkle.leaf_hash(leaf))
        if rows:
            session.execute(insert(LeafRow), rows)
        for tile in filled:
            session.execute(
                insert(Tile).values(
                    log=opened.id, level=tile.level, number=tile.number, hashes=tile.hashes, root=tile.root
                )
            )

    def _continue_chain(self, session: Session, chain: str, n: int, leaf: bytes, now_ms: int) -> None:
        head = self._heads.get(chain)
        if head is None:
            last = session.execute(
                select(LeafRow.n, LeafRow.leaf).where(LeafRow.chain == chain).order_by(LeafRow.n.desc()).limit(1)
            ).first()
            head = (-1, rules.FIRST_PREVIOUS) if last is None else (last.n, merkle.leaf_hash(last.leaf))
        said = json.loads(leaf)
        if n != head[0] + 1 or said["n"] != n or said["chain"] != chain:
            raise Gap(chain, f"leaf {head[0] + 1} is missing, leaf {n} was recorded")
        if said["prev"] != head[1].hex():
            raise Gap(chain, f"leaf {n} does not follow leaf {head[0]} by its hash")
        at_ms = rules.epoch_ms(said["at"])
        if said["event"] == Event.CLOCK_RESET:
            self._newest_ms = at_ms
        if at_ms < self._newest_ms - rules.LONGEST_LAG_MS or at_ms > now_ms + rules.LONGEST_LAG_MS:
            # Recorded and acknowledged, so it must stand in the log; whoever reads it is told.
            alarms.sound(session, alarms.CLOCK, f"leaf {n} of {chain} says {said['at']}")
        self._newest_ms = max(self._newest_ms, min(_time_kept(said), now_ms))
        self._heads[chain] = (n, merkle.leaf_hash(leaf))
        self._heads.move_to_end(chain)
        if len(self._heads) > MOST_HEADS_HELD:
            self._heads.popitem(last=False)

    # -- signing --------------------------------------------------------------------------------------------------

    def _is_time_to_sign(self, size: int) -> bool:
        """A clock that was set back signs nothing until it has caught up with what it signed before."""
        if clock.jump_ms():
            return False
        return size > self._signed_size and _seconds() >= self._signed_time + SECONDS_BETWEEN_CHECKPOINTS

    def _has_caught_up(self, taken: int) -> bool:
        """After a standstill the outbox is taken in whole before the next signature.

        Else leaves that waited would come after a checkpoint much later than themselves, and look dated back.
        """
        behind_ms = clock.to_ms(clock.now()) - self._newest_ms
        return taken < MOST_LEAVES_A_STEP or behind_ms <= rules.LONGEST_LAG_MS

    def _sign(self, session: Session, opened: Log, edge: Edge) -> tuple[int, Note]:
        time = _seconds()
        signed = self._note(Checkpoint(opened.origin, edge.size, edge.root()), time)
        session.execute(insert(CheckpointRow).values(log=opened.id, size=edge.size, time=time, note=str(signed)))
        return time, signed

    def _note(self, checkpoint: Checkpoint, time: int) -> Note:
        keys = sorted(self._keys, key=lambda key: key.purpose != LOG)
        return Note(checkpoint.text, ()).with_lines(key.sign(checkpoint.text, time) for key in keys)

    def _after_commit(self, signed: tuple[int, Note] | None) -> None:
        if signed is None:
            return
        time, written = signed
        self._outside.write(written)
        self._signed_size, self._signed_time = Checkpoint.parse(written.text).size, time


def _looked_at(session: Session) -> bool:
    """Whether somebody has said lately that the clock is right: the leaf waits to be taken in."""
    newest = session.scalar(
        select(Pending.leaf).where(Pending.chain == rules.PLATFORM).order_by(Pending.id.desc()).limit(1)
    )
    if newest is None:
        return False
    said = json.loads(newest)
    since = clock.to_ms(clock.now()) - rules.epoch_ms(said["at"])
    return said["event"] == Event.CLOCK_RESET and 0 <= since <= rules.LONGEST_STANDSTILL_MS


def _time_kept(said: dict[str, Any]) -> int:
    """The time that later leaves may not fall behind; a log may be opened after the first of them were recorded."""
    return 0 if said["event"] == Event.LOG_OPEN else rules.epoch_ms(said["at"])


def _seconds() -> int:
    return clock.to_ms(clock.now()) // 1000
