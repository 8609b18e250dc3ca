"""The process that writes takes reports of several kinds: each goes to its part's handler, all in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from xueji.kernel.context import Context
from xueji.kernel.groupcommit import by_kind
from xueji.progress.beat_intake import write_here
from xueji.progress.beat_recording import BeatReport
from xueji.progress.errors import SessionEndedStudying
from xueji.wiring import connect


@dataclass(frozen=True)
class Saved:
    """A report as another part may have it: an answer in an examination."""

    answer: str


def test_reports_of_another_part_share_the_transaction_of_beats(context: Context) -> None:
    transactions: list[Session] = []

    def save(session: Session, reports: Sequence[Saved]) -> list[str]:
        transactions.append(session)
        return [report.answer for report in reports]

    connect(context)
    beats = context.reports[BeatReport]

    def beats_too(session: Session, reports: Sequence[BeatReport]) -> Sequence[Any]:
        transactions.append(session)
        return beats(session, reports)

    context.reports.update({BeatReport: beats_too, Saved: save})
    unknown = BeatReport(uuid4(), uuid4(), uuid4(), ())
    first, second, third = write_here(context)([Saved("A"), unknown, Saved("B")])
    assert (first, third) == ("A", "B")
    assert isinstance(second, SessionEndedStudying)
    assert len(transactions) == 2 and transactions[0] is transactions[1]


def test_kinds_take_their_turns_in_the_order_they_are_listed_in() -> None:
    """Whatever the order in the batch: so two batches never lock each other out."""
    turns: list[tuple[str, list[object]]] = []

    def handler(name: str) -> Any:
        def handle(_session: object, items: list[object]) -> list[str]:
            turns.append((name, list(items)))
            return [name] * len(items)

        return handle

    handle = by_kind({int: handler("numbers"), str: handler("words")})
    assert handle(None, ["a", 1, "b", 2]) == ["words", "numbers", "words", "numbers"]  # type: ignore[arg-type]
    assert turns == [("numbers", [1, 2]), ("words", ["a", "b"])]
    assert handle(None, []) == []  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        handle(None, [1, 2.0])  # type: ignore[arg-type]
