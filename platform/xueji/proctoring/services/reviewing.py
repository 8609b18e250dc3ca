"""People look: the trainee contests a check, and who may decide it, decides in writing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.enrolment.queries import enrolment_facts
from xueji.identity import queries as identity
from xueji.identity import vault
from xueji.identity.errors import AnotherPersonNeeded
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.proctoring import rules
from xueji.proctoring.access import access_check_to_review, access_own_check
from xueji.proctoring.errors import (
    AlreadyContested,
    AlreadySaid,
    NothingToContest,
    NotToReview,
    TooLateToContest,
    TooLateToReview,
)
from xueji.proctoring.leaves import (
    CheckContested,
    CheckReopened,
    CheckReviewed,
    CheckStruck,
    ReviewProposed,
    ReviewWord,
)
from xueji.proctoring.models import Appeal, Check, Review
from xueji.proctoring.review_cases import case_of, has_picture, keep
from xueji.proctoring.rules import CheckState
from xueji.rulebook import reviewing
from xueji.rulebook.reviewing import Case, Decision, Office, Word
from xueji.rulebook.shanghai import DAY_MS
from xueji.rulebook.vocabulary import ReviewOutcome
from xueji.trace import services as trace


def contest(session: Session, keyring: Keyring, *, actor: Actor, check_id: UUID, reason: str) -> Appeal:
    """She contests what stands against her, in her own words. Raises NotFound, NothingToContest, AlreadyContested.

    What was decided without hearing her she may contest, too; what answered her appeal, only once it has changed.
    """
    check = access_own_check(session, actor, check_id, lock=True)
    case = case_of(check)
    refusal = rules.contest_refusal(check.state, check.outcome, case)
    if refusal is not None:
        raise {rules.NotContested.NOTHING: NothingToContest, rules.NotContested.ALREADY: AlreadyContested}[refusal]
    _in_time(session, check, clock.to_ms(clock.now()), contested=True)
    now = clock.now()
    key = vault.person_key(session, keyring, check.person_id)
    appeal = Appeal(
        check_id=check.id,
        reason_cipher=vault.seal(key, check.person_id, _place(check, "reason"), reason.encode()),
        raised_ms=clock.to_ms(now),
        decide_by_ms=clock.to_ms(now + timedelta(days=rules.DECIDE_DAYS)),
    )
    check.appeals.append(appeal)
    keep(check, reviewing.appeal(case))
    check.state = rules.move(CheckState(check.state), CheckState.CONTESTED)
    chain = str(check.enrolment_id)
    committed = trace.commit(session, reason, chain=chain, field="appeal", person=str(check.person_id))
    who = keyring.pseudonym(check.person_id, check.enrolment_id)
    trace.record(session, CheckContested(check=str(check.id), reason=committed), chain=chain, who=who)
    return appeal


def review(
    session: Session, keyring: Keyring, *, actor: Actor, check_id: UUID, outcome: ReviewOutcome, reason: str
) -> Check:
    """Say what a decided check is worth; when that decides it, `rulebook.reviewing` says.

    For the institution and the regulators above it, of any check that has an outcome, a match included. Raises
    NotFound, NotToReview, AnotherPersonNeeded, AlreadySaid.
    """
    check = access_check_to_review(session, actor, check_id)
    before = case_of(check)
    office = Office.REGULATOR if actor.is_(Role.REGULATOR) else Office.INSTITUTION
    word = Word(str(actor.person_id), office, outcome)
    if not rules.may_be_reviewed(check.state, check.kind, check.outcome, before, outcome):
        raise NotToReview
    _in_time(session, check, clock.to_ms(clock.now()), contested=False)
    if not reviewing.may_speak(before, word.by):
        raise AnotherPersonNeeded
    if reviewing.says_nothing_new(before, word):
        raise AlreadySaid
    after = reviewing.speak(before, word, picture=has_picture(check))
    now_ms = clock.to_ms(clock.now())
    key = vault.person_key(session, keyring, check.person_id)
    sealed = vault.seal(key, check.person_id, _place(check, "answer"), reason.encode())
    leaf, led_to = _led_to(before, after)
    said = Review(
        check_id=check.id,
        by=actor.person_id,
        organisation_id=actor.organisation_id,
        office=office,
        outcome=outcome,
        reason_cipher=sealed,
        said_ms=now_ms,
        looked_ms=_looked_ms(session, actor, check),
        asked_ms=_asked_ms(check, now_ms),
        led_to=led_to,
    )
    check.reviews.append(said)
    keep(check, after)
    if before.appealed and not after.appealed:
        appeal = check.appeals[-1]
        appeal.decided_ms, appeal.decided_by, appeal.decision = now_ms, actor.person_id, outcome
        appeal.answer_cipher = sealed
    _move(check, after)
    chain = str(check.enrolment_id)
    committed = trace.commit(session, reason, chain=chain, field="review", person=str(check.person_id))
    who = keyring.pseudonym(actor.person_id, check.enrolment_id)
    recorded = leaf(check=str(check.id), outcome=outcome.value, reason=committed, by=who, office=office.value)
    record_in_enrolment(
        session, keyring, recorded, actor=actor, enrolment_id=check.enrolment_id, person_id=check.person_id
    )
    return check


def _led_to(before: Case, after: Case) -> tuple[type[ReviewWord], str | None]:
    """The leaf of a word, and what it led to."""
    decided = not after.pending or after.decision is not before.decision
    if not decided:
        return ReviewProposed, None
    if after.decision is None:
        return CheckReopened, "open"
    return CheckStruck if after.decision is Decision.STRUCK else CheckReviewed, after.decision.value


def _move(check: Check, after: Case) -> None:
    state = CheckState(check.state)
    wanted = CheckState.CONTESTED if after.appealed else CheckState.REVIEWED if after.decision else CheckState.DECIDED
    if wanted is not state:
        check.state = rules.move(state, wanted)


def _looked_ms(session: Session, actor: Actor, check: Check) -> int | None:
    pictures = [str(picture.id) for attempt in check.attempts for picture in attempt.pictures]
    first = identity.first_look(session, actor.person_id, pictures)
    return None if first is None else clock.to_ms(first)


def _asked_ms(check: Check, now_ms: int) -> int:
    open_appeal = next((appeal for appeal in check.appeals if appeal.decided_ms is None), None)
    return open_appeal.raised_ms if open_appeal is not None else check.decided_ms or now_ms


def appeal_words(session: Session, keyring: Keyring, check: Check, appeal: Appeal) -> tuple[str, str]:
    """Her reason and the answer to it, in the clear. Raises Erased."""
    key = vault.person_key(session, keyring, check.person_id)
    reason = vault.unseal(key, check.person_id, _place(check, "reason"), appeal.reason_cipher).decode()
    sealed = appeal.answer_cipher
    answer = vault.unseal(key, check.person_id, _place(check, "answer"), sealed).decode() if sealed else ""
    return reason, answer


def review_words(session: Session, keyring: Keyring, check: Check) -> dict[UUID, str]:
    """What each person gave as a reason, by review. Raises Erased."""
    key = vault.person_key(session, keyring, check.person_id)
    place = _place(check, "answer")
    return {said.id: vault.unseal(key, check.person_id, place, said.reason_cipher).decode() for said in check.reviews}


def _place(check: Check, what: str) -> str:
    return words_place(check.id, what)


def words_place(check_id: UUID, what: str) -> str:
    """The place in her file that words about a check are sealed for: her ``reason``, or staff's ``answer``."""
    return f"appeal/{check_id}/{what}"


def _decided_ms(check: Check, now_ms: int) -> int:
    """When what stands about it was decided."""
    by_people = [said.said_ms for said in check.reviews if said.led_to is not None]
    return max([check.decided_ms or now_ms, *by_people])


def _in_time(session: Session, check: Check, now_ms: int, *, contested: bool) -> None:
    """Contesting has the plan's days from what was decided last, deciding until as many days after the settlement.

    The account counts no later decision. Raises TooLateToContest, TooLateToReview.
    """
    facts = enrolment_facts(session, check.enrolment_id)
    if facts is None:
        raise NotFound
    ends_ms = facts.cohort.reviews_end_ms
    if contested:
        ends_ms = min(ends_ms, _decided_ms(check, now_ms) + facts.cohort.plan.appeal_days * DAY_MS)
    if now_ms >= ends_ms:
        last = clock.rfc3339(clock.from_ms(ends_ms))
        raise TooLateToContest(until=last) if contested else TooLateToReview(until=last)
