"""What is handed out of a film goes the way of beats: written down by the recorder before the page gets it."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import cast
from uuid import UUID

from flask import Flask

from courses.events import FilmHandedOut
from xueji.kernel.context import Context
from xueji.kernel.errors import NotFound
from xueji.kernel.groupcommit import GroupCommitter
from xueji.progress.beat_intake import REPORTS
from xueji.progress.beat_recording import BeatAnswer, BeatReport

AROUND_MS = 10_000
"""So much on both sides of a part counts as handed out with it: sizes are not cut to the millisecond alike."""
MOST_REMEMBERED = 50_000


class Remembered:
    """The parts lately written down: a part is many files, and each is asked for by itself."""

    def __init__(self) -> None:
        self._parts: OrderedDict[tuple[UUID, UUID, int], None] = OrderedDict()

    def __contains__(self, part: tuple[UUID, UUID, int]) -> bool:
        return part in self._parts

    def add(self, part: tuple[UUID, UUID, int]) -> None:
        self._parts[part] = None
        while len(self._parts) > MOST_REMEMBERED:
            self._parts.popitem(last=False)


def init_media_recording(app: Flask) -> None:
    held: Context = app.extensions["xueji"]
    held.events.subscribe(FilmHandedOut, partial(_hand_out, app, Remembered()))


def _hand_out(app: Flask, remembered: Remembered, handed: FilmHandedOut) -> None:
    """Durable when it returns; what cannot be written down is not handed out. Raises Unavailable, SessionEnded."""
    first, last = handed.part
    key = (handed.sitting_id, handed.film_id, first)
    if key in remembered:
        return
    committer = cast("GroupCommitter[BeatReport, BeatAnswer]", app.extensions[REPORTS])
    someone, part = handed.actor, (max(0, first - AROUND_MS), last + AROUND_MS)
    try:
        committer.submit(
            BeatReport(handed.sitting_id, someone.person_id, someone.login_session_id, (), str(handed.film_id), part)
        )
    except NotFound:
        return  # a film may be looked at without a sitting of one's own; it then speaks for nobody
    remembered.add(key)
