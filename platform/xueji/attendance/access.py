"""The only way to get a class session or an attendance for somebody: hers to see or to change, or not found."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from xueji.attendance.models import Attendance, ClassSession
from xueji.cohorts.access import access_own_cohort, sees_whole_cohort
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment
from xueji.identity.queries import is_herself
from xueji.kernel.actor import Actor
from xueji.kernel.errors import NotFound


def access_own_class_session(
    session: Session, actor: Actor, session_id: UUID, *, lock: bool = False
) -> tuple[ClassSession, Cohort]:
    """A class session of the institution's own cohort; see `access_own_cohort`. Raises NotFound."""
    class_session = session.get(ClassSession, session_id)
    if class_session is None:
        raise NotFound
    return class_session, access_own_cohort(session, actor, class_session.cohort_id, lock=lock)


def access_own_attendance(session: Session, actor: Actor, attendance_id: UUID) -> tuple[Attendance, ClassSession]:
    """To revoke: an attendance entered in the institution's own cohort. Raises NotFound."""
    attendance = session.get(Attendance, attendance_id, with_for_update=True)
    if attendance is None:
        raise NotFound
    return attendance, access_own_class_session(session, actor, attendance.session_id, lock=True)[0]


def access_my_attendance(session: Session, actor: Actor, attendance_id: UUID) -> Attendance:
    """To confirm or deny: one's own. Raises NotFound."""
    attendance = session.get(Attendance, attendance_id, with_for_update=True)
    if attendance is None:
        raise NotFound
    if not is_herself(session, session.get_one(Enrolment, attendance.enrolment_id).person_id, actor.person_id):
        raise NotFound
    return attendance


def access_attendance_to_settle(session: Session, actor: Actor, attendance_id: UUID) -> Attendance:
    """To settle: in one of the institution's own cohorts, or in the regulator's jurisdiction. Raises NotFound."""
    attendance = session.get(Attendance, attendance_id, with_for_update=True)
    if attendance is not None:
        enrolment = session.get_one(Enrolment, attendance.enrolment_id)
        if sees_whole_cohort(actor, session.get_one(Cohort, enrolment.cohort_id)):
            return attendance
    raise NotFound
