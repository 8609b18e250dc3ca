"""Putting a name or an identity number right: asked for by one, decided by another, said in every chain of hers.

What was recorded stays as it was. The chains say whom they are about anew, so that papers made from now on bear the
right name, and those made before bear what was true in the books then.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity import rules, spelling, vault
from xueji.identity.access import access_person
from xueji.identity.errors import CorrectionOver, NumberHeld
from xueji.identity.events import PersonCorrected
from xueji.identity.leaves import CorrectionAsked, CorrectionRefused, PersonDataCorrected
from xueji.identity.models import Person, PersonCorrection
from xueji.identity.numbers import identity_number
from xueji.identity.queries.corrections import may_decide_correction, slip_of
from xueji.identity.queries.people import person_by_number
from xueji.identity.queries.resets import account_to_reset
from xueji.identity.rules import CORRECTION_LASTS
from xueji.identity.services.recording import record_power
from xueji.identity.services.second_person import decide, reason_in_words
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, Invalid, NotFound
from xueji.kernel.events import Events
from xueji.trace.rules import PLATFORM
from xueji.trace.services import commit


def ask_correction(
    session: Session, keyring: Keyring, *, person_id: UUID, name: str, id_number: str, reason: str, actor: Actor
) -> PersonCorrection:
    """Ask that a name, a number or both be put right; what is left empty stays. An earlier request is over with this.

    Raises NotFound, Forbidden, Invalid.
    """
    access_person(session, actor, person_id)
    if not rules.may_ask_correction(account_to_reset(session, person_id), actor):
        raise Forbidden
    words = reason_in_words(reason)
    key, was = vault.person_key(session, keyring, person_id), vault.named(session, keyring, person_id)
    new_name = spelling.person_name(name) or was.name
    new_number = identity_number(id_number, clock.shanghai_day(clock.now())) if id_number.strip() else was.number
    if not rules.is_person_name(new_name):
        raise Invalid(_("姓名须为2至40个字，不含数字和符号，也不是单位名称。"))
    if (new_name, new_number) == was:
        raise Invalid(_("与现在登记的相同，没有要更正的内容。"))
    earlier = select(PersonCorrection).where(
        PersonCorrection.person_id == person_id, PersonCorrection.decided_at.is_(None)
    )
    for each in session.scalars(earlier.with_for_update()):
        decide(each, actor, confirmed=False)
    made_id = uuid4()

    def sealed(part: str, value: str) -> bytes:
        return vault.seal(key, person_id, vault.correction_field(made_id, part), value.encode())

    made = PersonCorrection(
        id=made_id,
        person_id=person_id,
        asked_by=actor.person_id,
        asked_at=clock.now(),
        old_name_cipher=sealed("old_name", was.name),
        old_number_cipher=sealed("old_number", was.number),
        name_cipher=sealed("name", new_name),
        number_cipher=sealed("number", new_number),
        reason_cipher=sealed("reason", words),
        # A number that is held by somebody else is for those who may know that, like a change to another person.
        slip=rules.is_slip(was, (new_name, new_number))
        and person_by_number(session, keyring, new_number) in (None, person_id),
    )
    session.add(made)
    session.flush()
    commitment = commit(session, words, chain=PLATFORM, field="reason", person=str(person_id))
    asked = CorrectionAsked(correction=str(made.id), slip=made.slip, reason=commitment)
    record_power(session, keyring, asked, actor=actor.person_id, subject=person_id)
    return made


def confirm_correction(
    session: Session, keyring: Keyring, events: Events, *, correction_id: UUID, actor: Actor
) -> PersonCorrection:
    """The second person agrees. Raises NotFound (not hers to decide), CorrectionOver, NumberHeld."""
    correction = _waiting(session, correction_id, actor)
    person = session.get_one(Person, correction.person_id, with_for_update=True, populate_existing=True)
    key = vault.person_key(session, keyring, person.id)
    read = slip_of(key, correction)
    was = vault.named(session, keyring, person.id)
    if was != (read.old_name, read.old_number):
        raise CorrectionOver
    if read.number != was.number and person_by_number(session, keyring, read.number) not in (None, person.id):
        raise NumberHeld
    decide(correction, actor, confirmed=True)
    person.name_cipher = vault.seal(key, person.id, vault.NAME, read.name.encode())
    person.name_masked, person.name_hash = rules.masked_name(read.name), keyring.keyed_hash("name", read.name)
    if read.number != was.number:
        person.id_number_cipher = vault.seal(key, person.id, vault.ID_NUMBER, read.number.encode())
        person.id_number_masked = rules.masked_number(read.number)
        person.id_number_hash = keyring.keyed_hash("id_number", read.number)
    session.flush()
    events.publish(PersonCorrected(session, correction.id, person.id, correction.asked_by, actor.person_id))
    corrected = PersonDataCorrected(correction=str(correction.id))
    record_power(session, keyring, corrected, actor=actor.person_id, subject=person.id)
    return correction


def refuse_correction(session: Session, keyring: Keyring, *, correction_id: UUID, actor: Actor) -> PersonCorrection:
    """Whoever might confirm it, who asked for it, and whom it is about may say no. Raises NotFound, CorrectionOver."""
    correction = session.get(PersonCorrection, correction_id, with_for_update=True)
    if correction is None or not (
        actor.person_id in (correction.asked_by, correction.person_id)
        or may_decide_correction(session, correction, actor)
    ):
        raise NotFound
    _refuse_over(correction)
    decide(correction, actor, confirmed=False)
    subject = correction.person_id
    record_power(
        session, keyring, CorrectionRefused(correction=str(correction.id)), actor=actor.person_id, subject=subject
    )
    return correction


def _waiting(session: Session, correction_id: UUID, actor: Actor) -> PersonCorrection:
    correction = session.get(PersonCorrection, correction_id, with_for_update=True)
    if correction is None or not may_decide_correction(session, correction, actor):
        raise NotFound
    _refuse_over(correction)
    return correction


def _refuse_over(correction: PersonCorrection) -> None:
    if correction.decided_at is not None or clock.now() >= correction.asked_at + CORRECTION_LASTS:
        raise CorrectionOver
