"""Which one sitting a person may study in, and how many reports she may send. Times are epoch ms of the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_AT_ONCE: Final = 1_000
FEWEST_MS_APART: Final = 1_000
"""A player reports every ten seconds and at every change of state, and hands in what it kept while it had no network. A
person may report so often at once and once more in each of these milliseconds: far more than any player needs, and an
end to what a script can have logged. What one sitting has used beyond its time, the next begins with."""


def most_reports(opened_ms: int, now_ms: int) -> int:
    """How many beats a sitting opened then may have reported by now."""
    return MOST_AT_ONCE + (now_ms - opened_ms) // FEWEST_MS_APART


def reports_owed(opened_ms: int, reports: int, now_ms: int) -> int:
    """With how many reports a person's next sitting begins: another sitting is no new allowance."""
    return max(0, reports - max(0, now_ms - opened_ms) // FEWEST_MS_APART)


class LeaseAnswer(StrEnum):
    """What a sitting that wants to study is told about the person's one lease."""

    OURS = "ours"
    FREE = "free"
    EXPIRED = "expired"
    """the other sitting has been silent for the plan's lease time"""
    TAKEN = "taken"
    """the person chose "continue here": the other sitting loses it"""
    HELD = "held"
    """another sitting is studying; refused, with "continue here" as the way out"""


@dataclass(frozen=True, slots=True)
class LeaseState:
    """The right of one sitting to earn for a person, kept alive by its beats."""

    sitting: str
    seen_ms: int
    """the server's time of its last sign of life (epoch ms)"""
    lease_ms: int
    """silence after which it may be taken"""

    def expired(self, now_ms: int) -> bool:
        """Whether the sitting has been silent for the whole lease time."""
        return now_ms - self.seen_ms >= self.lease_ms


def may_take(lease: LeaseState | None, sitting: str, now_ms: int, *, continue_here: bool = False) -> LeaseAnswer:
    """Whether the sitting may hold the person's lease at `now_ms`: every answer but HELD says yes."""
    if lease is None:
        return LeaseAnswer.FREE
    if lease.sitting == sitting:
        return LeaseAnswer.OURS
    if lease.expired(now_ms):
        return LeaseAnswer.EXPIRED
    return LeaseAnswer.TAKEN if continue_here else LeaseAnswer.HELD
