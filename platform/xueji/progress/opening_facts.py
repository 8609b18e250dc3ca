"""What lies before openings, asked once for all that open together: a class does so in the same minute."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.kernel.driver_sql import Cursor, uuid_in, uuid_of
from xueji.occasions.open_check import OpenCheck, read_open_check, write_open_check

_BEFORE = """
WITH asked (sitting, enrolment, lesson, person) AS (VALUES {asked})
SELECT asked.sitting,
  (SELECT max(furthest_ms) FROM sitting WHERE enrolment_id = asked.enrolment AND lesson_id = asked.lesson),
  here.since_check_ms, lesson.resume_ms,
  hers.used_until_ms, hers.day, hers.day_used_ms, hers.opened_ms, hers.reports,
  EXISTS (SELECT 1 FROM sitting WHERE enrolment_id = asked.enrolment AND open_check IS NOT NULL)
FROM asked
  LEFT JOIN sitting AS here ON here.id =
    (SELECT id FROM sitting WHERE enrolment_id = asked.enrolment ORDER BY opened_ms DESC LIMIT 1)
  LEFT JOIN sitting AS lesson ON lesson.id =
    (SELECT id FROM sitting WHERE enrolment_id = asked.enrolment AND lesson_id = asked.lesson
     ORDER BY opened_ms DESC LIMIT 1)
  LEFT JOIN sitting AS hers ON hers.id =
    (SELECT id FROM sitting WHERE {hers} ORDER BY opened_ms DESC LIMIT 1)
"""

_FILES = """
SELECT person.id, coalesce(person.joined_to, person.id), lease.sitting_id
FROM person LEFT JOIN lease ON lease.person_id = person.id WHERE {} OR {} ORDER BY person.id
"""


@dataclass(frozen=True, slots=True)
class Before:
    """Of the sittings before this one: the enrolment's, the lesson's and the person's. All ms."""

    furthest_ms: int = 0
    """The lesson's one frontier: the furthest of its sittings."""
    carried_ms: int = 0
    """Study since the enrolment's last check."""
    studied: bool = False
    """Whether this enrolment has had a sitting at all."""
    resume_ms: int = 0
    used_until_ms: int = 0
    """Until when the person's time is spent, in whichever enrolment."""
    day: int | None = None
    day_used_ms: int = 0
    opened_ms: int = 0
    """When her last sitting was opened, and how many reports it has had or begun with."""
    reports: int = 0
    check_waits: bool = False
    """Whether a sitting of this enrolment keeps an open check."""


class AskedOpening(NamedTuple):
    """An opening, as far as what lies before it depends on it."""

    sitting_id: UUID
    enrolment_id: UUID
    lesson_id: UUID
    files: tuple[UUID, ...]
    """Of the person, all: time that was spent in one is spent in each."""


def before_openings(session: Session, asked: Sequence[AskedOpening]) -> dict[UUID, Before]:
    """By the new sitting's id. To be asked once the persons' openings take turns and their old sittings are locked."""
    plain = Cursor(session)
    found: dict[UUID, Before] = {}
    # In one question for all whose file is alone; the few others each in her own.
    alone = [each for each in asked if len(each.files) == 1]
    for some in (alone, *([each] for each in asked if len(each.files) > 1)):
        if some:
            found |= _before(plain, some)
    return found


def _before(plain: Cursor, asked: Sequence[AskedOpening]) -> dict[UUID, Before]:
    """Of several, each with one file; or of one with any number."""
    values = [plain.key(value) for each in asked for value in (*each[:3], each.files[0])]
    hers = "person_id = asked.person"
    if len(asked[0].files) > 1:
        hers, values = plain.any_of("person_id"), [*values, plain.keys(asked[0].files)]
    statement = _BEFORE.format(asked=", ".join(["(?, ?, ?, ?)"] * len(asked)), hers=hers)
    found = {}
    for key, furthest, carried, resume, used_until, day, day_used, opened, reports, waits in plain.rows(
        statement, *values
    ):
        known = furthest or 0, carried or 0, carried is not None, resume or 0, used_until or 0
        found[uuid_of(key)] = Before(*known, day, day_used or 0, opened or 0, reports or 0, bool(waits))
    return found


class EarlierSitting(NamedTuple):
    """A sitting that stands already: the one a person's lease is of, or one of the name that is asked for."""

    id: UUID
    enrolment_id: UUID
    who: str
    device: str
    terms: str
    last_contact_ms: int
    valid_until_ms: int | None
    open_check: OpenCheck | None
    ended_ms: int | None


_COLUMNS = ", ".join("sitting." + column for column in EarlierSitting._fields)
_EARLIER = f"SELECT {_COLUMNS} FROM sitting WHERE {{}} ORDER BY sitting.id"


@dataclass(frozen=True, slots=True)
class LockedPerson:
    """Of the person whose opening's turn it is."""

    files: tuple[UUID, ...]
    leased: tuple[EarlierSitting, ...]
    """The sittings that her files have their leases for."""


def lock_openings(
    session: Session, person_ids: Collection[UUID], sitting_ids: Iterable[UUID]
) -> tuple[dict[UUID, LockedPerson], dict[UUID, EarlierSitting]]:
    """Let each person's openings take turns, also the first two of her life, when there is no lease to lock yet.

    ``person_ids`` are those who signed in: the files that stand. Files that are joined to one take turns with it, so
    that one person has one sitting that earns. Beside the turns: which of ``sitting_ids`` stand already. Persons first,
    then sittings, each in the order of their keys: so two groups never wait for each other.
    """
    plain = Cursor(session)
    people = plain.keys(sorted(person_ids))
    if not plain.is_sqlite:  # whose writer is alone already
        plain.rows(f"SELECT id FROM person WHERE {plain.any_of('id')} ORDER BY id" + plain.locked("person"), people)
    statement = _FILES.format(plain.any_of("person.id"), plain.any_of("person.joined_to"))
    files: dict[UUID, list[tuple[UUID, UUID | None]]] = {person_id: [] for person_id in person_ids}
    for key, stands, leased in plain.rows(statement, people, people):
        file = uuid_of(key)
        for person_id in {file, uuid_of(stands)} & files.keys():
            files[person_id].append((file, uuid_in(leased)))
    wanted = {*sitting_ids, *(leased for each in files.values() for _, leased in each if leased is not None)}
    old = _lock_sittings(plain, sorted(wanted))
    turns = {
        person_id: LockedPerson(
            tuple(file for file, _ in each), tuple(old[leased] for _, leased in each if leased is not None)
        )
        for person_id, each in files.items()
    }
    return turns, old


def _lock_sittings(plain: Cursor, sitting_ids: Sequence[UUID]) -> dict[UUID, EarlierSitting]:
    rows = plain.rows(_EARLIER.format(plain.any_of("sitting.id")) + plain.locked("sitting"), plain.keys(sitting_ids))
    found = map(_earlier, rows)
    return {sitting.id: sitting for sitting in found}


def _earlier(row: Sequence[Any]) -> EarlierSitting:
    columns = dict(zip(EarlierSitting._fields, row, strict=True))
    for key in ("id", "enrolment_id"):
        columns[key] = uuid_of(columns[key])
    return EarlierSitting(**{**columns, "open_check": read_open_check(columns["open_check"])})


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
    open_check: OpenCheck | None = None
    handed_out: str | None = None
    ended_ms: int | None = None
    ended_reason: str | None = None


_KEYS = ("id", "enrolment_id", "person_id", "lesson_id", "question_id")
_PLAIN = tuple(field.name for field in fields(NewSitting) if field.name not in (*_KEYS, "open_check"))
_keys, _plain_values = attrgetter(*_KEYS), attrgetter(*_PLAIN)


def add_sittings(session: Session, sittings: Iterable[NewSitting]) -> None:
    """Write the rows of new sittings: they need no unit of work. And give each person's one lease to hers."""
    plain = Cursor(session)
    rows, leases = [], []
    for sitting in sittings:
        keys = map(plain.key, _keys(sitting))
        rows.append((*keys, write_open_check(sitting.open_check), *_plain_values(sitting)))
        leases.append((plain.key(sitting.person_id), plain.key(sitting.id)))
    plain.add("sitting", (*_KEYS, "open_check", *_PLAIN), rows)
    plain.put("lease", ("person_id", "sitting_id"), leases)


def add_check(session: Session, sitting: NewSitting) -> None:
    """The check that a new sitting begins with, and what its line rests on since."""
    plain = Cursor(session)
    moved = (write_open_check(sitting.open_check), sitting.ledger, sitting.ledger_leaves, plain.key(sitting.id))
    plain.move("sitting", ("open_check", "ledger", "ledger_leaves", "id"), [moved])


def end_sittings(session: Session, ended: Iterable[tuple[UUID, int, str]]) -> None:
    """Sittings that others took over from: which, when (epoch ms), why."""
    plain = Cursor(session)
    rows = [(at_ms, reason, plain.key(sitting_id)) for sitting_id, at_ms, reason in ended]
    plain.move("sitting", ("ended_ms", "ended_reason", "id"), rows)
