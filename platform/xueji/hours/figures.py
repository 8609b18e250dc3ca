"""What lists are narrowed and sorted by, kept beside each statement."""

from __future__ import annotations

from typing import TypedDict

from xueji.hours.rules import Statement


class Kept(TypedDict):
    """Columns of `models.HoursAccount`."""

    complete: bool
    begun: bool
    held_ms: int
    waiting_ms: int
    unseen_ms: int
    done_ms: int


def glance_of(statement: Statement) -> Kept:
    in_person_ms = statement.in_person.theory_ms + statement.in_person.practical_ms
    return Kept(
        complete=statement.complete,
        begun=any(line.furthest_ms for line in statement.lessons) or in_person_ms > 0,
        held_ms=statement.online.held_ms,
        waiting_ms=statement.online.provisional_ms,
        unseen_ms=unseen_ms(statement),
        done_ms=statement.online.counted_ms + in_person_ms,
    )


def unseen_ms(statement: Statement) -> int:
    """Of online lessons, what has not been watched to the end."""
    return sum(max(0, line.duration_ms - line.furthest_ms) for line in statement.lessons)
