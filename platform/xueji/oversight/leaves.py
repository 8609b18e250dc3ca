"""What regulators write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from typing import Annotated

from xueji.trace.leaf import Chain, Count, Day, Drawn, Id, OfPerson, OfStaff, Sha256, Unit, Word, leaf
from xueji.trace.rules import Event


@leaf(Event.DRAW, Chain.PLATFORM)
class TraineesDrawn(OfStaff):
    """A regulator drew trainees at random."""

    draw: Id
    population: Count
    among: Sha256
    """of the sorted ids that were drawn from"""
    size: Count
    seed: Drawn


@leaf(Event.FINDING)
class FindingMoved(OfStaff):
    """A regulator's finding about an enrolment, as it stands now."""

    finding: Id
    kind: Word
    state: Word
    deadline: Day


@leaf(Event.INSPECTION_OPEN, Chain.COHORT)
class InspectionOpened(OfStaff):
    """A regulator let an inspector read the cohort until a time."""

    inspection: Id
    until: Annotated[str, Unit("time")]
    subject: OfPerson
    """the id of the inspector"""
    reason: OfPerson


@leaf(Event.INSPECTION_END, Chain.COHORT)
class InspectionEnded(OfStaff):
    """A regulator ended it before its time."""

    inspection: Id


@leaf(Event.INSPECTION_LOOK, Chain.COHORT, Chain.ENROLMENT)
class InspectorLooked(OfStaff):
    """The inspector opened the cohort's roster, or one trainee's account."""

    inspection: Id
