"""By when a finding is to be answered, unless the regulator says another day."""

from __future__ import annotations

from datetime import date, timedelta

from xueji.kernel import clock

DAYS_TO_ANSWER = 15


def default_deadline() -> date:
    return clock.shanghai_day(clock.now()) + timedelta(days=DAYS_TO_ANSWER)
