"""A check-in that was false is struck, and one that was struck wrongly is restored: recorded, with a reason."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from xueji.cohorts.errors import ReasonNeeded
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.occasions.hosts import end_vouching
from xueji.proctoring.access import access_check_in_to_strike
from xueji.proctoring.errors import CheckInStruck, NotStruck, StrikeOver, StruckByYou
from xueji.proctoring.leaves import CheckInRestored, CheckInRevoked, CheckInWord
from xueji.proctoring.models import CheckIn
from xueji.trace import services as trace

MOST_LETTERS = 500


def revoke_check_in(session: Session, keyring: Keyring, *, actor: Actor, check_in_id: UUID, reason: str) -> CheckIn:
    """Strike a false check-in: nothing that it vouched for is confirmed by it any more.

    By the institution until the cohort is settled, by the regulator at any time. Raises NotFound, CheckInStruck,
    StrikeOver, ReasonNeeded.
    """
    here = _to_judge(session, actor, check_in_id, reason)
    if here.revoked_ms is not None:
        raise CheckInStruck
    now_ms = clock.to_ms(clock.now())
    here.revoked_ms, here.revoked_by = now_ms, actor.person_id
    if here.closed_ms is None:
        here.closed_ms, here.until_ms = now_ms, min(here.until_ms, now_ms)
    end_vouching(session, here.enrolment_id, now_ms)
    _record(session, keyring, actor, here, CheckInRevoked, reason)
    return here


def restore_check_in(session: Session, keyring: Keyring, *, actor: Actor, check_in_id: UUID, reason: str) -> CheckIn:
    """Undo a strike that was a mistake: by somebody else than whoever struck it or whoever had checked her in.

    Raises NotFound, NotStruck, StruckByYou, StrikeOver, ReasonNeeded.
    """
    here = _to_judge(session, actor, check_in_id, reason)
    if here.revoked_ms is None:
        raise NotStruck
    if actor.person_id in (here.revoked_by, here.supervisor_id):
        raise StruckByYou
    here.revoked_ms = here.revoked_by = None
    _record(session, keyring, actor, here, CheckInRestored, reason)
    return here


def _to_judge(session: Session, actor: Actor, check_in_id: UUID, reason: str) -> CheckIn:
    here = access_check_in_to_strike(session, actor, check_in_id)
    cohort_id = session.get_one(Enrolment, here.enrolment_id).cohort_id
    if not actor.is_(Role.REGULATOR) and clock.now() >= session.get_one(Cohort, cohort_id).settles_at:
        raise StrikeOver
    if not reason.strip():
        raise ReasonNeeded
    return here


def _record(
    session: Session, keyring: Keyring, actor: Actor, here: CheckIn, leaf: type[CheckInWord], reason: str
) -> None:
    session.flush()
    chain, words = str(here.enrolment_id), reason.strip()[:MOST_LETTERS]
    word = leaf(
        checkin=str(here.id),
        role="regulator" if actor.is_(Role.REGULATOR) else "institution",
        reason=trace.commit(session, words, chain=chain, field="reason", person=str(here.person_id)),
    )
    record_in_enrolment(session, keyring, word, actor=actor, enrolment_id=here.enrolment_id, person_id=here.person_id)
