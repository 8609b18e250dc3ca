"""A log that a test can grow at will, under a clock that stands still until told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bench.loose_leaves import loose
from xueji.kernel import clock
from xueji.kernel.clock import FixedClock
from xueji.kernel.context import Context
from xueji.trace import services
from xueji.trace.leaf import Entry
from xueji.trace.models import CheckpointRow
from xueji.trace.note import Checkpoint as Signed
from xueji.trace.note import Note
from xueji.trace.rules import Event
from xueji.trace.sequencer import Sequencer

BEGINNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class GrowingLog:
    """The sequencer of a test's installation and the clock it goes by."""

    def __init__(self, context: Context, time: FixedClock) -> None:
        self.context = context
        self.time = time
        self.sequencer = Sequencer(context.database, context.settings)
        self.sequencer.start()

    def record(self, chain: str, count: int = 1, event: Event = Event.BEAT) -> None:
        entries = [Entry(loose(event, {"number": number}), chain, "someone") for number in range(count)]
        with self.context.database.writing() as session:
            services.record_many(session, entries)

    def settle(self) -> Signed:
        """Everything recorded is in the tree and signed for; the newest checkpoint."""
        self.time.advance(timedelta(seconds=2))
        while self.sequencer.step().leaves:
            pass
        self.time.advance(timedelta(seconds=2))
        self.sequencer.step()
        return self.newest()

    def newest(self) -> Signed:
        return Signed.parse(Note.parse(self.notes()[-1]).text)

    def notes(self) -> list[str]:
        """Every checkpoint of every log, in the order they were signed."""
        with self.context.database.reading() as session:
            return list(session.scalars(select(CheckpointRow.note).order_by(CheckpointRow.log, CheckpointRow.size)))


@contextmanager
def growing_log(context: Context) -> Iterator[GrowingLog]:
    with clock.fixed(BEGINNING) as time:
        yield GrowingLog(context, time)
