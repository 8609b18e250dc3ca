"""Figures of the account as screens show them: whole seconds, the same on every screen, and together the whole."""

from __future__ import annotations

from typing import NamedTuple

from xueji.hours.rules import LessonLine, OnlineSums
from xueji.rulebook.whole_seconds import whole_seconds


class DisplayedFilm(NamedTuple):
    """Seconds. Of a lesson they are together its film, of an enrolment what was watched."""

    counted: int
    provisional: int
    held: int
    refused: int = 0
    """of the film: watched, and does not count"""
    unseen: int = 0


def film(duration_ms: int, furthest_ms: int, counted_ms: int, provisional_ms: int, held_ms: int) -> DisplayedFilm:
    """Of one lesson's film."""
    gone_ms = max(0, furthest_ms - counted_ms - provisional_ms - held_ms)
    return DisplayedFilm(
        *whole_seconds(counted_ms, provisional_ms, held_ms, gone_ms, max(0, duration_ms - furthest_ms))
    )


def shown(sums: LessonLine | OnlineSums) -> DisplayedFilm:
    """Of a line of the statement, or of all its lines together."""
    if isinstance(sums, LessonLine):
        return film(sums.duration_ms, sums.furthest_ms, sums.counted_ms, sums.provisional_ms, sums.held_ms)
    return DisplayedFilm(*whole_seconds(sums.counted_ms, sums.provisional_ms, sums.held_ms))
