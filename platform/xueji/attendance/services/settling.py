"""What others say of an attendance: she herself, a second person, the regulator, the paper she signed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from xueji.attendance.access import access_attendance_to_settle, access_my_attendance, access_own_attendance
from xueji.attendance.errors import DenialOver, ForTheRegulator, NothingToSettle, NotOwnEntry
from xueji.attendance.leaves import AttendanceConfirmed, AttendanceDenied, AttendanceSettled, AttendanceSigned
from xueji.attendance.models import Attendance
from xueji.attendance.rules import ATTENDANCE_MOVES, AttendanceState
from xueji.attendance.services.entering import MOST_LETTERS
from xueji.cohorts.errors import ReasonNeeded
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment
from xueji.identity.queries import is_herself
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.rulebook.attendance import denied_in_time
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Doubt, HerWord, ReviewOutcome
from xueji.trace import services as trace
from xueji.trace.leaf import OfStaff, OfTrainee

_STANDING = (AttendanceState.ENTERED, AttendanceState.WAITING, AttendanceState.DENIED)


def confirm_attendance(session: Session, keyring: Keyring, *, actor: Actor, attendance_id: UUID) -> Attendance:
    """The trainee says that she was there; said once more, nothing changes. Raises NotFound, NothingToSettle."""
    attendance = _hers(session, actor, attendance_id)
    if attendance.word is HerWord.CONFIRMED:
        return attendance
    attendance.word, attendance.word_at, attendance.denied = HerWord.CONFIRMED, clock.now(), False
    _record_hers(session, keyring, attendance, AttendanceConfirmed(session=str(attendance.session_id)))
    return attendance


def deny_attendance(session: Session, keyring: Keyring, *, actor: Actor, attendance_id: UUID) -> Attendance:
    """The trainee says that she was not there: nothing of it counts until somebody settles it.

    Raises NotFound, NothingToSettle, DenialOver when the plan's days for it have passed.
    """
    attendance = _hers(session, actor, attendance_id)
    if attendance.word is HerWord.DENIED:
        return attendance
    enrolment = session.get_one(Enrolment, attendance.enrolment_id)
    plan = ProctoringPlan.from_dict(session.get_one(Cohort, enrolment.cohort_id).plan)
    now = clock.now()
    if not denied_in_time(plan, clock.to_ms(attendance.recorded_at), clock.to_ms(now)):
        raise DenialOver
    attendance.word, attendance.word_at, attendance.denied = HerWord.DENIED, now, True
    _record_hers(session, keyring, attendance, AttendanceDenied(session=str(attendance.session_id)))
    return attendance


def sign_attendance(session: Session, keyring: Keyring, *, actor: Actor, attendance_id: UUID) -> Attendance:
    """Staff state that she signed the list on paper, which the institution keeps; for people without a telephone.

    It takes back nothing that she said herself. Raises NotFound, NothingToSettle.
    """
    attendance, _class_session = access_own_attendance(session, actor, attendance_id)
    if attendance.state not in _STANDING or attendance.word is not HerWord.SILENT:
        raise NothingToSettle
    attendance.word, attendance.word_at = HerWord.SIGNED, clock.now()
    _record(session, keyring, actor, attendance, AttendanceSigned(session=str(attendance.session_id)))
    return attendance


def settle_attendance(
    session: Session, keyring: Keyring, *, actor: Actor, attendance_id: UUID, outcome: ReviewOutcome, reason: str
) -> Attendance:
    """A second person of the institution, or the regulator, decides with a reason whether an attendance stands.

    Only the regulator may let one stand while she was recorded elsewhere.
    Raises NotFound, NothingToSettle, NotOwnEntry, ForTheRegulator, ReasonNeeded.
    """
    attendance = access_attendance_to_settle(session, actor, attendance_id)
    enrolment = session.get_one(Enrolment, attendance.enrolment_id)
    if AttendanceState.ENTERED not in ATTENDANCE_MOVES[attendance.state]:
        raise NothingToSettle
    if actor.person_id == attendance.recorded_by or is_herself(session, actor.person_id, enrolment.person_id):
        raise NotOwnEntry
    if not reason.strip():
        raise ReasonNeeded
    now, regulator = clock.now(), actor.is_(Role.REGULATOR)
    if outcome is ReviewOutcome.REJECT:
        attendance.revoked_at, attendance.revoked_by = now, actor.person_id
        attendance.revoked_reason = reason.strip()[:MOST_LETTERS]
    else:
        left = [] if regulator else [each for each in attendance.waits if each == Doubt.OVERLAP]
        if left == attendance.waits and left and not attendance.denied:
            raise ForTheRegulator
        attendance.waits, attendance.denied = left, False
    attendance.settled_at, attendance.settled_by = now, actor.person_id
    attendance.settled_reason = reason.strip()[:MOST_LETTERS]
    chain, person = enrolment.chain, str(enrolment.person_id)
    settled = AttendanceSettled(
        session=str(attendance.session_id),
        outcome=outcome.value,
        role="regulator" if regulator else "institution",
        reason=trace.commit(session, attendance.settled_reason, chain=chain, field="reason", person=person),
    )
    _record(session, keyring, actor, attendance, settled)
    return attendance


def _hers(session: Session, actor: Actor, attendance_id: UUID) -> Attendance:
    attendance = access_my_attendance(session, actor, attendance_id)
    if attendance.state not in _STANDING:
        raise NothingToSettle
    return attendance


def _record(session: Session, keyring: Keyring, actor: Actor, attendance: Attendance, leaf: OfStaff) -> None:
    session.flush()
    enrolment = session.get_one(Enrolment, attendance.enrolment_id)
    record_in_enrolment(session, keyring, leaf, actor=actor, enrolment_id=enrolment.id, person_id=enrolment.person_id)


def _record_hers(session: Session, keyring: Keyring, attendance: Attendance, leaf: OfTrainee) -> None:
    session.flush()
    enrolment = session.get_one(Enrolment, attendance.enrolment_id)
    who = keyring.pseudonym(enrolment.person_id, enrolment.id)
    trace.record(session, leaf, chain=enrolment.chain, who=who)
