"""How long an enrolment needs what was collected for it: pure functions over frozen facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from xueji.cohorts.rules import settles_on
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import date_begins_ms

LONGEST_APPEALS = timedelta(days=180)
"""Beyond the settlement; for plans of a time when no term was set for contesting a check."""


def photos_end_at(ends_on: date, plan: ProctoringPlan) -> datetime:
    """From when on a training needs its trainees' reference photos no more: nothing about it can be contested."""
    settled = datetime.fromtimestamp(date_begins_ms(settles_on(ends_on, plan)) / 1000, UTC)
    return settled + min(timedelta(days=plan.appeal_days), LONGEST_APPEALS)
