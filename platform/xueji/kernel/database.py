"""One database, SQLite or PostgreSQL, behind sessions that say beforehand whether they will write.

SQLite lets one connection write at a time and makes the others poll, so that a busy writer can starve a patient one.
Here writers queue: each first takes the waiting room, then the turn, and leaves the room only once it has the turn.
Whoever has just written must pass the room again, behind the one already waiting, in this process or another.
Read sessions never wait. A write transaction is therefore to be short: hash, encrypt and judge before opening it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import DateTime, Enum, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from xueji.kernel.permits import give_back
from xueji.kernel.settings import Settings

log = structlog.get_logger(__name__)

WRITES = "xueji_writes"
RESTED_SECONDS = 1.0
"""After so long a connection to PostgreSQL may have been lost without anybody having seen it."""


class Base(DeclarativeBase):
    """The declarative base of every table; names of constraints are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def word(kind: type[StrEnum]) -> Enum:
    """A column that keeps an enum member by its value, as plain text that a new member does not have to migrate."""
    return Enum(
        kind, native_enum=False, length=24, values_callable=lambda members: [member.value for member in members]
    )


class UTCDateTime(TypeDecorator[datetime]):
    """Aware datetimes only, kept in UTC."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone says nothing")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Turnstile:
    """A fair lock between the threads and processes that write to one SQLite file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._room = str(folder / "writers.room")
        self._turn = str(folder / "writers.turn")

    def take(self) -> int:
        room = os.open(self._room, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # For good: who has the turn is waited for by everybody, and waits for nobody.
            give_back()
            fcntl.flock(room, fcntl.LOCK_EX)
            turn = os.open(self._turn, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(turn, fcntl.LOCK_EX)
        finally:
            os.close(room)
        return turn

    @staticmethod
    def leave(turn: int) -> None:
        os.close(turn)


class Database:
    """The engine and the two kinds of session."""

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.database_url)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            file = Path(url.database or "")
            file.parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(url, connect_args={"timeout": 15}, **_pool(settings))
            _prepare_sqlite(self.engine, Turnstile(file.parent / "run"))
        else:
            url = url.set(drivername="postgresql+psycopg")
            self.engine = create_engine(url, **_pool(settings))
            _prepare_postgres(self.engine)
        self.keys = settings.keys
        """Where the keys lie, for revisions that have to encrypt."""
        self.info: dict[str, Any] = {}
        """What every session carries along in its own ``info``."""
        self._writer = self.engine.execution_options(**{WRITES: True})
        self._looker = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def open_session(self, *, writes: bool) -> Session:
        # Closed is closed: a session used after its block would take a connection that nobody gives back.
        engine = self._writer if writes else self.engine
        return Session(engine, expire_on_commit=False, close_resets_only=False, info=self.info)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view that takes no lock; whatever is changed in it is thrown away."""
        with self.open_session(writes=False) as session:
            yield session

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """For a single question that every request asks: on PostgreSQL without a transaction, whose beginning and end
        would each be another wait for the server. What is changed in it may stay.
        """
        with Session(self._looker, expire_on_commit=False, close_resets_only=False, info=self.info) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Commit when the block ends, roll back when it raises; then tell others."""
        with self.open_session(writes=True) as session:
            yield session
            commit(session)

    def dispose(self) -> None:
        self.engine.dispose()


def after_commit(session: Session, tell: Callable[[], object]) -> None:
    """Leave word for others (tasks, sockets, mail) that goes out only if and when the change is in the database."""
    session.info.setdefault("after_commit", []).append(tell)


def commit(session: Session) -> None:
    """Commit, let go of the connection, then run what `after_commit` left.

    What is committed has happened: telling others may fail, is then logged, and is made up by the sweeps.
    """
    session.commit()
    for tell in session.info.pop("after_commit", ()):
        try:
            tell()
        except Exception:
            log.exception("after_commit.failed")


def _pool(settings: Settings) -> dict[str, Any]:
    # An error's message must not carry the values of the statement that failed: they may be personal.
    return {"pool_size": settings.database_connections, "max_overflow": 16, "hide_parameters": True}


def _prepare_postgres(engine: Engine) -> None:
    """A connection that has rested is asked whether its server is still there; one just used has shown it."""

    @event.listens_for(engine, "checkin")
    def _checkin(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, record: Any, _proxy: Any) -> None:
        used = record.info.get("used")
        if used is None or time.monotonic() - used < RESTED_SECONDS:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
        if not alive:
            raise DisconnectionError


def _prepare_sqlite(engine: Engine, turnstile: Turnstile) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # Transactions are opened below, by name; the driver must not open its own.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        if writes:
            connection.info["turn"] = turnstile.take()
        # Said to the driver itself: every request begins one, and so it costs a fifth.
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        except sqlite3.Error as error:
            raise OperationalError("BEGIN", None, error, hide_parameters=True) from error

    @event.listens_for(engine, "checkin")
    def _checkin(_connection: Any, record: Any) -> None:
        # The one point every path passes, commit, rollback and failure alike, after the transaction is over.
        turn = record.info.pop("turn", None)
        if turn is not None:
            Turnstile.leave(turn)
