"""One person's data, taken along by herself: what the tables keep about her, opened, with her photos and statements."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import IO, Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, FromClause, RowMapping, Table, select
from sqlalchemy.orm import Session

from xueji.enrolment.chain_binding import misplaced
from xueji.enrolment.models import Enrolment
from xueji.evidence.leaves import FileCopied
from xueji.evidence.own_fields import TAKEN, OwnTable, readme
from xueji.hours.queries import worked_out
from xueji.hours.rules import MalformedTrace
from xueji.identity import queries, vault
from xueji.identity.errors import Erased
from xueji.identity.services import FacePicture, RecordedLook, open_seen, record_look
from xueji.identity.services.recording import record_power
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.crypto import Unreadable
from xueji.kernel.database import Base
from xueji.kernel.errors import NotFound
from xueji.proctoring.services.reviewing import words_place
from xueji.rulebook.rules import NoSuchRulebook
from xueji.trace import queries as trace
from xueji.trace.rules import PLATFORM

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Rows read together: the file grows on disk, and never in memory."""


def _correction(part: str) -> Callable[[RowMapping], str]:
    return lambda row: vault.correction_field(row["id"], part)


SEALED: Mapping[tuple[str, str], Callable[[RowMapping], str]] = {
    ("person", "name_cipher"): lambda row: vault.NAME,
    ("person", "id_number_cipher"): lambda row: vault.ID_NUMBER,
    ("reset_request", "reason_cipher"): lambda row: vault.reset_field(row["id"], "reason"),
    ("photo_decision", "reason_cipher"): lambda row: vault.decision_field(row["photo_id"]),
    ("person_correction", "old_name_cipher"): _correction("old_name"),
    ("person_correction", "old_number_cipher"): _correction("old_number"),
    ("person_correction", "name_cipher"): _correction("name"),
    ("person_correction", "number_cipher"): _correction("number"),
    ("person_correction", "reason_cipher"): _correction("reason"),
    ("file_joining", "reason_cipher"): lambda row: vault.joining_field(row["id"]),
    ("check_appeal", "reason_cipher"): lambda row: words_place(row["check_id"], "reason"),
    ("check_appeal", "answer_cipher"): lambda row: words_place(row["check_id"], "answer"),
    ("check_review", "reason_cipher"): lambda row: words_place(row["check_id"], "answer"),
}
"""For which place in her file each sealed column was sealed."""

_NAMED: Mapping[str, str] = {
    "person": "name_masked",
    "organisation": "name",
    "cohort": "title",
    "in_person_session": "title",
    "lesson": "title",
}
"""What an id of another table is shown as, beside it.

Of a person, the id of anybody but herself is not shown.
"""


def take_own_data(context: Context, *, actor: Actor) -> IO[bytes]:
    """Everything kept about whoever asks, as a zip: a file that is gone once it is closed.

    It is about the actor and can be about nobody else; files that were joined to hers are in it. That it was taken, and
    each look at a photo, is recorded first, in a transaction of its own: not to be called inside a write transaction.
    """
    with context.database.writing() as session:
        files = queries.files_of(session, actor.person_id)
        photos = [photo for each in files for photo in queries.reference_photos(session, each)]
        seen = [
            record_look(
                session,
                context.keyring,
                viewer=actor,
                picture=FacePicture.of_reference(photo),
                purpose="own",
                chain=PLATFORM,
            )
            for photo in photos
        ]
        record_power(session, context.keyring, FileCopied(), actor=actor.person_id, subject=actor.person_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller, who closes it
    try:
        with context.database.reading() as session, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _write(session, context, archive, files, seen)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write(
    session: Session, context: Context, archive: zipfile.ZipFile, files: tuple[UUID, ...], seen: list[RecordedLook]
) -> None:
    archive.writestr("README.txt", readme())
    opened = _Opened(session, context, files)
    with archive.open("data.json", "w") as out:
        out.write(b"{")
        for number, name in enumerate(TAKEN):
            out.write(f"{',' if number else ''}\n{json.dumps(name)}: [".encode())
            for place, row in enumerate(opened.rows(name)):
                out.write((",\n " if place else "\n ").encode() + _json(row))
            out.write(b"]")
        out.write(b"\n}\n")
    for looked_at in seen:
        try:
            picture = open_seen(session, context, looked_at)
        except (NotFound, Erased):
            continue
        kind = vault.picture_type(picture).removeprefix("image/").replace("jpeg", "jpg")
        archive.writestr(f"photos/{looked_at.picture.id}.{kind}", picture, zipfile.ZIP_STORED)
    for enrolment_id in session.scalars(select(Enrolment.id).where(Enrolment.person_id.in_(files))).all():
        _write_training(session, archive, enrolment_id)


def _write_training(session: Session, archive: zipfile.ZipFile, enrolment_id: UUID) -> None:
    """A row put to another person than its chain gives nothing of that chain; an account nobody can read, no sums."""
    if misplaced(session, [enrolment_id]):
        return
    with archive.open(f"trainings/{enrolment_id}/events.jsonl", "w") as out:
        for _n, leaf in trace.chain_bytes(session, str(enrolment_id)):
            out.write(leaf + b"\n")
    try:
        statement = worked_out(session, enrolment_id, clock.to_ms(clock.now())).statement
    except (MalformedTrace, NoSuchRulebook):
        return
    archive.writestr(f"trainings/{enrolment_id}/statement.json", _json(statement.to_dict()))


class _Opened:
    """Her rows, with what is sealed opened and what is only an id named."""

    def __init__(self, session: Session, context: Context, files: tuple[UUID, ...]) -> None:
        self._session, self._files = session, files
        self._keys: dict[UUID, bytes] = {}
        for each in files:
            try:
                self._keys[each] = vault.person_key(session, context.keyring, each)
            except Erased:
                continue
        self._names: dict[tuple[str, UUID], str] = {}

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        taken, table = TAKEN[name], Base.metadata.tables[name]
        joined, owner = owner_of(table, taken)
        columns = [table.c[field] for field in taken.fields.split()]
        asked = select(*columns, owner.label("_owner")).select_from(joined).where(owner.in_(self._files))
        if taken.also:
            asked = asked.where(table.c[taken.also].in_(self._files))
        asked = asked.order_by(*table.primary_key.columns)
        for row in self._session.execute(asked, execution_options={"yield_per": AT_ONCE}).mappings():
            yield dict(self._field(table, column.name, row) for column in columns)

    def _field(self, table: Table, column: str, row: RowMapping) -> tuple[str, Any]:
        value = row[column]
        if (table.name, column) in SEALED:
            return column.removesuffix("_cipher"), self._unsealed(SEALED[table.name, column](row), row["_owner"], value)
        if (table.name, column) == ("check_attempt", "signals"):
            return column, list(dict.fromkeys(str(signal["code"]) for signal in value))
        key = next(iter(table.c[column].foreign_keys), None)
        target = key.column.table.name if key is not None else ""
        if target not in _NAMED:
            return column, value
        said = column.removesuffix("_id")
        if value is None:
            return said, None
        if target == "person":
            return said, self._somebody(value)
        return said, {"id": value, "name": self._named(target, value)}

    def _unsealed(self, place: str, owner: UUID, sealed: bytes | None) -> str | None:
        key = self._keys.get(owner)
        if sealed is None or key is None:
            return None
        try:
            return vault.unseal(key, owner, place, sealed).decode()
        except Unreadable:
            log.warning("own_data.unreadable", place=place.split("/")[0])
            return None

    def _somebody(self, person_id: UUID) -> dict[str, Any]:
        """Herself by her file; anybody else by the masked name that pages show her as well."""
        if person_id in self._files:
            return {"herself": True, "file": person_id}
        return {"herself": False, "masked_name": self._named("person", person_id)}

    def _named(self, target: str, of: UUID) -> str:
        if (target, of) not in self._names:
            table = Base.metadata.tables[target]
            asked = select(table.c[_NAMED[target]]).where(table.c.id == of)
            self._names[target, of] = self._session.scalar(asked) or ""
        return self._names[target, of]


def owner_of(table: Table, taken: OwnTable) -> tuple[FromClause, ColumnElement[UUID]]:
    """A table joined along the way to whose row it is, and the column that says so."""
    joined: FromClause = table
    *hops, last = taken.owner.split(".")
    for hop in hops:
        key = next(iter(table.c[hop].foreign_keys)).column
        joined = joined.join(key.table, table.c[hop] == key)
        table = key.table
    return joined, table.c[last]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no plain form")
