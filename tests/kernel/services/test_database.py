"""A session ends with its block."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import InvalidRequestError

from xueji.kernel import database
from xueji.kernel.context import Context


def test_a_session_is_of_no_use_after_its_block(context: Context) -> None:
    """It would take a connection that nobody gives back."""
    with context.database.reading() as reading:
        reading.execute(text("SELECT 1"))
    with context.database.writing() as writing:
        writing.execute(text("SELECT 1"))
    for session in (reading, writing):
        with pytest.raises(InvalidRequestError):
            session.execute(text("SELECT 1"))


def test_a_single_question_takes_no_transaction_and_the_next_session_has_one(context: Context) -> None:
    with context.database.looking() as looking:
        driver: Any = looking.connection().connection.driver_connection
        looking.execute(text("SELECT 1"))
        assert context.database.is_sqlite or driver.info.transaction_status == TransactionStatus.IDLE
    with context.database.reading() as reading:
        assert reading.connection().connection.driver_connection is driver
        reading.execute(text("SELECT 1"))
        connection: Any = reading.connection().connection.driver_connection
        assert context.database.is_sqlite or connection.info.transaction_status == TransactionStatus.INTRANS


def test_a_connection_that_rested_and_was_lost_is_replaced_unseen(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    if context.database.is_sqlite:
        pytest.skip("a file is not lost")
    with context.database.reading() as session:
        (backend,) = session.execute(text("SELECT pg_backend_pid()")).one()
    other = create_engine(context.database.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
    monkeypatch.setattr(database, "RESTED_SECONDS", 0.0)
    with context.database.reading() as session:
        assert session.execute(text("SELECT pg_backend_pid()")).one() != (backend,)


def test_a_connection_just_used_is_not_asked_again(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def ping(connection: object) -> bool:
        asked.append(connection)
        return True

    monkeypatch.setattr(context.database.engine.dialect, "do_ping", ping)
    for _ in range(2):
        with context.database.reading() as session:
            session.execute(text("SELECT 1"))
    assert asked == []
