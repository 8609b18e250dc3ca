"""What a bundle says about the photos that its verdicts were made against."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from xueji.evidence.claims.content import references
from xueji.evidence.claims.reading import Refuted, Unanswered

ONE, TWO = "1" * 64, "2" * 64
STAND = ("reference.stand", {"references": [{"reference": ONE, "model": "m", "confirmed": True}]})
ENROL = ("reference.enrol", {"reference": TWO, "model": "m"})


def said(*events: tuple[str, dict[str, Any]]) -> str:
    leaves = [
        SimpleNamespace(said={"n": n, "event": event, "values": values}) for n, (event, values) in enumerate(events)
    ]
    return references(SimpleNamespace(known_leaves=leaves))  # type: ignore[arg-type]


def verdict(*names: str, outcome: str = "match") -> tuple[str, dict[str, Any]]:
    return "check.verdict", {"check": "c", "outcome": outcome, "references": list(names)}


def test_the_photos_are_named_with_what_staff_said_of_them() -> None:
    told = said(STAND, ENROL, verdict(ONE), verdict(ONE, TWO, outcome="mismatch"))
    assert told.startswith("2 verdicts on faces, against 11111111… (confirmed 已核对) in 2")
    assert "22222222… (unconfirmed 未核对) in 1; 0 name none" in told
    assert "not hers" in said(STAND, verdict(ONE), ("reference.refuse", {"reference": ONE}))
    assert "22222222… (confirmed" in said(ENROL, ("reference.confirm", {"reference": TWO}), verdict(TWO))


def test_a_verdict_against_a_photo_nobody_knew_by_then_falls() -> None:
    with pytest.raises(Refuted, match="leaf 0"):
        said(verdict(ONE), STAND)


def test_where_no_verdict_names_one_nothing_is_claimed() -> None:
    with pytest.raises(Unanswered):
        said(STAND, ("check.verdict", {"check": "c", "outcome": "match"}), verdict(outcome="missed"))
    assert "1 name none" in said(STAND, verdict(ONE), ("check.verdict", {"check": "c", "outcome": "match"}))
