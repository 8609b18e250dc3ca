"""Days as the law counts them: Asia/Shanghai, eight hours ahead of UTC, no summer time; instants are epoch ms."""

from __future__ import annotations

from datetime import date
from typing import Final

DAY_MS: Final = 86_400_000
_AHEAD_MS: Final = 8 * 3_600_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def day_of(at_ms: int) -> int:
    """The number of the day an instant belongs to; day 0 is 1970-01-01."""
    return (at_ms + _AHEAD_MS) // DAY_MS


def day_begins_ms(day: int) -> int:
    """The first instant of the day of this number."""
    return day * DAY_MS - _AHEAD_MS


def date_begins_ms(day: date) -> int:
    """The first instant of a date."""
    return day_begins_ms(day.toordinal() - _EPOCH_DAY)


def date_of(day: int) -> date:
    """The date of the day of this number."""
    return date.fromordinal(day + _EPOCH_DAY)


def term_ends_ms(at_ms: int, days: int) -> int:
    """The first instant after so many whole days (Asia/Shanghai) that follow the day of an instant."""
    return day_begins_ms(day_of(at_ms) + 1 + days)
