"""Whether a division code lies in a regulator's, as a condition: `rules.in_jurisdiction` for a whole column."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import InstrumentedAttribute


def within(region: str | None, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition that a column's division code lies in a regulator's; nobody's is nothing."""
    if region is None or len(region) != 6:
        return false()
    if region[2:] == "0000":
        return column.startswith(region[:2])
    if region[4:] == "00":
        return column.startswith(region[:4])
    return column == region
