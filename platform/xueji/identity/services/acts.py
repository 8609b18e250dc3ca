"""What a person was told was done to her account, and that she has read it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from xueji.identity.models import AccountAct
from xueji.kernel import clock
from xueji.kernel.actor import Actor


def read_acts(session: Session, *, act_ids: Collection[UUID], actor: Actor) -> None:
    """She has read these; those of others stay as they are. What she had before her, not what came since."""
    session.execute(
        update(AccountAct)
        .where(AccountAct.person_id == actor.person_id, AccountAct.id.in_(act_ids), AccountAct.read_at.is_(None))
        .values(read_at=clock.now())
    )
