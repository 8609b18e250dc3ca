"""Checks with everything that became of them, as lists and pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.occasions.hosts import Subject, subjects_of
from xueji.proctoring.models import Appeal, Attempt, Check
from xueji.proctoring.review_cases import case_of
from xueji.proctoring.rules import contest_refusal, holds_time
from xueji.rulebook.reviewing import Decision

PER_PAGE = 20
"""Lines on a page of a list."""


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One answer to a check; scores are distances in millionths, smaller is nearer."""

    number: int
    answered_ms: int
    outcome: str | None
    score: int | None
    threshold: int | None
    engine: str | None
    model: str | None
    prompts: tuple[str, ...]
    signals: tuple[str, ...]
    device: str
    pictures: tuple[UUID, ...]
    movements: tuple[str, ...]
    """For each picture the prompt whose movement it shows moment by moment; empty of a single photo."""
    references: tuple[UUID, ...]
    """The reference photos it was compared with."""
    deleted_ms: int | None = None
    """When its pictures were deleted because their years were over, epoch ms."""


@dataclass(frozen=True, slots=True)
class AppealLine:
    raised_ms: int
    decide_by_ms: int
    decided_ms: int | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """What one person said about a check."""

    review_id: UUID
    by: UUID
    office: str
    outcome: str
    said_ms: int
    led_to: str | None
    """None while it waits for a second person."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check with everything that became of it; times in epoch ms."""

    check_id: UUID
    occasion_kind: str
    occasion_id: UUID
    enrolment_id: UUID
    subject: Subject
    """What its occasion is about: the lesson of a sitting."""
    kind: str
    state: str
    outcome: str | None
    due_ms: int
    answer_by_ms: int
    decided_ms: int | None
    attempts: tuple[AttemptLine, ...]
    appeal: AppealLine | None
    """The latest of hers."""
    decision: str | None
    """What people decided (`rulebook.reviewing.Decision`)."""
    second_awaited: bool
    may_be_contested: bool
    reviews: tuple[ReviewLine, ...]

    @property
    def holds_time(self) -> bool:
        """Whether it failed and nobody has accepted it since."""
        if self.decision is not None:
            return self.decision != Decision.ACCEPTED
        return holds_time(self.kind, self.outcome)

    @property
    def last(self) -> AttemptLine | None:
        return self.attempts[-1] if self.attempts else None


def checks_of(session: Session, enrolment_id: UUID, page: int = 1, per_page: int = PER_PAGE) -> list[CheckLine]:
    """A page of an enrolment's checks, the newest first."""
    chosen = select(Check).where(Check.enrolment_id == enrolment_id).order_by(Check.due_ms.desc(), Check.id)
    return lines(session, session.scalars(chosen.limit(per_page).offset((page - 1) * per_page)).all())


def checks_of_occasion(session: Session, occasion_id: UUID) -> list[CheckLine]:
    """In the order they fell due."""
    chosen = select(Check).where(Check.occasion_id == occasion_id).order_by(Check.due_ms, Check.id)
    return lines(session, session.scalars(chosen).all())


def one_check(session: Session, check_id: UUID) -> CheckLine | None:
    """None when there is no such check."""
    check = session.get(Check, check_id)
    return lines(session, [check])[0] if check is not None else None


def count_checks(session: Session, enrolment_id: UUID) -> int:
    """How many checks an enrolment has had."""
    return session.scalar(select(func.count()).where(Check.enrolment_id == enrolment_id)) or 0


def lines(session: Session, checks: Sequence[Check]) -> list[CheckLine]:
    """These checks with everything that became of them, in their order; one query more a kind of occasion."""
    subjects = subjects_of(session, (check.asked_in for check in checks))
    return [_line(check, subjects[check.asked_in]) for check in checks]


def _line(check: Check, subject: Subject) -> CheckLine:
    return CheckLine(
        check_id=check.id,
        occasion_kind=check.occasion_kind,
        occasion_id=check.occasion_id,
        enrolment_id=check.enrolment_id,
        subject=subject,
        kind=check.kind,
        state=check.state,
        outcome=check.outcome,
        due_ms=check.due_ms,
        answer_by_ms=check.answer_by_ms,
        decided_ms=check.decided_ms,
        attempts=tuple(_attempt(attempt) for attempt in check.attempts),
        appeal=_appeal(check.appeals[-1]) if check.appeals else None,
        decision=check.decision,
        second_awaited=check.second_awaited,
        may_be_contested=contest_refusal(check.state, check.outcome, case_of(check)) is None,
        reviews=tuple(
            ReviewLine(review.id, review.by, review.office, review.outcome, review.said_ms, review.led_to)
            for review in check.reviews
        ),
    )


def _attempt(attempt: Attempt) -> AttemptLine:
    standing = [picture for picture in attempt.pictures if picture.deleted_ms is None]
    return AttemptLine(
        number=attempt.number,
        answered_ms=attempt.answered_ms,
        outcome=attempt.outcome,
        score=attempt.score,
        threshold=attempt.threshold,
        engine=attempt.engine,
        model=attempt.model,
        prompts=tuple(attempt.prompts),
        signals=tuple(dict.fromkeys(str(signal["code"]) for signal in attempt.signals)),
        device=attempt.device,
        pictures=tuple(picture.id for picture in standing),
        movements=tuple(
            attempt.prompts[picture.movement] if picture.movement is not None else "" for picture in standing
        ),
        references=tuple(UUID(photo_id) for photo_id in attempt.references),
        deleted_ms=max(filter(None, (picture.deleted_ms for picture in attempt.pictures)), default=None),
    )


def _appeal(appeal: Appeal) -> AppealLine:
    return AppealLine(
        raised_ms=appeal.raised_ms,
        decide_by_ms=appeal.decide_by_ms,
        decided_ms=appeal.decided_ms,
        decision=appeal.decision,
    )
