"""Checks that wait for a person of the institution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import Enrolment
from xueji.kernel import clock
from xueji.proctoring.conditions import offer_not_taken
from xueji.proctoring.models import Appeal, Check
from xueji.proctoring.queries.checks import PER_PAGE, CheckLine, lines
from xueji.proctoring.rules import BLAMES_NOBODY, CheckState

Columns = TypeVarTuple("Columns")


@dataclass(frozen=True, slots=True)
class ToReview:
    """A check that waits for a person of the institution."""

    check: CheckLine
    person_id: UUID
    cohort: str


def _contested(organisation_id: UUID) -> ColumnElement[bool]:
    return and_(Cohort.organisation_id == organisation_id, Check.state == CheckState.CONTESTED)


def _failed(organisation_id: UUID) -> ColumnElement[bool]:
    return and_(
        Cohort.organisation_id == organisation_id,
        Check.state == CheckState.DECIDED,
        Check.outcome.not_in(BLAMES_NOBODY),
        ~offer_not_taken(),
    )


def contested_checks(session: Session, organisation_id: UUID, page: int = 1) -> list[ToReview]:
    """What trainees contest, the one to be decided first first."""
    waiting = and_(Appeal.check_id == Check.id, Appeal.decided_ms.is_(None))
    chosen = _for_review(_contested(organisation_id)).join(Appeal, waiting)
    return _to_review(session, chosen.order_by(Appeal.decide_by_ms, Check.id), page)


def failed_checks(session: Session, organisation_id: UUID, page: int = 1) -> list[ToReview]:
    """What failed and nobody contests, the latest first."""
    return _to_review(session, _for_review(_failed(organisation_id)).order_by(Check.due_ms.desc(), Check.id), page)


def seconds_awaited(session: Session, organisation_id: UUID, page: int = 1) -> list[ToReview]:
    """What somebody has spoken on and a second person is to look at, the oldest first."""
    chosen = _for_review(_second(organisation_id)).order_by(Check.decided_ms, Check.id)
    return _to_review(session, chosen, page)


def _second(organisation_id: UUID) -> ColumnElement[bool]:
    return and_(Cohort.organisation_id == organisation_id, Check.second_awaited.is_(True))


def review_counts(session: Session, organisation_id: UUID) -> tuple[int, int, int]:
    """How many are contested, how many failed, and how many wait for a second person."""

    def count(which: ColumnElement[bool]) -> int:
        return session.scalar(_joined(select(func.count(Check.id))).where(which)) or 0

    return count(_contested(organisation_id)), count(_failed(organisation_id)), count(_second(organisation_id))


def _joined(chosen: Select[*Columns]) -> Select[*Columns]:
    return chosen.join(Enrolment, Enrolment.id == Check.enrolment_id).join(Cohort, Cohort.id == Enrolment.cohort_id)


def _for_review(which: ColumnElement[bool]) -> Select[Check, str]:
    return _joined(select(Check, Cohort.title)).where(which)


def _to_review(session: Session, chosen: Select[Check, str], page: int) -> list[ToReview]:
    rows = session.execute(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    found = lines(session, [check for check, _cohort in rows])
    return [ToReview(line, check.person_id, cohort) for line, (check, cohort) in zip(found, rows, strict=True)]


def hold_contested(asked: HeldAsked) -> None:
    """A check that she contests and nobody has decided on holds her file (`enrolment` asks)."""
    waits = (
        select(Appeal.id)
        .join(Check, Check.id == Appeal.check_id)
        .where(Check.enrolment_id.in_(asked.enrolment_ids), Appeal.decided_ms.is_(None))
        .where(Appeal.decide_by_ms > clock.to_ms(clock.now()))
    )
    asked.held = asked.held or asked.session.scalar(waits.limit(1)) is not None
