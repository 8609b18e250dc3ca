"""From what a page sent to what it is answered: checked beats go to the process's one group committer.

Who writes them, and opens sittings, is said here too: this process, or the recorder beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast
from uuid import UUID

from flask import Flask

from xueji.kernel import clock
from xueji.kernel.beside import Beside
from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.groupcommit import GroupCommitter, Write, in_one_transaction
from xueji.progress.beginning import Opened, Opening
from xueji.progress.errors import BeatRefused
from xueji.progress.openings import take_openings
from xueji.progress.record import Answer, Report, Reported, digest_of, record_reports
from xueji.progress.rules import Beat, InvalidBeat, check_beat
from xueji.progress.schemas import BeatIn, BeatsIn
from xueji.web.health import add_probe


class Batch(NamedTuple):
    """What the recorder is handed: reports or openings, never both."""

    reports: tuple[Report, ...] = ()
    openings: tuple[Opening, ...] = ()


class Written(NamedTuple):
    """What the recorder answers a batch with."""

    outcomes: Sequence[Any]
    """an answer or a refusal for each item"""
    announcements: Sequence[Announcement]


def write_here(context: Context) -> Write[Report, Answer]:
    """Judges and writes batches in this process."""
    return in_one_transaction(context.database, partial(record_reports, events=context.events))


def init_beats(app: Flask) -> None:
    """One group committer for each process: every beat of this process goes through it, and is written in it."""
    app.extensions["xueji_beats"] = GroupCommitter(write_here(app.extensions["xueji"]))


def record_beside(app: Flask) -> Beside:
    """From now on `xueji.recorder`, a process of its own, writes beats and opens sittings; for applications that serve.

    A batch whose answer is lost is written again: beats known by their numbers are answered as they were, and a sitting
    known by its id is opened as it stands.
    """
    held: Context = app.extensions["xueji"]
    recorder = Beside(sys.executable, "-m", "xueji.recorder")

    def write(batch: Batch) -> Sequence[Any]:
        written: Written = recorder.call(batch)
        for announcement in written.announcements:
            held.events.publish(announcement)
        return written.outcomes

    def write_reports(reports: Sequence[Report]) -> Sequence[Answer | Exception]:
        return write(Batch(reports=tuple(reports)))

    def write_openings(openings: Sequence[Opening]) -> Sequence[Opened | Exception]:
        return write(Batch(openings=tuple(openings)))

    app.extensions["xueji_beats"] = GroupCommitter(write_reports)
    take_openings(app, write_openings)
    add_probe(app, "recorder", partial(write_reports, ()))
    recorder.start()
    return recorder


def report_beats(app: Flask, sitting_id: UUID, person_id: UUID, login_session_id: UUID, said: BeatsIn) -> Answer:
    """Durable when it returns. Raises BeatRefused and whatever `record_reports` refuses with."""
    committer = cast("GroupCommitter[Report, Answer]", app.extensions["xueji_beats"])
    return committer.submit(Report(sitting_id, person_id, login_session_id, tuple(map(_reported, said.beats))))


def _reported(said: BeatIn) -> Reported:
    """Raises BeatRefused for what no player can have sent."""
    beat = Beat(said.seq, str(said.beat_id), said.from_ms, said.to_ms, said.state, round(said.rate * 1000))
    try:
        check_beat(beat)
    except InvalidBeat as error:
        raise BeatRefused(str(error), field=error.field, seq=said.seq) from error
    occurred = clock.rfc3339(said.sent_at)
    return Reported(beat, occurred, said.interacted, digest_of(beat, occurred, said.interacted))
