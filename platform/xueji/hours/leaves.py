"""What the account of hours and its reminders write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from xueji.trace.leaf import Id, Ms, OfPerson, OfStaff, Unit, Word, leaf
from xueji.trace.rules import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OfFlag(OfStaff):
    """What somebody says of a sum that cannot be."""

    code: Word
    ids: Annotated[list[str], Unit("list of texts")]
    """the leaves, days or sessions it is about"""
    ms: Ms
    by: Word
    proposed_by: Annotated[str, Unit("pseudonym or empty")]
    reason: OfPerson


@leaf(Event.FLAG_PROPOSE)
class ClearingProposed(OfFlag):
    """The first of two people of the institution looked into it."""


@leaf(Event.FLAG_CLEAR)
class FlagCleared(OfFlag):
    """The flag no longer holds the account back."""


@leaf(Event.FLAG_RESTORE)
class FlagRestored(OfStaff):
    """It does again."""

    code: Word
    reason: OfPerson


@leaf(Event.ENROLMENT_REMIND)
class TraineeReminded(OfStaff):
    """She was reminded of what is left to do."""

    reminder: Id
