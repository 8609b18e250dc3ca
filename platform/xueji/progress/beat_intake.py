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
from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.groupcommit import GroupCommitter, Write, in_one_transaction
from xueji.kernel.sidecar import Sidecar
from xueji.progress.beat_recording import BeatAnswer, BeatReport, ReportedBeat, digest_of, record_reports
from xueji.progress.errors import BeatRefused
from xueji.progress.opening import OpenedSitting, OpeningRequest
from xueji.progress.opening_groups import take_openings
from xueji.progress.rules import InvalidBeat, PlayedSpan, check_beat
from xueji.progress.schemas import BeatIn, BeatsIn
from xueji.web.health import add_probe


class Batch(NamedTuple):
    """What the recorder is handed: reports or openings, never both."""

    reports: tuple[BeatReport, ...] = ()
    openings: tuple[OpeningRequest, ...] = ()


class Written(NamedTuple):
    """What the recorder answers a batch with."""

    outcomes: Sequence[Any]
    """an answer or a refusal for each item"""
    announcements: Sequence[Announcement]


def write_here(context: Context) -> Write[BeatReport, BeatAnswer]:
    """Judges and writes batches in this process."""
    return in_one_transaction(context.database, partial(record_reports, events=context.events))


def init_beats(app: Flask) -> None:
    """One group committer for each process: every beat of this process goes through it, and is written in it."""
    app.extensions["xueji_beats"] = GroupCommitter(write_here(app.extensions["xueji"]))


def start_recorder(app: Flask) -> Sidecar:
    """From now on `xueji.recorder`, a process of its own, writes beats and opens sittings; for applications that serve.

    A batch whose answer is lost is written again: beats known by their numbers are answered as they were, and a sitting
    known by its id is opened as it stands.
    """
    held: Context = app.extensions["xueji"]
    recorder = Sidecar(sys.executable, "-m", "xueji.recorder")

    def write(batch: Batch) -> Sequence[Any]:
        written: Written = recorder.call(batch)
        for announcement in written.announcements:
            held.events.publish(announcement)
        return written.outcomes

    def write_reports(reports: Sequence[BeatReport]) -> Sequence[BeatAnswer | Exception]:
        return write(Batch(reports=tuple(reports)))

    def write_openings(openings: Sequence[OpeningRequest]) -> Sequence[OpenedSitting | Exception]:
        return write(Batch(openings=tuple(openings)))

    app.extensions["xueji_beats"] = GroupCommitter(write_reports)
    take_openings(app, write_openings)
    add_probe(app, "recorder", partial(write_reports, ()))
    recorder.start()
    return recorder


def report_beats(app: Flask, sitting_id: UUID, person_id: UUID, login_session_id: UUID, said: BeatsIn) -> BeatAnswer:
    """Durable when it returns. Raises BeatRefused and whatever `record_reports` refuses with."""
    committer = cast("GroupCommitter[BeatReport, BeatAnswer]", app.extensions["xueji_beats"])
    return committer.submit(BeatReport(sitting_id, person_id, login_session_id, tuple(map(_reported, said.beats))))


def _reported(said: BeatIn) -> ReportedBeat:
    """Raises BeatRefused for what no player can have sent."""
    beat = PlayedSpan(said.seq, str(said.beat_id), said.from_ms, said.to_ms, said.state, round(said.rate * 1000))
    try:
        check_beat(beat)
    except InvalidBeat as error:
        raise BeatRefused(str(error), field=error.field, seq=said.seq) from error
    occurred = clock.rfc3339(said.sent_at)
    return ReportedBeat(beat, occurred, said.interacted, digest_of(beat, occurred, said.interacted))
