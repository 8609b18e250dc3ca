"""One line of the table that a subject of the bench prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, the value with its unit, and the limit it has to keep (None: for comparison)."""

    name: str
    value: float
    unit: str
    limit: str | None = None
    reached: bool | None = None
