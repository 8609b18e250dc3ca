"""Who is in a cohort, a page at a time: found by the beginning of a name, by a number or by an account."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.identity import spelling
from xueji.identity.models import Account, Membership, Person
from xueji.identity.queries import display_names, held_elsewhere
from xueji.identity.rules import account_name
from xueji.kernel.crypto import Keyring

PER_PAGE = 50
MOST_ON_PAPER = 500
"""Lines of a sheet that is printed to be signed in the room."""
MOST_NAMES = 3000
"""Names read to find those that begin so; of a first character that more share, the first to be enrolled are found."""
_LAST_FOUR = re.compile(r"[0-9]{3}[0-9X]")


@dataclass(frozen=True, slots=True)
class RosterLine:
    """A trainee in a cohort's roster, as her institution sees her."""

    enrolment_id: UUID
    person_id: UUID
    name: str
    id_number_masked: str
    state: EnrolmentState
    enrolled_at: datetime


def roster(session: Session, keyring: Keyring, cohort_id: UUID) -> list[RosterLine]:
    """Everybody ever enrolled in a cohort, as they were enrolled; those who study first."""
    return _lines(session, keyring, everybody(cohort_id))


def roster_page(
    session: Session, keyring: Keyring, cohort_id: UUID, text: str, page: int
) -> tuple[list[RosterLine], int]:
    """One page of those whom the text finds, everybody where it is empty; and how many they are."""
    return chosen_page(session, keyring, cohort_id, everybody(cohort_id), text, page)


def chosen_page(
    session: Session,
    keyring: Keyring,
    cohort_id: UUID,
    chosen: Select[Enrolment, str],
    text: str,
    page: int,
    per_page: int = PER_PAGE,
) -> tuple[list[RosterLine], int]:
    """The same of a choice among `everybody`."""
    if text:
        chosen = chosen.where(Enrolment.id.in_(found_in_roster(session, keyring, cohort_id, text)))
    total = session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0
    return _lines(session, keyring, chosen.limit(per_page).offset((page - 1) * per_page)), total


def roster_lines(session: Session, keyring: Keyring, enrolment_ids: Sequence[UUID]) -> list[RosterLine]:
    """These of one cohort, in the order given."""
    chosen = select(Enrolment, Person.id_number_masked).join(Person, Person.id == Enrolment.person_id)
    found = _lines(session, keyring, chosen.where(Enrolment.id.in_(enrolment_ids)))
    places = {enrolment_id: place for place, enrolment_id in enumerate(enrolment_ids)}
    return sorted(found, key=lambda line: places[line.enrolment_id])


def found_in_roster(session: Session, keyring: Keyring, cohort_id: UUID, text: str) -> Collection[UUID]:
    """Whom somebody means: a name or its beginning, a whole identity number or its last four, an account.

    Names are encrypted; what is kept of them in the clear is the first character, and only those who share it are read.
    """
    organisation_id = session.scalars(select(Cohort.organisation_id).where(Cohort.id == cohort_id)).one()
    number, name = spelling.number(text), spelling.person_name(text)
    by_sign: list[ColumnElement[bool]] = [
        Person.id_number_hash.in_(
            [keyring.keyed_hash("id_number", number), held_elsewhere(keyring, number, organisation_id)]
        ),
        Account.account == account_name(text),
    ]
    if _LAST_FOUR.fullmatch(number):
        by_sign.append(Person.id_number_masked.endswith(number))
    ids = select(Enrolment.id).join(Person, Person.id == Enrolment.person_id).where(Enrolment.cohort_id == cohort_id)
    found = set(session.scalars(ids.outerjoin(Account, Account.person_id == Person.id).where(or_(*by_sign))))
    if name:
        alike = (
            select(Enrolment.id, Enrolment.person_id)
            .join(Person, Person.id == Enrolment.person_id)
            .where(Enrolment.cohort_id == cohort_id, Person.name_masked.startswith(name[0], autoescape=True))
            .order_by(Enrolment.enrolled_at, Enrolment.id)
            .limit(MOST_NAMES)
        )
        rows = session.execute(alike).all()
        names = display_names(session, keyring, [person_id for _enrolment_id, person_id in rows])
        found |= {each for each, person_id in rows if spelling.person_name(names[person_id]).startswith(name)}
    return found


def members_among(session: Session, organisation_id: UUID | None, person_ids: Collection[UUID]) -> set[UUID]:
    """Who of these belongs to an organisation: whose account it may see."""
    chosen = select(Membership.person_id).where(
        Membership.organisation_id == organisation_id, Membership.person_id.in_(list(person_ids))
    )
    return set(session.scalars(chosen))


def everybody(cohort_id: UUID) -> Select[Enrolment, str]:
    """Ever enrolled in a cohort, with the masked number; those who study first."""
    return (
        select(Enrolment, Person.id_number_masked)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(case((Enrolment.state == EnrolmentState.ACTIVE, 0), else_=1), Enrolment.enrolled_at, Enrolment.id)
    )


def _lines(session: Session, keyring: Keyring, chosen: Select[Enrolment, str]) -> list[RosterLine]:
    rows = session.execute(chosen).all()
    names = display_names(session, keyring, [enrolment.person_id for enrolment, _masked in rows])
    return [
        RosterLine(
            enrolment.id,
            enrolment.person_id,
            names[enrolment.person_id],
            masked,
            enrolment.state,
            enrolment.enrolled_at,
        )
        for enrolment, masked in rows
    ]
