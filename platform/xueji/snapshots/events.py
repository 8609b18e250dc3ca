"""What checks tell others after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class AnswerStored:
    """An attempt's pictures wait for the judge."""

    attempt_id: UUID
