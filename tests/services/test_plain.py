"""Many rows in few statements, the same on both databases."""

from __future__ import annotations

import pytest

from xueji.kernel.context import Context
from xueji.kernel.plain import ROWS_IN_A_STATEMENT, Plain

COLUMNS = ("length", "head", "at_ms", "chain")
READ = "SELECT chain, length, head, at_ms FROM trace_chain ORDER BY at_ms"


def chains(count: int, length: int) -> list[tuple[int, bytes, int, str]]:
    return [(length + number, bytes([number]), number, f"chain {number}") for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, ROWS_IN_A_STATEMENT, ROWS_IN_A_STATEMENT + 1, 3 * ROWS_IN_A_STATEMENT])
def test_rows_are_added_and_moved_each_by_its_own_values(context: Context, count: int) -> None:
    with context.database.writing() as session:
        plain = Plain(session)
        plain.add("trace_chain", COLUMNS, chains(count, 0))
        plain.move("trace_chain", COLUMNS, chains(count, 100))
        moved = [(chain, length, bytes(head), at_ms) for chain, length, head, at_ms in plain.rows(READ)]
        assert moved == [(chain, length, head, at_ms) for length, head, at_ms, chain in chains(count, 100)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_row_that_is_not_there_cannot_be_moved(context: Context, count: int) -> None:
    with context.database.writing() as session:
        plain = Plain(session)
        plain.add("trace_chain", COLUMNS, chains(count, 0)[1:])
        with pytest.raises(LookupError):
            plain.move("trace_chain", COLUMNS, chains(count, 100))


def test_what_is_there_already_is_passed_over(context: Context) -> None:
    with context.database.writing() as session:
        plain = Plain(session)
        plain.add("trace_chain", COLUMNS, chains(1, 7))
        plain.add("trace_chain", COLUMNS, chains(3, 0), unless_there=True)
        assert [length for _, length, *_ in plain.rows(READ)] == [7, 1, 2]


def test_nothing_is_no_statement(context: Context) -> None:
    with context.database.writing() as session:
        plain = Plain(session)
        plain.add("trace_chain", COLUMNS, [])
        plain.move("trace_chain", COLUMNS, [])
        assert list(plain.rows(READ)) == []
