"""What the log asks of those above it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from xueji.kernel.actor import Actor


@dataclass
class LeavesAsked:
    """A regulator wants to read leaves. Whoever knows that a chain is hers to see says so here."""

    session: Session
    actor: Actor
    chains: Collection[str]
    allowed: set[str] = field(default_factory=set)
