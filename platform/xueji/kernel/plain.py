"""Plain statements for the few paths that run thousands of times a second.

Building and compiling a statement costs more there than running it. Texts are constant, so both drivers keep them
prepared; lists go in as one parameter. What a column holds is put into the driver's own form here and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session


class Plain:
    """The driver's cursor beneath a session, in the session's transaction."""

    def __init__(self, session: Session) -> None:
        connection = session.connection()
        self.is_sqlite = connection.dialect.name == "sqlite"
        self._cursor = connection.connection.cursor()

    def rows(self, statement: str, *values: Any) -> Sequence[Any]:
        self._cursor.execute(self._text(statement), values)
        return self._cursor.fetchall()

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run it once for each row; nothing for none."""
        if rows:
            self._cursor.executemany(self._text(statement), rows)

    def _text(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("?", "%s")

    def any_of(self, column: str) -> str:
        """A condition that takes `keys` or `words` as its one parameter."""
        return f"{column} IN (SELECT value FROM json_each(?))" if self.is_sqlite else f"{column} = ANY(?)"

    def locked(self, table: str) -> str:
        """SQLite's writer is alone already."""
        return "" if self.is_sqlite else f" FOR UPDATE OF {table}"

    def keys(self, uuids: Iterable[UUID]) -> Any:
        return json.dumps([each.hex for each in uuids]) if self.is_sqlite else list(uuids)

    def words(self, texts: Iterable[str]) -> Any:
        return json.dumps(list(texts)) if self.is_sqlite else list(texts)

    def key(self, uuid: UUID | None) -> Any:
        return uuid.hex if self.is_sqlite and uuid is not None else uuid

    def uuid(self, value: Any) -> UUID | None:
        return UUID(value) if isinstance(value, str) else value

    def instant(self, value: Any) -> datetime:
        """An instant as `database.UTCDateTime` keeps it."""
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)
