"""The only way to a sitting: the trainee's own to study in; others see it through its enrolment."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from xueji.enrolment.access import access_enrolment
from xueji.identity.queries import is_herself
from xueji.kernel.actor import Actor
from xueji.kernel.errors import NotFound
from xueji.progress.models import Sitting


def access_sitting(session: Session, actor: Actor, sitting_id: UUID, *, lock: bool = False) -> Sitting:
    """To study in: one's own. Raises NotFound."""
    sitting = session.get(Sitting, sitting_id, with_for_update=lock)
    if sitting is None or not is_herself(session, sitting.person_id, actor.person_id):
        raise NotFound
    return sitting


def access_sitting_to_read(session: Session, actor: Actor, sitting_id: UUID) -> Sitting:
    """To replay: for whoever may see its enrolment. Raises NotFound."""
    sitting = session.get(Sitting, sitting_id)
    if sitting is None:
        raise NotFound
    access_enrolment(session, actor, sitting.enrolment_id)
    return sitting
