"""What one check did to her hours: the account just before its verdict, held against the account just after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xueji.hours.rules import Statement, assess, evidence
from xueji.rulebook import rules as rulebook
from xueji.trace.rules import Event


@dataclass(frozen=True, slots=True)
class CheckEffect:
    """Amounts in ms of online study, over all her lessons."""

    check_id: str
    confirmed_ms: int
    """counts since this check, and did not before"""
    over_cap_ms: int
    """good since this check, and beyond the limit on online hours"""
    held_ms: int
    """does not count because of this check"""
    make_up_ms: int
    """is to be watched again, once this check is decided, whichever check it was that held it"""
    awaited_ms: int
    """waits for staff to confirm her reference photo"""
    provisional_ms: int
    """waits for the next check"""

    def as_values(self) -> dict[str, Any]:
        return asdict(self)


def check_effect(leaves: Iterable[Mapping[str, Any]], check_id: str, as_of_ms: int) -> CheckEffect | None:
    """From an enrolment's chain; None while the check has no verdict. Raises MalformedTrace, NoSuchRulebook."""
    chain = sorted(leaves, key=lambda leaf: int(leaf["n"]))
    decided = [n for n, leaf in enumerate(chain) if _decides(leaf, check_id)]
    if not decided:
        return None
    before, after = (_stated(chain[: decided[-1] + more], as_of_ms) for more in (0, 1))
    return CheckEffect(
        check_id=check_id,
        confirmed_ms=max(0, after.online.counted_ms - before.online.counted_ms),
        over_cap_ms=max(0, after.cap.over_ms - before.cap.over_ms),
        held_ms=max(0, _to_be_settled(after) - _to_be_settled(before)),
        make_up_ms=sum(last - first for line in after.lessons for first, last in line.make_up),
        awaited_ms=after.online.awaited_ms,
        provisional_ms=after.online.provisional_ms,
    )


def _decides(leaf: Mapping[str, Any], check_id: str) -> bool:
    values = leaf["values"]
    return leaf["event"] == Event.CHECK_VERDICT and values.get("check") == check_id and values.get("final") is True


def _stated(leaves: Sequence[Mapping[str, Any]], as_of_ms: int) -> Statement:
    found = evidence(leaves)
    return assess(rulebook.load(found.enrolment.rulebook), found, as_of_ms)


def _to_be_settled(statement: Statement) -> int:
    return statement.online.held_ms - statement.online.awaited_ms
