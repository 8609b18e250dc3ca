"""The terms of attendance in person: one reading of the plan for whoever enters it and for the account.

Standard library only.
"""

from __future__ import annotations

from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import DAY_MS, term_ends_ms
from xueji.rulebook.vocabulary import Doubt


def one_person_until_ms(plan: ProctoringPlan, ended_ms: int) -> int:
    """The first instant at which entering an attendance takes two: so many days after the day the session ended."""
    return term_ends_ms(ended_ms - 1, plan.attendance_days)


def entry_doubts(
    plan: ProctoringPlan, *, planned_ms: int | None, began_ms: int, ended_ms: int, entered_ms: int
) -> tuple[Doubt, ...]:
    """Why an entry needs a second person: it comes late, or its session was not planned before it began."""
    doubts = []
    if entered_ms >= one_person_until_ms(plan, ended_ms):
        doubts.append(Doubt.LATE_ENTRY)
    if planned_ms is None or planned_ms >= began_ms:
        doubts.append(Doubt.NOT_PLANNED)
    return tuple(doubts)


def denial_ends_ms(plan: ProctoringPlan, entered_ms: int) -> int:
    """The first instant at which the trainee can no longer say that she was not there."""
    return entered_ms + plan.deny_days * DAY_MS


def denied_in_time(plan: ProctoringPlan, entered_ms: int, denied_ms: int) -> bool:
    """Whether an attendance entered then may be denied now (both epoch ms)."""
    return denied_ms < denial_ends_ms(plan, entered_ms)
