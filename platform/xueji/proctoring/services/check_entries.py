"""How checks stand in the trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from xueji.proctoring.leaves import (
    AttemptSignal,
    CheckDue,
    CheckExtended,
    CheckJudged,
    CheckMoved,
    CheckRedelivered,
)
from xueji.proctoring.models import Attempt, Check
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.leaf import Entry
from xueji.trace.rules import SYSTEM


def due(check: Check, who: str, at_ms: int) -> Entry:
    """The check is asked from ``at_ms`` (epoch ms) on."""
    leaf = CheckDue(
        check=str(check.id),
        sitting=str(check.occasion_id),
        kind=check.kind,
        at_ms=at_ms,
        answer_by_ms=check.answer_by_ms,
        attempt=check.attempt,
    )
    return Entry(leaf, str(check.enrolment_id), who)


def redelivered(check: Check, who: str) -> Entry:
    """Its window begins again."""
    leaf = CheckRedelivered(check=str(check.id), answer_by_ms=check.answer_by_ms)
    return Entry(leaf, str(check.enrolment_id), who)


def extended(check: Check, question: str, who: str) -> Entry:
    """Its window is longer because of the browser's ``question`` about the camera."""
    leaf = CheckExtended(check=str(check.id), question=question, answer_by_ms=check.answer_by_ms)
    return Entry(leaf, str(check.enrolment_id), who)


def moved(check: Check, to: UUID, who: str) -> Entry:
    """It goes on in another sitting of the same enrolment."""
    leaf = CheckMoved(check=str(check.id), sitting=str(to), from_sitting=str(check.occasion_id))
    return Entry(leaf, str(check.enrolment_id), who)


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
    noticed = [] if why is None else [AttemptSignal(code=why)]
    signals = noticed if attempt is None else cast(list[AttemptSignal], attempt.signals)
    leaf = CheckJudged(
        check=str(check.id),
        attempt=check.attempt if attempt is None else attempt.number,
        outcome=outcome.value,
        final=final,
        signals=signals,
        threshold=attempt.threshold if attempt is not None else None,
        mismatch=attempt.mismatch if attempt is not None else None,
        engine=attempt.engine if attempt is not None else None,
        model=attempt.model if attempt is not None else None,
        score=attempt.score if attempt is not None else None,
        references=list(references) if attempt is not None and references else None,
    )
    return Entry(leaf, str(check.enrolment_id), SYSTEM)
