"""A class opens its sittings in the same minute: they are opened in groups, as beats are written.

Each by itself would wait for its turn and for the disk, and as many threads as there are pages would wake and stop each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import structlog
from flask import Flask

from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import Problem, Unavailable
from xueji.kernel.groupcommit import GroupCommitter, Write
from xueji.progress.opening import OpenedSitting, OpeningRequest, open_sittings

log = structlog.get_logger(__name__)

LARGEST_GROUP = 16
"""So that beats, which wait for their turn to write, never wait for a whole class."""


def init_openings(app: Flask) -> None:
    """In this process, until `reporting.record_beside` says otherwise."""
    take_openings(app, open_here(app.extensions["xueji"]))


def take_openings(app: Flask, write: Write[OpeningRequest, OpenedSitting]) -> None:
    """One group committer for each process."""
    app.extensions["xueji_openings"] = GroupCommitter(write, largest_batch=LARGEST_GROUP)


def open_in_turn(app: Flask, opening: OpeningRequest) -> OpenedSitting:
    """Durable when it returns. Raises Unavailable and whatever `open_sitting` refuses with."""
    committer = cast("GroupCommitter[OpeningRequest, OpenedSitting]", app.extensions["xueji_openings"])
    return committer.submit(opening)


def open_here(held: Context) -> Write[OpeningRequest, OpenedSitting]:
    """Opens a group's sittings in this process, in one transaction; those who are to be by themselves come after it."""

    def together(openings: Sequence[OpeningRequest]) -> list[OpenedSitting | Problem | None]:
        with held.database.open_session(writes=True) as session:
            outcomes = open_sittings(session, openings, keyring=held.keyring, events=held.events)
            if any(isinstance(outcome, OpenedSitting) for outcome in outcomes):
                commit(session)
            return outcomes

    def by_herself(opening: OpeningRequest) -> OpenedSitting | Exception:
        try:
            return together([opening])[0] or Unavailable()
        except Unavailable as refusal:
            return refusal
        except Exception:
            log.exception("opening.failed", sitting=str(opening.sitting_id))
            return Unavailable()

    def write(openings: Sequence[OpeningRequest]) -> Sequence[OpenedSitting | Exception]:
        outcomes = together(openings)
        return [outcome or by_herself(opening) for opening, outcome in zip(openings, outcomes, strict=True)]

    return write
