"""Cohorts and institutions of a jurisdiction beside each other: how many people, and how their checks ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.identity.models import Organisation
from xueji.kernel.actor import Actor
from xueji.oversight.access import seen_cohorts
from xueji.proctoring.conditions import offer_not_taken
from xueji.proctoring.models import Check
from xueji.proctoring.rules import BLAMES_NOBODY
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import Outcome

PER_PAGE = 50


class ComparisonOrder(StrEnum):
    """By what the list is sorted, the most first; the name decides between equals."""

    FAILED = "failed"
    ACCEPTED = "accepted"
    SILENT = "silent"
    TRAINEES = "trainees"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A cohort or an institution, and counts of its checks that are over."""

    id: UUID
    name: str
    institution: str
    """Empty of an institution."""
    state: CohortState | None
    cohorts: int
    trainees: int
    """Enrolled and not let out."""
    checks: int
    """Those that were asked and are over; an offer that was not taken counts nowhere."""
    failed: int
    """Of these, those that ended with neither a match nor as nobody's fault."""
    silent: int
    """Of these, those that nobody answered."""
    accepted: int
    """Of these, those that people have accepted after all."""

    def rate(self, count: int) -> int:
        """Of the checks, in tenths of a percent, cut."""
        return count * 1000 // self.checks if self.checks else 0


def cohorts(session: Session, actor: Actor, order: ComparisonOrder) -> list[ComparedLine]:
    """Every open or closed cohort of the jurisdiction."""
    rows = session.execute(
        select(Cohort.id, Cohort.title, Organisation.name, Cohort.state, _one(), _people(), *_counts())
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .outerjoin(Enrolment, Enrolment.cohort_id == Cohort.id)
        .outerjoin(Check, and_(Check.enrolment_id == Enrolment.id, _over()))
        .where(seen_cohorts(actor), Cohort.state != CohortState.DRAFT)
        .group_by(Cohort.id, Cohort.title, Organisation.name, Cohort.state)
    )
    return _sorted([_line(*row) for row in rows], order)


def institutions(session: Session, actor: Actor, order: ComparisonOrder) -> list[ComparedLine]:
    """Every institution with such a cohort; of its cohorts, those of the jurisdiction."""
    rows = session.execute(
        select(Organisation.id, Organisation.name, func.count(Cohort.id.distinct()), _people(), *_counts())
        .join(Cohort, Cohort.organisation_id == Organisation.id)
        .outerjoin(Enrolment, Enrolment.cohort_id == Cohort.id)
        .outerjoin(Check, and_(Check.enrolment_id == Enrolment.id, _over()))
        .where(seen_cohorts(actor), Cohort.state != CohortState.DRAFT)
        .group_by(Organisation.id, Organisation.name)
    )
    return _sorted([_line(row[0], row[1], "", None, *row[2:]) for row in rows], order)


def _line(*values: Any) -> ComparedLine:
    return ComparedLine(*values)


def _one() -> ColumnElement[int]:
    return func.count(Cohort.id.distinct())


def _people() -> ColumnElement[int]:
    active = case((Enrolment.state == EnrolmentState.ACTIVE, Enrolment.id))
    return func.count(active.distinct())


def _over() -> ColumnElement[bool]:
    """Decided, and asked for: an offer that she let pass says nothing."""
    return and_(Check.outcome.is_not(None), ~offer_not_taken())


def _counts() -> Sequence[ColumnElement[int]]:
    def counted(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(cast(case((which, 1), else_=0), Integer)), 0)

    return (
        func.count(Check.id),
        counted(and_(Check.id.is_not(None), Check.outcome.not_in(BLAMES_NOBODY))),
        counted(Check.outcome == Outcome.MISSED),
        counted(Check.decision == Decision.ACCEPTED),
    )


def _sorted(lines: list[ComparedLine], order: ComparisonOrder) -> list[ComparedLine]:
    lines.sort(key=lambda line: (line.institution, line.name))
    keys = {
        ComparisonOrder.FAILED: lambda line: line.rate(line.failed),
        ComparisonOrder.SILENT: lambda line: line.rate(line.silent),
        ComparisonOrder.ACCEPTED: lambda line: line.rate(line.accepted),
        ComparisonOrder.TRAINEES: lambda line: line.trainees,
    }
    if order in keys:
        lines.sort(key=keys[order], reverse=True)
    return lines
