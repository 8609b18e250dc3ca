"""Sums and facts that cannot be true, collected while hours are worked out."""

from collections import Counter
from collections.abc import Iterable

from xueji.hours.rules.records import Attendance, Irregular
from xueji.hours.rules.statement import Flag, FlagCode
from xueji.rulebook.intervals import Interval, intersect, length, union
from xueji.rulebook.shanghai import DAY_MS, date_of, day_begins_ms, day_of


class Suspicions:
    """What has been found so far, by kind."""

    def __init__(self, irregular: Iterable[Irregular]) -> None:
        self._ids: dict[str, set[str]] = {}
        self._ms: Counter[str] = Counter()
        for found in irregular:
            self.add(FlagCode(found.code), found.ms, *found.ids)

    def add(self, code: FlagCode, ms: int, *ids: str) -> None:
        """Note `ms` milliseconds that cannot be, and what they concern."""
        self._ids.setdefault(code, set()).update(ids)
        self._ms[code] += ms

    def flags(self) -> tuple[Flag, ...]:
        """One flag for each kind found, in the order of `FlagCode`."""
        return tuple(
            Flag(code.value, tuple(sorted(self._ids[code])), self._ms[code]) for code in FlagCode if code in self._ids
        )


class DaySums:
    """Time spent on each day (Asia/Shanghai), added up in ascending order of server time or not."""

    def __init__(self) -> None:
        self.ms: Counter[int] = Counter()
        self._day = 0
        self._begins = self._ends = 0

    def add(self, start_ms: int, end_ms: int) -> None:
        """Add the server interval, split at midnight."""
        while start_ms < end_ms:
            if not self._begins <= start_ms < self._ends:
                self._day = day_of(start_ms)
                self._begins = day_begins_ms(self._day)
                self._ends = self._begins + DAY_MS
            until = min(end_ms, self._ends)
            self.ms[self._day] += until - start_ms
            start_ms = until


def look_at_days(suspicions: Suspicions, online: DaySums, daily_max_ms: int, attendance: Iterable[Attendance]) -> None:
    """Flag days with more online time than the plan allows, and days of more than 24 hours altogether."""
    together = DaySums()
    together.ms.update(online.ms)
    for session in attendance:
        together.add(session.began_ms, session.began_ms + session.ms)
    for day, ms in online.ms.items():
        if ms > daily_max_ms:
            suspicions.add(FlagCode.OVER_DAILY_MAXIMUM, ms - daily_max_ms, date_of(day).isoformat())
    for day, ms in together.ms.items():
        if ms > DAY_MS:
            suspicions.add(FlagCode.DAY_OVER_24_HOURS, ms - DAY_MS, date_of(day).isoformat())


def look_at_sessions(suspicions: Suspicions, attendance: Iterable[Attendance], studied: Iterable[Interval]) -> None:
    """Flag a person who sat in two sessions at once, or in one while she studied online (`studied`: server time)."""
    sessions = sorted((session.began_ms, session.ended_ms, session.session) for session in attendance)
    spans = union((began, ended) for began, ended, _ in sessions)
    twice = length((began, ended) for began, ended, _ in sessions) - length(spans)
    if twice:
        latest_end, latest = 0, ""
        concerned: set[str] = set()
        for began, ended, session in sessions:
            if began < latest_end:
                concerned |= {latest, session}
            if ended > latest_end:
                latest_end, latest = ended, session
        suspicions.add(FlagCode.TWO_SESSIONS_AT_ONCE, twice, *concerned)
    both = intersect(spans, union(studied)) if spans else []
    if both:
        names = [session for began, ended, session in sessions if any(a < ended and b > began for a, b in both)]
        suspicions.add(FlagCode.IN_PERSON_WHILE_ONLINE, length(both), *names)
