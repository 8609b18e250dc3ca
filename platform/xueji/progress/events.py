"""What progress tells the parts above it. Handlers run in the same transaction and may answer by what they set.

A handler never writes to the trace itself here: it adds to ``entries``, so that leaves stand in the order things
happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.enrolment.queries import EnrolmentFacts, LessonFacts
from xueji.progress.rules import SittingState
from xueji.rulebook.intervals import Interval
from xueji.rulebook.vocabulary import CheckKind, Method
from xueji.trace.rules import Entry


@dataclass
class SittingOpens:
    """A sitting is about to open. Checks and hours say under what conditions, or raise a Problem that refuses it."""

    session: Session
    facts: EnrolmentFacts
    lesson: LessonFacts
    sitting_id: UUID
    who: str
    now_ms: int
    furthest_ms: int
    carried_ms: int
    """Study since the enrolment's last check, in whatever sitting."""
    only_make_up: bool = False
    """The cohort's days are over: nothing new is studied, held time is made up and waiting time confirmed."""
    method: Method = Method.FACE
    valid_until_ms: int | None = None
    make_up: list[Interval] = field(default_factory=list)
    schedule: tuple[int, ...] = ()
    waiting_ms: int = 0
    """Study of this lesson that the next good check would confirm."""
    check_first: bool = False
    """Whether she shows herself before anything is played: after a failed check no time is good until then."""
    entries: list[Entry] = field(default_factory=list)


@dataclass
class CheckFallsDue:
    """The study time has reached a scheduled check, or the lesson its end. The handler sets ``told``."""

    session: Session
    sitting_id: UUID
    enrolment_id: UUID
    person_id: UUID
    who: str
    kind: CheckKind
    state: SittingState
    now_ms: int
    told: dict[str, Any] | None = None
    entries: list[Entry] = field(default_factory=list)


@dataclass
class ContactDuringCheck:
    """A sitting with an open check was heard of. The handler leaves ``told``, changes it, or sets it to None."""

    session: Session
    sitting_id: UUID
    told: dict[str, Any] | None
    same_beat: bool
    """Only beats that had been answered before: the answer that told of the check was lost."""
    state: SittingState
    who: str
    enrolment_id: UUID
    now_ms: int
    entries: list[Entry] = field(default_factory=list)
