"""Rows of every table, written when the table was first there, are at the newest revision what they were.

Walking from revision to revision, a row is put into each table as soon as it appears. At the end every column that is
still there says what it said, but for those that a revision rewrites by intent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Row,
    String,
    Table,
    Uuid,
    select,
)
from sqlalchemy.types import JSON

from xueji.kernel import crypto, schema
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.settings import Settings

INSTANT = datetime(2026, 11, 1, 9, 0, 0, tzinfo=UTC)
REWRITTEN = {
    "trace_opening.person": "0015 seals openings of nobody who is registered under the platform's key",
    "recovery_code.code_hash": "hashes of another kind, that nobody tries through in an hour",
    "hours_account.rules": "a statement that is kept for lists is worked out anew under new rules",
    "check_picture.likeness": "0028: what stood in clear is dropped, and a column of that name holds it sealed",
}
"""Columns that a revision rewrites by intent, and why."""
EMPTIED = {
    "lock_out": "0014: locks of minutes, counted otherwise from then on",
    "check_appeal": "0020: an appeal is a word in the check's own case",
}
"""Tables whose rows a revision takes away, and where they went."""
_ONE_OF = re.compile(r"\(?\"?(\w+)\"?\)?(?:::\w+(?: \w+)*)?\s*(?:IN|= ANY)\s*\((.*?)\)", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"'([^']*)'")


@dataclass
class Rows:
    """What was put into which table, by the values that it is found by again."""

    database: Database
    keyring: Keyring
    written: dict[str, dict[str, object]] = field(default_factory=dict)

    def fill(self) -> None:
        """Put a row into each table that has none of ours yet."""
        tables = MetaData()
        tables.reflect(self.database.engine)
        for table in tables.sorted_tables:
            if table.name != "alembic_version" and table.name not in self.written:
                with self.database.engine.begin() as connection:
                    if connection.execute(select(table).limit(1)).first() is None:
                        self.written[table.name] = self._values(table)
                        connection.execute(table.insert().values(self.written[table.name]))

    def _values(self, table: Table) -> dict[str, object]:
        one_of = {
            match[1]: _WORD.findall(match[2])[0]
            for check in table.constraints
            if (condition := getattr(check, "sqltext", None)) is not None
            for match in _ONE_OF.finditer(str(condition))
            if _WORD.findall(match[2])
        }
        values = {}
        for column in table.columns:
            if column.foreign_keys:
                values[column.name] = self._referred(column)
            elif column.name in one_of:
                values[column.name] = one_of[column.name]
            else:
                values[column.name] = _some(column)
        if table.name == "person":
            values["wrapped_key"] = self.keyring.wrap(crypto.new_key(), _with_dashes(str(values["id"])))
        return {name: value for name, value in values.items() if value is not None}

    def _referred(self, column: Column[Any]) -> object:
        (key,) = column.foreign_keys
        target, name = key.target_fullname.split(".")
        return self.written.get(target, {}).get(name)

    def at_the_end(self) -> Iterator[tuple[str, dict[str, object], Row[Any] | None]]:
        """Each table's row as it was written and as it stands now; None where it is gone."""
        tables = MetaData()
        tables.reflect(self.database.engine)
        for name, values in self.written.items():
            if name not in tables.tables:
                yield name, values, None
                continue
            with self.database.engine.connect() as connection:
                yield name, values, connection.execute(select(tables.tables[name])).first()


def _with_dashes(identity: str) -> str:
    return str(UUID(identity))


def _some(column: Column[Any]) -> object:
    kind = column.type
    if isinstance(kind, Uuid):
        return uuid4()
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer | Numeric):
        return 1
    if isinstance(kind, DateTime):
        return INSTANT if getattr(kind, "timezone", False) else INSTANT.replace(tzinfo=None)
    if isinstance(kind, Date):
        return date(2026, 11, 1)
    if isinstance(kind, JSON):
        return {}
    if isinstance(kind, LargeBinary):
        return b"x" * 32
    if isinstance(kind, String):
        return uuid4().hex if kind.length == 32 else "words"
    raise AssertionError(f"no value for {column.table.name}.{column.name}: {kind!r}")


def revisions() -> list[str]:
    script = ScriptDirectory.from_config(schema.configuration())
    return [each.revision for each in reversed(list(script.walk_revisions()))]


@pytest.fixture
def rows(make_database: Callable[..., str], settings: Settings) -> Iterator[Rows]:
    settings = replace(settings, database_url=make_database(empty=True))
    database = Database(settings)
    yield Rows(database, Keyring.create(settings.keys))
    database.dispose()


def test_a_row_of_every_table_survives_every_revision_after_it(rows: Rows) -> None:
    for revision in revisions():
        schema.upgrade(rows.database, revision)
        rows.fill()
    changed = []
    for table, values, row in rows.at_the_end():
        if row is None:
            changed += [] if table in EMPTIED else [f"{table} has no row any more"]
            continue
        for name, value in values.items():
            now = row._mapping.get(name, value)
            if f"{table}.{name}" not in REWRITTEN and _plain(now) != _plain(value):
                changed.append(f"{table}.{name}: {value!r} became {now!r}")
    assert changed == [], "\n".join(changed)
    assert _empty(rows.database) <= EMPTIED.keys()


def _empty(database: Database) -> set[str]:
    tables = MetaData()
    tables.reflect(database.engine)
    with database.engine.connect() as connection:
        rows = {name: connection.execute(select(table).limit(1)).first() for name, table in tables.tables.items()}
    return {name for name, row in rows.items() if row is None}


def _plain(value: object) -> object:
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return value
