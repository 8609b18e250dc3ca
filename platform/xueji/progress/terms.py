"""A sitting's frozen terms and its state as they are kept in its row. Terms are parsed once a text, not once a beat."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from xueji.progress.rules import SittingState, SittingTerms
from xueji.rulebook.intervals import Interval
from xueji.rulebook.plan import ProctoringPlan

_FIELDS: Final = tuple(field.name for field in fields(SittingState))
"""A sitting has a column of each of these names: its terms and its make-up as text, the others as they are."""
_TERMS, _MAKE_UP = _FIELDS.index("terms"), _FIELDS.index("make_up")
STATE_COLUMNS: Final = tuple(name for name in _FIELDS if name not in ("terms", "make_up"))
_all_of, _as_it_is = attrgetter(*_FIELDS), attrgetter(*STATE_COLUMNS)


def state_of(row: Any) -> SittingState:
    """The sitting's state as `rules.credit` wants it, from whatever has the columns of a `Sitting`."""
    columns = list(_all_of(row))
    columns[_TERMS], columns[_MAKE_UP] = read_terms(columns[_TERMS]), read_intervals(columns[_MAKE_UP])
    return SittingState(*columns)


def state_columns(state: SittingState) -> dict[str, Any]:
    """What a sitting's row says of a state, by column; the terms, which stay, are left out."""
    columns = dict(zip(STATE_COLUMNS, _as_it_is(state), strict=True))
    columns["make_up"] = write_intervals(state.make_up)
    return columns


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
