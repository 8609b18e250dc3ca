"""How checks stand in the trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from xueji.proctoring.models import Attempt, Check
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.rules import SYSTEM, Entry, Event


def due(check: Check, who: str, at_ms: int) -> Entry:
    values = {
        "check": str(check.id),
        "sitting": str(check.sitting_id),
        "kind": check.kind,
        "at_ms": at_ms,
        "answer_by_ms": check.answer_by_ms,
        "attempt": check.attempt,
    }
    return Entry(Event.CHECK_DUE, str(check.enrolment_id), who, values)


def retold(check: Check, who: str) -> Entry:
    values = {"check": str(check.id), "answer_by_ms": check.answer_by_ms}
    return Entry(Event.CHECK_RETOLD, str(check.enrolment_id), who, values)


def extended(check: Check, question: str, who: str) -> Entry:
    values = {"check": str(check.id), "question": question, "answer_by_ms": check.answer_by_ms}
    return Entry(Event.CHECK_EXTEND, str(check.enrolment_id), who, values)


def moved(check: Check, to: UUID, who: str) -> Entry:
    values = {"check": str(check.id), "sitting": str(to), "from_sitting": str(check.sitting_id)}
    return Entry(Event.CHECK_MOVE, str(check.enrolment_id), who, values)


def verdict(
    check: Check,
    outcome: Outcome,
    *,
    final: bool,
    attempt: Attempt | None = None,
    references: Sequence[str] = (),
    why: str | None = None,
) -> Entry:
    """Of pictures when there is an attempt, else of their absence.

    ``references``: the commitments of the photos it was made against; ``why``: a signal that explains it.
    """
    values: dict[str, Any] = {
        "check": str(check.id),
        "attempt": check.attempt if attempt is None else attempt.number,
        "outcome": outcome.value,
        "final": final,
        "signals": ([{"code": why}] if why is not None else []) if attempt is None else attempt.signals,
    }
    if attempt is not None:
        judged = {name: getattr(attempt, name) for name in ("threshold", "mismatch", "engine", "model")}
        values |= {name: value for name, value in judged.items() if value is not None}
        if attempt.score is not None:
            values["score"] = attempt.score
        if references:
            values["references"] = list(references)
    return Entry(Event.CHECK_VERDICT, str(check.enrolment_id), SYSTEM, values)
