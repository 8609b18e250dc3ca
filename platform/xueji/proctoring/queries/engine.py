"""How well the face engine and the cameras do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from xueji.proctoring.models import Attempt, Calibration, Check
from xueji.rulebook.vocabulary import Outcome


def last_calibration(session: Session) -> Calibration | None:
    """The latest measurement of how well the site's own people are told apart; None when there was none."""
    return session.scalar(select(Calibration).order_by(Calibration.measured_ms.desc(), Calibration.id).limit(1))


@dataclass(frozen=True, slots=True)
class FirstTries:
    """Of one kind of camera: how many checks its pictures answered, and how many matched at the first answer."""

    device: str
    """Its name; empty for all those that few people use, whose names may say whose they are."""
    checks: int
    matched: int

    @property
    def percent(self) -> int:
        return round(100 * self.matched / self.checks)


LEAST_PEOPLE = 5
"""Who must use a camera for it to be named."""


def first_tries(session: Session, since_ms: int, most: int = 20) -> list[FirstTries]:
    """The cameras that took most first, then all others together; what nobody judged is not counted."""
    matched = func.sum(case((Attempt.outcome == Outcome.MATCH, 1), else_=0))
    rows = session.execute(
        select(Attempt.device, func.count(), matched, func.count(Check.person_id.distinct()))
        .join(Check, Check.id == Attempt.check_id)
        .where(Attempt.number == 1, Attempt.judged_ms >= since_ms, Attempt.outcome != Outcome.SERVICE_DOWN)
        .group_by(Attempt.device)
        .order_by(func.count().desc(), Attempt.device)
    ).all()
    named = [(row.device, row[1], int(row[2])) for row in rows if row.device and row[3] >= LEAST_PEOPLE][:most]
    known = {device for device, _, _ in named}
    left = [(row[1], int(row[2])) for row in rows if row.device not in known]
    found = [FirstTries(*each) for each in named]
    if left:
        found.append(FirstTries("", sum(checks for checks, _ in left), sum(good for _, good in left)))
    return found
