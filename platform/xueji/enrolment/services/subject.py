"""Whom and what an enrolment is about, bound to its chain: name, identity number, institution, cohort, lessons.

The leaf commits to them; without that a chain would say how long somebody studied, and anybody could be put to it.
"""

from __future__ import annotations

import json
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.enrolment.leaves import About
from xueji.enrolment.queries import EnrolmentFacts
from xueji.identity import rules as identity_rules
from xueji.identity import vault
from xueji.identity.models import Organisation, Person
from xueji.kernel.crypto import Keyring
from xueji.trace import services as trace

NUMBER_END = 4
"""How many of an identity number's last digits are told to those who may not read it."""


def subject_of(session: Session, keyring: Keyring, facts: EnrolmentFacts) -> dict[str, str]:
    """Every field of the subject as the database has it now. Raises NotFound, Erased."""
    name, number = _person(session, keyring, facts.person_id)
    institution = session.get_one(Organisation, facts.cohort.organisation_id).name
    return {
        "person_name": name,
        "person_number": number,
        "masked_name": identity_rules.masked_name(name),
        "number_end": number[-NUMBER_END:],
        "institution": institution,
        "cohort_title": facts.cohort.title,
        "lesson_titles": json.dumps([lesson.title for lesson in facts.lessons], ensure_ascii=False),
    }


def subject_commitments(session: Session, keyring: Keyring, facts: EnrolmentFacts) -> About:
    """A commitment to each, each under a key of its own, kept until it is erased."""
    committed = {
        field: trace.commit(session, value, chain=facts.chain, field=field, person=str(facts.person_id))
        for field, value in subject_of(session, keyring, facts).items()
    }
    return cast(About, committed)


def _person(session: Session, keyring: Keyring, person_id: UUID) -> tuple[str, str]:
    key = vault.person_key(session, keyring, person_id)
    name, number = session.execute(
        select(Person.name_cipher, Person.id_number_cipher).where(Person.id == person_id)
    ).one()
    return (
        vault.unseal(key, person_id, vault.NAME, name).decode(),
        vault.unseal(key, person_id, vault.ID_NUMBER, number).decode(),
    )
