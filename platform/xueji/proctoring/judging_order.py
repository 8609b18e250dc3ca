"""Whose pictures are judged next: everybody in turn, one judgement a person at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final
from uuid import UUID

TAKEN_MS: Final = 60_000
"""Ms for which a process that took up an attempt is believed to be at it; a judgement is cut off before."""
REMEMBERED_MS: Final = 600_000
"""Ms for which it counts that somebody's pictures have just been judged."""


@dataclass(frozen=True)
class WaitingAnswer:
    """An answered attempt without a verdict; ``taken_ms``: when a process last took it up."""

    attempt_id: UUID
    person_id: UUID
    answered_ms: int
    taken_ms: int | None = None


def whose_turn(
    waiting: Iterable[WaitingAnswer], judged_ms: Mapping[UUID, int], now_ms: int, *, but: Set[UUID] = frozenset()
) -> WaitingAnswer | None:
    """The attempt to be judged now; None when nobody's is.

    ``judged_ms``: when each person's pictures were last judged. Whoever has had a judgement goes behind all who have
    had theirs earlier or none, so that many answers of one person keep nobody else waiting for longer than one of
    them. ``but``: attempts that have just been tried.
    """
    everything = list(waiting)
    at_it = {each.person_id for each in everything if _is_taken(each, now_ms)}
    free = [each for each in everything if each.person_id not in at_it and each.attempt_id not in but]
    return min(
        free,
        key=lambda each: (judged_ms.get(each.person_id, 0), each.answered_ms, each.attempt_id.int),
        default=None,
    )


def _is_taken(waiting: WaitingAnswer, now_ms: int) -> bool:
    return waiting.taken_ms is not None and now_ms - waiting.taken_ms < TAKEN_MS
