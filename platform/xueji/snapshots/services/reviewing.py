"""A person looks: the trainee contests a check, the institution decides in writing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.enrolment.queries import enrolment_facts
from xueji.identity import vault
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.rulebook.shanghai import DAY_MS
from xueji.rulebook.vocabulary import ReviewOutcome
from xueji.snapshots import rules
from xueji.snapshots.access import access_check_to_review, access_own_check
from xueji.snapshots.errors import AlreadyContested, NothingToContest, NotToReview, TooLateToContest, TooLateToReview
from xueji.snapshots.models import Appeal, Check
from xueji.snapshots.rules import CheckState
from xueji.trace import services as trace
from xueji.trace.rules import Event

DECIDE_WITHIN = timedelta(days=5)
"""The clock of an appeal: shown to her and to the institution."""


def contest(session: Session, keyring: Keyring, *, actor: Actor, check_id: UUID, reason: str) -> Appeal:
    """She contests what a check decided, in her own words. Raises NotFound, NothingToContest, AlreadyContested."""
    check = access_own_check(session, actor, check_id, lock=True)
    if check.appeals:
        raise AlreadyContested
    if check.state != CheckState.DECIDED or check.outcome in rules.BLAMES_NOBODY:
        raise NothingToContest
    _in_time(session, check, clock.to_ms(clock.now()), contested=True)
    now = clock.now()
    key = vault.person_key(session, keyring, check.person_id)
    appeal = Appeal(
        check_id=check.id,
        reason_cipher=vault.seal(key, check.person_id, _place(check, "reason"), reason.encode()),
        raised_ms=clock.to_ms(now),
        decide_by_ms=clock.to_ms(now + DECIDE_WITHIN),
    )
    check.appeals.append(appeal)
    check.state = rules.move(CheckState.DECIDED, CheckState.CONTESTED)
    chain = str(check.enrolment_id)
    committed = trace.commit(session, reason, chain=chain, field="appeal", person=str(check.person_id))
    who = keyring.pseudonym(actor.person_id, check.enrolment_id)
    trace.record(
        session,
        event=Event.CHECK_APPEAL,
        chain=chain,
        who=who,
        values={"check": str(check.id), "reason": committed},
    )
    return appeal


def review(
    session: Session, keyring: Keyring, *, actor: Actor, check_id: UUID, outcome: ReviewOutcome, reason: str
) -> Check:
    """The institution decides a check that did not match, contested or not. Raises NotFound, NotToReview."""
    check = access_check_to_review(session, actor, check_id)
    if check.state not in (CheckState.DECIDED, CheckState.CONTESTED) or check.outcome in rules.BLAMES_NOBODY:
        raise NotToReview
    _in_time(session, check, clock.to_ms(clock.now()), contested=False)
    check.state = rules.move(CheckState(check.state), CheckState.REVIEWED)
    now_ms = clock.to_ms(clock.now())
    key = vault.person_key(session, keyring, check.person_id)
    appeal = check.appeals[-1] if check.appeals else None
    if appeal is None:
        appeal = Appeal(
            check_id=check.id,
            reason_cipher=vault.seal(key, check.person_id, _place(check, "reason"), b""),
            raised_ms=now_ms,
            decide_by_ms=now_ms,
        )
        check.appeals.append(appeal)
    appeal.decided_ms, appeal.decided_by, appeal.decision = now_ms, actor.person_id, outcome
    appeal.answer_cipher = vault.seal(key, check.person_id, _place(check, "answer"), reason.encode())
    chain = str(check.enrolment_id)
    committed = trace.commit(session, reason, chain=chain, field="review", person=str(check.person_id))
    who = keyring.pseudonym(actor.person_id, check.enrolment_id)
    values = {"check": str(check.id), "outcome": outcome.value, "reason": committed, "by": who}
    record_in_enrolment(
        session,
        keyring,
        actor=actor,
        event=Event.CHECK_REVIEW,
        enrolment_id=check.enrolment_id,
        person_id=check.person_id,
        values=values,
    )
    return check


def appeal_words(session: Session, keyring: Keyring, check: Check, appeal: Appeal) -> tuple[str, str]:
    """Her reason and the answer to it, in the clear. Raises Erased."""
    key = vault.person_key(session, keyring, check.person_id)
    reason = vault.unseal(key, check.person_id, _place(check, "reason"), appeal.reason_cipher).decode()
    sealed = appeal.answer_cipher
    answer = vault.unseal(key, check.person_id, _place(check, "answer"), sealed).decode() if sealed else ""
    return reason, answer


def _place(check: Check, what: str) -> str:
    return f"appeal/{check.id}/{what}"


def _in_time(session: Session, check: Check, now_ms: int, *, contested: bool) -> None:
    """Contesting has the plan's days from the outcome on, deciding until as many days after the settlement.

    The account counts no later decision. Raises TooLateToContest, TooLateToReview.
    """
    facts = enrolment_facts(session, check.enrolment_id)
    if facts is None:
        raise NotFound
    ends_ms = facts.cohort.reviews_end_ms
    if contested:
        ends_ms = min(ends_ms, (check.decided_ms or now_ms) + facts.cohort.plan.appeal_days * DAY_MS)
    if now_ms >= ends_ms:
        last = clock.rfc3339(clock.from_ms(ends_ms))
        raise TooLateToContest(until=last) if contested else TooLateToReview(until=last)
