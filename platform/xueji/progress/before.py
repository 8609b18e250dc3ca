"""What lies before an opening, asked in one question: a class opens its sittings in the same minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import cast
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.kernel.plain import Plain

_ASKED = """
SELECT
  (SELECT max(furthest_ms) FROM sitting WHERE enrolment_id = ? AND lesson_id = ?),
  (SELECT since_check_ms FROM sitting WHERE enrolment_id = ? ORDER BY opened_ms DESC LIMIT 1),
  (SELECT resume_ms FROM sitting WHERE enrolment_id = ? AND lesson_id = ? ORDER BY opened_ms DESC LIMIT 1),
  (SELECT used_until_ms FROM sitting WHERE {hers} ORDER BY opened_ms DESC LIMIT 1),
  (SELECT day FROM sitting WHERE {hers} ORDER BY opened_ms DESC LIMIT 1),
  (SELECT day_used_ms FROM sitting WHERE {hers} ORDER BY opened_ms DESC LIMIT 1),
  (SELECT opened_ms FROM sitting WHERE {hers} ORDER BY opened_ms DESC LIMIT 1),
  (SELECT reports FROM sitting WHERE {hers} ORDER BY opened_ms DESC LIMIT 1)
"""

_FILES = """
SELECT person.id, EXISTS (SELECT 1 FROM lease WHERE person_id = person.id), EXISTS (SELECT 1 FROM sitting WHERE id = ?)
FROM person WHERE id = ? OR joined_to = ? ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Before:
    """Of the sittings before this one: the enrolment's, the lesson's and the person's. All ms."""

    furthest_ms: int
    """The lesson's one frontier: the furthest of its sittings."""
    carried_ms: int
    """Study since the enrolment's last check."""
    studied: bool
    """Whether this enrolment has had a sitting at all."""
    resume_ms: int
    used_until_ms: int
    """Until when the person's time is spent, in whichever enrolment."""
    day: int | None
    day_used_ms: int
    opened_ms: int
    """When her last sitting was opened, and how many reports it has had or begun with."""
    reports: int


def before_opening(session: Session, *, files: Sequence[UUID], enrolment_id: UUID, lesson_id: UUID) -> Before:
    """To be asked once the person's openings take turns and her old sitting, if she has one, is locked.

    ``files`` are all of hers: time that was spent in one is spent in each.
    """
    plain = Plain(session)
    enrolment, lesson = plain.key(enrolment_id), plain.key(lesson_id)
    alone = len(files) == 1
    hers, person = ("person_id = ?", plain.key(files[0])) if alone else (plain.any_of("person_id"), plain.keys(files))
    values = (enrolment, lesson, enrolment, enrolment, lesson, *[person] * 5)
    ((furthest, carried, resume, used_until, day, *rest),) = plain.rows(_ASKED.format(hers=hers), *values)
    day_used, opened, reports = (value or 0 for value in rest)
    known = furthest or 0, carried or 0, carried is not None, resume or 0, used_until or 0
    return Before(*known, day, day_used, opened, reports)


@dataclass(frozen=True, slots=True)
class Turn:
    """Of the person whose opening's turn it is."""

    opened: bool
    """Whether there is a sitting of this name already."""
    leased: tuple[UUID, ...]
    """Those of her files that have a lease."""
    files: tuple[UUID, ...]


def lock_openings(session: Session, person_id: UUID, sitting_id: UUID) -> Turn:
    """Let the person's openings take turns, also the first two of her life, when there is no lease to lock yet.

    ``person_id`` is who signed in: the file that stands. Files that are joined to it take turns with it, so that one
    person has one sitting that earns.
    """
    plain = Plain(session)
    person = plain.key(person_id)
    if not plain.is_sqlite:  # whose writer is alone already
        plain.rows("SELECT id FROM person WHERE id = ?" + plain.locked("person"), person)
    rows = plain.rows(_FILES, plain.key(sitting_id), person, person)
    files = {cast("UUID", plain.uuid(file)): leased for file, leased, _opened in rows}
    return Turn(bool(rows[0][2]), tuple(file for file, leased in files.items() if leased), tuple(files))


@dataclass(slots=True)
class NewSitting:
    """A row of `Sitting` before it is written; a mapped object would cost as much as everything that is asked here."""

    id: UUID
    enrolment_id: UUID
    person_id: UUID
    lesson_id: UUID
    who: str
    method: str
    rulebook: str
    device: str
    terms: str
    opened_ms: int
    last_contact_ms: int
    valid_until_ms: int | None
    used_until_ms: int
    furthest_ms: int
    resume_ms: int
    make_up: str
    since_check_ms: int
    last_interaction_ms: int
    day: int
    day_used_ms: int
    reports: int
    ledger: str | None
    ledger_leaves: int = 0
    study_ms: int = 0
    next_check: int = 0
    question_id: UUID | None = None
    question_by_ms: int | None = None
    last_seq: int = 0
    open_check: str | None = None
    handed_out: str | None = None
    ended_ms: int | None = None
    ended_reason: str | None = None


_KEYS = ("id", "enrolment_id", "person_id", "lesson_id", "question_id")
_SITTING = (*_KEYS, *(field.name for field in fields(NewSitting) if field.name not in _KEYS))
_values = attrgetter(*_SITTING)


def add_sitting(session: Session, sitting: NewSitting) -> None:
    """Write a new sitting's row: one row needs no unit of work."""
    plain = Plain(session)
    values = _values(sitting)
    plain.add("sitting", _SITTING, [(*map(plain.key, values[: len(_KEYS)]), *values[len(_KEYS) :])])


def add_check(session: Session, sitting: NewSitting) -> None:
    """The check that a new sitting begins with, and what its line rests on since."""
    plain = Plain(session)
    moved = (sitting.open_check, sitting.ledger, sitting.ledger_leaves, plain.key(sitting.id))
    plain.move("sitting", ("open_check", "ledger", "ledger_leaves", "id"), [moved])


def set_lease(session: Session, person_id: UUID, sitting_id: UUID) -> None:
    """The person's one lease is this sitting's from now on; its row must have been written."""
    plain = Plain(session)
    columns, row = ("person_id", "sitting_id"), (plain.key(person_id), plain.key(sitting_id))
    plain.add("lease", columns, [row], unless_there=True)
    plain.move("lease", ("sitting_id", "person_id"), [(row[1], row[0])])
