"""Whether a division code lies in a regulator's, as a condition: `rules.in_jurisdiction` for a whole column."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import InstrumentedAttribute

from xueji.rulebook.divisions import beginning


def within(region: str | None, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition that a column's division code lies in a regulator's; nobody's is nothing."""
    begins = beginning(region or "")
    return false() if begins is None else column.startswith(begins, autoescape=True)
