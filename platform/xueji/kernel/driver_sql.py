"""Plain statements for the few paths that run thousands of times a second.

Building and compiling a statement costs more there than running it. Texts are few, so both drivers keep them prepared;
lists go in as one parameter, and rows many to a statement. What a column holds is put into the driver's own form here
and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy.orm import Session, SessionTransaction

ROWS_IN_A_STATEMENT = 16
"""On SQLite, each number of rows is a statement of its own, and as many are kept prepared for a connection."""


_KNOWN = "plain statements"


@dataclass(frozen=True, slots=True)
class _Known:
    """A transaction's cursor: an opening asks for it a dozen times, and each time costs as much as a statement."""

    transaction: SessionTransaction | None
    is_sqlite: bool
    connection: Any
    cursor: Any

    @classmethod
    def of(cls, session: Session) -> _Known:
        connection = session.connection()
        driver = connection.connection
        return cls(session.get_transaction(), connection.dialect.name == "sqlite", driver, driver.cursor())


class Cursor:
    """The driver's cursor beneath a session, in the session's transaction."""

    def __init__(self, session: Session) -> None:
        transaction = session.get_transaction()
        known = session.info.get(_KNOWN)
        if known is None or known.transaction is not transaction or transaction is None:
            known = session.info[_KNOWN] = _Known.of(session)
        self.is_sqlite, self._connection, self._cursor = known.is_sqlite, known.connection, known.cursor

    def rows(self, statement: str, *values: Any) -> Sequence[Any]:
        self._cursor.execute(self._text(statement), values)
        found: Sequence[Any] = self._cursor.fetchall()
        return found

    def each(self, statement: str, *values: Any) -> Iterator[Any]:
        """The same one by one, for an answer of any length; to be read to its end before anything else is asked."""
        cursor = self._connection.cursor()
        cursor.execute(self._text(statement), values)
        yield from iter(cursor.fetchone, None)

    def add(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], *, unless_there: bool = False
    ) -> None:
        """Insert rows, each with a value for each column; ``unless_there`` passes over those whose key exists."""
        self._run(rows, lambda count: _insert(table, columns, count, unless_there))

    def put(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, or set the other columns of the row whose key, the first column, is there already."""
        self._run(rows, lambda count: _put(table, columns, count))

    def move(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        """Update rows: the last column finds one, the others are set. Raises LookupError for one that is missing."""
        if self._run(rows, lambda count: _update(table, columns, count)) != len(rows):
            raise LookupError(f"a row of {table} that was to change is not there")

    def _run(self, rows: Sequence[Sequence[Any]], statement: Callable[[int], str]) -> int:
        """How many rows it reached."""
        reached = 0
        if rows and not self.is_sqlite:
            text = self._text(statement(1))
            if len(rows) == 1:  # which needs no pipeline
                self._cursor.execute(text, rows[0])
            else:
                self._cursor.executemany(text, rows)
            return int(self._cursor.rowcount)
        for start in range(0, len(rows), ROWS_IN_A_STATEMENT):
            part = rows[start : start + ROWS_IN_A_STATEMENT]
            self._cursor.execute(statement(len(part)), [value for row in part for value in row])
            reached += self._cursor.rowcount
        return reached

    def _text(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("?", "%s")

    def any_of(self, column: str) -> str:
        """A condition that takes `keys` or `values` as its one parameter."""
        return f"{column} IN (SELECT value FROM json_each(?))" if self.is_sqlite else f"{column} = ANY(?)"

    def locked(self, table: str) -> str:
        """SQLite's writer is alone already."""
        return "" if self.is_sqlite else f" FOR UPDATE OF {table}"

    def keys(self, uuids: Iterable[UUID]) -> Any:
        return json.dumps([each.hex for each in uuids]) if self.is_sqlite else list(uuids)

    def values(self, each: Iterable[str | int]) -> Any:
        return json.dumps(list(each)) if self.is_sqlite else list(each)

    def key(self, uuid: UUID | None) -> Any:
        return uuid.hex if self.is_sqlite and uuid is not None else uuid

    def uuid(self, value: Any) -> UUID | None:
        return uuid_in(value)

    def instant(self, value: Any) -> datetime:
        """An instant as `database.UTCDateTime` keeps it."""
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


def uuid_in(value: Any) -> UUID | None:
    """What either driver gives for a UUID."""
    return UUID(value) if isinstance(value, str) else value


def uuid_of(value: Any) -> UUID:
    """The same of a column that is never empty."""
    return UUID(value) if isinstance(value, str) else cast(UUID, value)


def date_in(value: Any) -> date | None:
    """What either driver gives for a date."""
    return date.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _insert(table: str, columns: tuple[str, ...], count: int, unless_there: bool) -> str:
    conflict = " ON CONFLICT DO NOTHING" if unless_there else ""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {_places(len(columns), count)}{conflict}"


@lru_cache(maxsize=256)
def _put(table: str, columns: tuple[str, ...], count: int) -> str:
    key, *others = columns
    sets = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f"{_insert(table, columns, count, False)} ON CONFLICT ({key}) DO UPDATE SET {sets}"


@lru_cache(maxsize=256)
def _update(table: str, columns: tuple[str, ...], count: int) -> str:
    *moved, key = columns
    if count == 1:
        return f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in moved)} WHERE {key} = ?"
    sets = ", ".join(f"{name} = moved.column{place}" for place, name in enumerate(moved, 1))
    values = f"(VALUES {_places(len(columns), count)}) AS moved"
    return f"UPDATE {table} SET {sets} FROM {values} WHERE {table}.{key} = moved.column{len(columns)}"


def _places(columns: int, count: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return ", ".join([row] * count)
