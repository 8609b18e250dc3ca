"""A class opens its sittings in the same minute: they are opened in groups, as beats are written.

Each by itself would wait for its turn and for the disk, and as many threads as there are pages would wake and stop each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast
from uuid import UUID

from flask import Flask

from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import Problem
from xueji.kernel.groupcommit import GroupCommitter, OneByOne, Write
from xueji.progress.services import Opened, open_sitting

LARGEST_GROUP = 16
"""So that beats, which wait for their turn to write, never wait for a whole class."""


class Opening(NamedTuple):
    """Who wants to open which sitting, as `services.open_sitting` takes it."""

    actor: Actor
    sitting_id: UUID
    enrolment_id: UUID
    lesson_id: UUID
    device: str
    continue_here: bool
    from_page: bool = True


def init_openings(app: Flask) -> None:
    """In this process, until `reporting.record_beside` says otherwise."""
    take_openings(app, open_here(app.extensions["xueji"]))


def take_openings(app: Flask, write: Write[Opening, Opened]) -> None:
    """One group committer for each process. On PostgreSQL each group has one opening: two could wait for each other."""
    held: Context = app.extensions["xueji"]
    size = LARGEST_GROUP if held.database.is_sqlite else 1
    app.extensions["xueji_openings"] = GroupCommitter(write, largest_batch=size)


def open_in_turn(app: Flask, opening: Opening) -> Opened:
    """Durable when it returns. Raises Unavailable and whatever `open_sitting` refuses with."""
    committer = cast("GroupCommitter[Opening, Opened]", app.extensions["xueji_openings"])
    return committer.submit(opening)


def open_here(held: Context) -> Write[Opening, Opened]:
    """Opens a group's sittings in this process, all in one transaction or, where one is refused, each in its own."""

    def write(openings: Sequence[Opening]) -> Sequence[Opened | Exception]:
        with held.database.open_session(writes=True) as session:
            try:
                opened = [
                    open_sitting(session, keyring=held.keyring, events=held.events, **opening._asdict())
                    for opening in openings
                ]
            except Problem as problem:
                # What a refused one had begun goes with its transaction, which must therefore be its own.
                if len(openings) > 1:
                    raise OneByOne from problem
                return [problem]
            commit(session)
        return opened

    return write
