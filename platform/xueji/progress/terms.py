"""A sitting's frozen terms as they are kept in its row. Parsed once per text, not once per beat."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from xueji.progress.rules import SittingTerms
from xueji.rulebook.intervals import Interval
from xueji.rulebook.plan import ProctoringPlan


def write_terms(terms: SittingTerms) -> str:
    return json.dumps(
        {
            "duration_ms": terms.duration_ms,
            "plan": terms.plan.to_dict(),
            "schedule": list(terms.schedule),
            "opens_ms": terms.opens_ms,
            "closes_ms": terms.closes_ms,
            "part": terms.part,
            "only_make_up": terms.only_make_up,
            "film": terms.film,
        },
        separators=(",", ":"),
    )


@lru_cache(maxsize=16_384)
def read_terms(text: str) -> SittingTerms:
    values: dict[str, Any] = json.loads(text)
    return SittingTerms(
        duration_ms=values["duration_ms"],
        plan=ProctoringPlan.from_dict(values["plan"]),
        schedule=tuple(values["schedule"]),
        opens_ms=values["opens_ms"],
        closes_ms=values["closes_ms"],
        part=values["part"],
        only_make_up=values.get("only_make_up", False),
        film=values.get("film", ""),
    )


def write_intervals(intervals: tuple[Interval, ...] | list[Interval]) -> str:
    return json.dumps(intervals, separators=(",", ":")) if intervals else "[]"


def read_intervals(text: str) -> tuple[Interval, ...]:
    return () if text == "[]" else tuple((first, last) for first, last in json.loads(text))
