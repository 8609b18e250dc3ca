"""The server's clock: the only one that anything is judged by."""

from __future__ import annotations

import time
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


SMALL_STEP_MS = 60_000
"""By how much the wall clock may be put right at once: what is corrected after a virtual machine stood still."""


class _Steady:
    """The machine's own count of time since it started, suspended or not, beside the wall clock."""

    def __init__(self) -> None:
        self._wall_ms, self._steady_ms = self._read()

    def jump_ms(self) -> int:
        """How far the wall clock has moved without time passing; 0 for a small step, from which is counted anew."""
        wall_ms, steady_ms = self._read()
        jump = (wall_ms - self._wall_ms) - (steady_ms - self._steady_ms)
        if abs(jump) > SMALL_STEP_MS:
            return jump
        self._wall_ms, self._steady_ms = wall_ms, steady_ms
        return 0

    @staticmethod
    def _read() -> tuple[int, int]:
        return time.time_ns() // 1_000_000, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


_steady = _Steady()


def jump_ms() -> int:
    """By how much the wall clock jumped since this process began; 0 while all is well."""
    return 0 if _fixed is not None else _steady.jump_ms()


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
