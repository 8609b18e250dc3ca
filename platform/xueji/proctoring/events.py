"""What checks tell others after the commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class AnswerStored:
    """An attempt's pictures wait for the judge."""

    attempt_id: UUID


@dataclass
class CheckDecided:
    """A check is over. Who knows what that did to her hours adds it to what her page is told."""

    check_id: UUID
    enrolment_id: UUID
    did: dict[str, Any] | None = field(default=None)
