"""Many rows in few statements, the same on both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import OperationalError

from xueji.kernel.context import Context
from xueji.kernel.driver_sql import ROWS_IN_A_STATEMENT, Cursor

COLUMNS = ("length", "head", "at_ms", "chain")
READ = "SELECT chain, length, head, at_ms FROM trace_chain ORDER BY at_ms"


def chains(count: int, length: int) -> list[tuple[int, bytes, int, str]]:
    return [(length + number, bytes([number]), number, f"chain {number}") for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, ROWS_IN_A_STATEMENT, ROWS_IN_A_STATEMENT + 1, 3 * ROWS_IN_A_STATEMENT])
def test_rows_are_added_and_moved_each_by_its_own_values(context: Context, count: int) -> None:
    with context.database.writing() as session:
        plain = Cursor(session)
        plain.add("trace_chain", COLUMNS, chains(count, 0))
        plain.move("trace_chain", COLUMNS, chains(count, 100))
        moved = [(chain, length, bytes(head), at_ms) for chain, length, head, at_ms in plain.rows(READ)]
        assert moved == [(chain, length, head, at_ms) for length, head, at_ms, chain in chains(count, 100)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_row_that_is_not_there_cannot_be_moved(context: Context, count: int) -> None:
    with context.database.writing() as session:
        plain = Cursor(session)
        plain.add("trace_chain", COLUMNS, chains(count, 0)[1:])
        with pytest.raises(LookupError):
            plain.move("trace_chain", COLUMNS, chains(count, 100))


def test_what_is_there_already_is_passed_over(context: Context) -> None:
    with context.database.writing() as session:
        plain = Cursor(session)
        plain.add("trace_chain", COLUMNS, chains(1, 7))
        plain.add("trace_chain", COLUMNS, chains(3, 0), unless_there=True)
        assert [length for _, length, *_ in plain.rows(READ)] == [7, 1, 2]


def test_nothing_is_no_statement(context: Context) -> None:
    with context.database.writing() as session:
        plain = Cursor(session)
        plain.add("trace_chain", COLUMNS, [])
        plain.move("trace_chain", COLUMNS, [])
        assert list(plain.rows(READ)) == []


def test_a_long_answer_is_read_to_its_end_whatever_else_is_asked_meanwhile(context: Context) -> None:
    with context.database.writing() as session:
        plain = Cursor(session)
        plain.add("trace_chain", COLUMNS, chains(5, 0))
        read = plain.each(READ)
        first = next(read)[0]
        assert len(Cursor(session).rows(READ)) == 5
        assert [first, *(chain for chain, *_ in read)] == [f"chain {number}" for number in range(5)]


def test_each_transaction_of_a_session_has_statements_of_its_own(context: Context) -> None:
    with context.database.open_session(writes=True) as session:
        Cursor(session).add("trace_chain", COLUMNS, chains(1, 0))
        session.rollback()
        assert list(Cursor(session).rows(READ)) == []
        Cursor(session).add("trace_chain", COLUMNS, chains(2, 0))
        session.commit()
        assert len(Cursor(session).rows(READ)) == 2


def test_a_database_that_others_have_locked_is_told_of_as_every_failure_of_a_database(context: Context) -> None:
    if not context.database.is_sqlite:
        pytest.skip("PostgreSQL has no lock for a whole database")
    with context.database.open_session(writes=True) as session:
        session.connection().exec_driver_sql("PRAGMA busy_timeout = 1")
        session.commit()
        # The same connection comes back from the pool.
        with closing(sqlite3.connect(str(context.database.engine.url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError):
                session.connection()
            other.execute("ROLLBACK")
