"""Whether an enrolment's row still names the person whose chain it is.

Whoever owns the database can put another person to an enrolment with one statement. The chain's first leaf holds the
pseudonym of the one who was enrolled, which only the installation's key makes from a person: so it is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.enrolment.models import Enrolment
from xueji.identity.models import Person
from xueji.kernel.crypto import Keyring
from xueji.trace import queries as trace
from xueji.trace.sealing import KEYRING

AT_ONCE = 500


def misplaced(session: Session, enrolment_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the enrolments whose row names somebody else than their first leaf; two queries for any number."""
    ids = list(enrolment_ids)
    # By the person's own column: a foreign key has no type of its own where its table is not known to the process.
    whose = session.execute(
        select(Enrolment.id, Person.id).join(Person, Person.id == Enrolment.person_id).where(Enrolment.id.in_(ids))
    ).all()
    began = trace.began_by(session, [str(enrolment_id) for enrolment_id in ids])
    keyring: Keyring = session.info[KEYRING]
    return {
        enrolment_id
        for enrolment_id, person_id in whose
        if began.get(str(enrolment_id), "") != keyring.pseudonym(person_id, enrolment_id)
    }


def audit_binding(session: Session) -> list[str]:
    """Every enrolment that is put to another person than its chain, one line each."""
    found: list[str] = []
    last: UUID | None = None
    while True:
        chosen = select(Enrolment.id).order_by(Enrolment.id).limit(AT_ONCE)
        ids = list(session.scalars(chosen if last is None else chosen.where(Enrolment.id > last)))
        if not ids:
            return found
        last = ids[-1]
        found += [
            f"enrolment {enrolment_id}: its row names another person than the first leaf of its chain"
            for enrolment_id in sorted(misplaced(session, ids))
        ]
