"""What progress tells the parts above it. Handlers run in the same transaction and may answer by what they set.

What bears on checks is told as of any occasion: `occasions.events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.queries import EnrolmentFacts
from xueji.occasions.events import OccasionOpens
from xueji.progress.models import Sitting
from xueji.progress.rules import BeatResult
from xueji.rulebook.intervals import Interval, length


@dataclass
class OpeningsCome:
    """Some sittings are about to open, one after another: what each would ask for can be asked for all of them now.

    Their chains are held by this transaction. The handler changes nothing.
    """

    session: Session
    beginners: Sequence[UUID]
    """The enrolments in which there has been no sitting before."""
    others: Sequence[UUID]
    """Those in which there has been one."""


@dataclass(kw_only=True)
class SittingOpens(OccasionOpens):
    """A sitting is about to open, and what was left of a check is settled. The handler says what may be made up in it.

    Afterwards `ConditionsWanted` and `LineWanted` are published with the same opening.
    """

    facts: EnrolmentFacts
    lesson: LessonFacts
    furthest_ms: int
    """The lesson's frontier, in ms of media."""
    only_make_up: bool = False
    """The cohort's days are over: nothing new is studied, held time is made up and waiting time confirmed."""
    make_up: list[Interval] = field(default_factory=list)
    """Set by `hours`: media that may be earned again."""
    account: Any = None
    """What `hours` has read of her account, for its own second look."""
    ledger: str | None = None
    """The lesson's line to begin with, as `hours` writes it for itself; None when it has to be reckoned anew."""
    waiting_ms: int = 0
    """Set by `hours`: study of this lesson that the next good check would confirm."""

    @property
    def remaining_ms(self) -> int:
        """The media that can still earn: what is new, and what is to be made up."""
        new_ms = 0 if self.only_make_up else self.lesson.duration_ms - self.furthest_ms
        return new_ms + length(self.make_up)

    @property
    def of_this_subject(self) -> Select[UUID]:
        """This enrolment's sittings of the same lesson."""
        return select(Sitting.id).where(
            Sitting.enrolment_id == self.enrolment_id, Sitting.lesson_id == self.lesson.lesson_id
        )


@dataclass
class LineWanted:
    """It is settled how the person will be known in the sitting. The handler sets the opening's ``ledger``."""

    opens: SittingOpens


@dataclass
class StudyCredited:
    """Beats of a sitting have earned something or been refused. The handler moves ``ledger`` on and sets ``line``.

    It forgets one that it cannot read: then the line has to be reckoned anew.
    """

    ledger: str | None
    results: Sequence[BeatResult]
    owes_from_ms: int | None = None
    """When a scheduled check stands open: the end of its window (epoch ms), from which on an answer is owed."""
    handed_out: Sequence[Interval] | None = None
    """The media that was handed out in this sitting; None where nobody asks."""
    line: dict[str, Any] | None = None


@dataclass
class LedgerShown:
    """The same for beats that are only answered again. The handler sets ``line``."""

    ledger: str
    line: dict[str, Any] | None = None
