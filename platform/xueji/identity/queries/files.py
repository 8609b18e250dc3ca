"""The files of one person: her own, and those that two people have found to be hers.

Rows name the file they were written in and are never moved. Whatever is looked up by person, and whether somebody acts
for herself, is asked here, so that a second file is neither a second day nor a second judge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from xueji.identity.models import Person

_AT_ONCE = 500
_STANDS = func.coalesce(Person.joined_to, Person.id)


def standing_file(session: Session, person_id: UUID) -> UUID:
    """The file that stands: the one this was joined to, else this one; also of somebody unknown."""
    return session.scalar(select(_STANDS).where(Person.id == person_id)) or person_id


def files_of(session: Session, person_id: UUID) -> tuple[UUID, ...]:
    """Every file of whoever this file is of; of a file alone, itself."""
    stands = standing_file(session, person_id)
    found = session.scalars(select(Person.id).where(or_(Person.id == stands, Person.joined_to == stands)))
    return tuple(sorted(found)) or (person_id,)


def files_of_each(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """The same for many at once, by the file asked for."""
    stands = standing_files(session, person_ids)
    found: dict[UUID, list[UUID]] = {}
    for some in _portions(set(stands.values())):
        chosen = select(Person.id, _STANDS.label("stands")).where(or_(Person.id.in_(some), Person.joined_to.in_(some)))
        for row in session.execute(chosen.order_by(Person.id)):
            found.setdefault(row.stands, []).append(row.id)
    return {each: tuple(found.get(root, [each])) for each, root in stands.items()}


def standing_files(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The file that stands, by each file asked for; somebody unknown stands for herself."""
    found: dict[UUID, UUID] = {}
    for some in _portions(set(person_ids)):
        found |= {each: each for each in some}
        chosen = select(Person.id, _STANDS.label("stands")).where(Person.id.in_(some))
        found |= {row.id: row.stands for row in session.execute(chosen)}
    return found


def _portions(person_ids: Collection[UUID]) -> Iterator[list[UUID]]:
    ordered = sorted(person_ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def same_person(column: InstrumentedAttribute[UUID], person_id: UUID) -> ColumnElement[bool]:
    """The condition that a column names one of the files of whoever this file is of."""
    stands = select(_STANDS).where(Person.id == person_id).scalar_subquery()
    files = select(Person.id).where(or_(Person.id == stands, Person.joined_to == stands))
    return or_(column == person_id, column.in_(files))


def is_herself(session: Session, one: UUID, other: UUID) -> bool:
    """Whether two files are one person's: who acts for herself, and who may not decide about herself."""
    if one == other:
        return True
    stands = standing_files(session, (one, other))
    return stands[one] == stands[other]
