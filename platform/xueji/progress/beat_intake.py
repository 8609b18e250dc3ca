"""From what a page sent to what it is answered: checked beats go to the process's one group committer.

Reports of other parts share it (`Context.reports`). Who writes them, and opens sittings, is said here too: this
process, or the recorder beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast
from uuid import UUID

from flask import Flask

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.groupcommit import GroupCommitter, Write, by_kind, in_one_transaction
from xueji.kernel.sidecar import Sidecar
from xueji.progress.beat_recording import BeatAnswer, BeatReport, ReportedBeat, digest_of
from xueji.progress.errors import BeatRefused
from xueji.progress.opening import OpenedSitting, OpeningRequest
from xueji.progress.opening_groups import take_openings
from xueji.progress.rules import InvalidBeat, PlayedSpan, check_beat
from xueji.progress.schemas import BeatIn, BeatsIn
from xueji.web.health import add_probe

REPORTS = "xueji_reports"
"""The application's group committer, by this key of its extensions."""


class Batch(NamedTuple):
    """What the recorder is handed: reports, of whatever kinds, or openings, never both."""

    reports: tuple[Any, ...] = ()
    openings: tuple[OpeningRequest, ...] = ()


class Written(NamedTuple):
    """What the recorder answers a batch with."""

    outcomes: Sequence[Any]
    """an answer or a refusal for each item"""
    announcements: Sequence[Announcement]


def write_here(context: Context) -> Write[Any, Any]:
    """Judges and writes batches in this process, each kind of report by its part's handler, in one transaction."""
    return in_one_transaction(context.database, by_kind(context.reports))


def init_beats(app: Flask) -> None:
    """One group committer for each process: every report of this process goes through it, and is written in it."""
    app.extensions[REPORTS] = GroupCommitter(write_here(app.extensions["xueji"]))


def start_recorder(app: Flask) -> Sidecar:
    """From now on `xueji.recorder`, a process of its own, writes beats and opens sittings; for applications that serve.

    A batch whose answer is lost is written again: beats known by their numbers are answered as they were, and a sitting
    known by its id is opened as it stands.
    """
    context: Context = app.extensions["xueji"]
    recorder = Sidecar(sys.executable, "-m", "xueji.recorder")

    def write(batch: Batch) -> Sequence[Any]:
        written: Written = recorder.call(batch)
        for announcement in written.announcements:
            context.events.publish(announcement)
        return written.outcomes

    def write_reports(reports: Sequence[Any]) -> Sequence[Any]:
        return write(Batch(reports=tuple(reports)))

    def write_openings(openings: Sequence[OpeningRequest]) -> Sequence[OpenedSitting | Exception]:
        return write(Batch(openings=tuple(openings)))

    app.extensions[REPORTS] = GroupCommitter(write_reports)
    take_openings(app, write_openings)
    add_probe(app, "recorder", partial(write_reports, ()))
    recorder.start()
    return recorder


def report_beats(app: Flask, sitting_id: UUID, person_id: UUID, login_session_id: UUID, body: BeatsIn) -> BeatAnswer:
    """Durable when it returns. Raises BeatRefused and whatever `record_reports` refuses with."""
    committer = cast("GroupCommitter[BeatReport, BeatAnswer]", app.extensions[REPORTS])
    return committer.submit(BeatReport(sitting_id, person_id, login_session_id, tuple(map(_reported, body.beats))))


def _reported(said: BeatIn) -> ReportedBeat:
    """Raises BeatRefused for what no player can have sent."""
    beat = PlayedSpan(said.seq, str(said.beat_id), said.from_ms, said.to_ms, said.state, round(said.rate * 1000))
    try:
        check_beat(beat)
    except InvalidBeat as error:
        raise BeatRefused(str(error), field=error.field, seq=said.seq) from error
    occurred = clock.rfc3339(said.sent_at)
    return ReportedBeat(beat, occurred, said.interacted, digest_of(beat, occurred, said.interacted))
