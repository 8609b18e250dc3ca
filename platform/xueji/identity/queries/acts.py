"""What was done to somebody's account, and what she has not read of it yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity.models import AccountAct, Person

MOST_SHOWN = 20


@dataclass(frozen=True)
class Act:
    """Something that was done to an account, as its owner is shown it."""

    act_id: UUID
    event: str
    happened_at: datetime
    actor_masked: str | None
    """None for the installation itself."""
    own: bool
    place: int
    """The number of its leaf in the platform's chain."""
    unread: bool


def acts(session: Session, person_id: UUID) -> list[Act]:
    """The latest first."""
    return _acts(session, AccountAct.person_id == person_id)


def unread_acts(session: Session, person_id: UUID) -> list[Act]:
    """What is shown to her on every page until she has read it; the latest first."""
    return _acts(session, AccountAct.person_id == person_id, AccountAct.told, AccountAct.read_at.is_(None))


def _acts(session: Session, *conditions: object) -> list[Act]:
    rows = session.execute(
        select(AccountAct, Person.name_masked)
        .outerjoin(Person, Person.id == AccountAct.actor_id)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(AccountAct.happened_at.desc(), AccountAct.place.desc())
        .limit(MOST_SHOWN)
    )
    return [
        Act(
            act.id,
            act.event,
            act.happened_at,
            masked,
            act.actor_id == act.person_id,
            act.place,
            act.told and act.read_at is None,
        )
        for act, masked in rows
    ]
