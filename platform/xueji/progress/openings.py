"""A class opens its sittings in the same minute: they are opened in groups, as beats are written.

Each by itself would wait for its turn and for the disk, and as many threads as there are pages would wake and stop each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, cast
from uuid import UUID

import structlog
from flask import Flask

from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import Problem, Unavailable
from xueji.kernel.groupcommit import GroupCommitter, OneByOne, Write
from xueji.progress.services import Opened, open_sitting

log = structlog.get_logger(__name__)

LARGEST_GROUP = 16
"""So that beats, which wait for their turn to write, never wait for a whole class."""
AT_ONCE = 8
"""Of a group on PostgreSQL, each over a connection of its own."""


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
    """One group committer for each process."""
    app.extensions["xueji_openings"] = GroupCommitter(write, largest_batch=LARGEST_GROUP)


def open_in_turn(app: Flask, opening: Opening) -> Opened:
    """Durable when it returns. Raises Unavailable and whatever `open_sitting` refuses with."""
    committer = cast("GroupCommitter[Opening, Opened]", app.extensions["xueji_openings"])
    return committer.submit(opening)


def open_here(held: Context) -> Write[Opening, Opened]:
    """Opens a group's sittings in this process.

    On SQLite, where writers wait for each other, all in one transaction or, where one is refused, each in its own. On
    PostgreSQL two in one transaction could wait for each other: there each has its own, and a group's go on beside
    each other while each waits for the server.
    """
    return _in_one_transaction(held) if held.database.is_sqlite else _beside_each_other(held)


def _beside_each_other(held: Context) -> Write[Opening, Opened]:
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="opening")
    open_one = _in_one_transaction(held)

    def outcome(opening: Opening) -> Opened | Exception:
        try:
            return open_one([opening])[0]
        except Unavailable as refusal:
            return refusal
        except Exception:
            log.exception("opening.failed", sitting=str(opening.sitting_id))
            return Unavailable()

    def write(openings: Sequence[Opening]) -> Sequence[Opened | Exception]:
        return list(pool.map(outcome, openings)) if len(openings) > 1 else [outcome(openings[0])]

    return write


def _in_one_transaction(held: Context) -> Write[Opening, Opened]:
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
