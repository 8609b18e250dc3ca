"""The server's clock: the only one that anything is judged by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class FixedClock:
    """A clock that stands still until told; the tests' twin of the real one."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def advance(self, by: timedelta) -> None:
        self.instant += by


_fixed: FixedClock | None = None


def now() -> datetime:
    """The present in UTC, cut to whole milliseconds."""
    instant = _fixed.instant if _fixed is not None else datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@contextmanager
def fixed(instant: datetime) -> Iterator[FixedClock]:
    """Stop the clock for the whole process (every thread of a test sees the same time)."""
    global _fixed
    before, _fixed = _fixed, FixedClock(instant)
    try:
        yield _fixed
    finally:
        _fixed = before


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def rfc3339(instant: datetime) -> str:
    """``2026-11-21T08:00:00.000Z``, the form every leaf of the trace uses."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def shanghai_day(instant: datetime) -> date:
    """The calendar day in China, by which daily limits and validity are counted."""
    return instant.astimezone(SHANGHAI).date()
