"""A check as those who review it find it: what was said about it so far, kept with it."""

from __future__ import annotations

from dataclasses import asdict

from xueji.proctoring.models import Check
from xueji.rulebook.reviewing import Case, Decision, Word


def case_of(check: Check) -> Case:
    """Her appeals and what people said, in the order in which it was said."""
    kept = check.review_case
    if kept is None:
        return Case()
    return Case(
        decision=None if kept["decision"] is None else Decision(kept["decision"]),
        deciders=frozenset(kept["deciders"]),
        pending=tuple(Word(**word) for word in kept["pending"]),
        appealed=kept["appealed"],
        heard=kept["heard"],
        of_regulator=kept["of_regulator"],
    )


def keep(check: Check, case: Case) -> None:
    check.review_case = {
        **asdict(case),
        "deciders": sorted(case.deciders),
        "pending": [asdict(w) for w in case.pending],
    }
    check.decision, check.second_awaited = case.decision, bool(case.pending)


def has_picture(check: Check) -> bool:
    """One that can be looked at still."""
    return any(picture.deleted_ms is None for attempt in check.attempts for picture in attempt.pictures)
