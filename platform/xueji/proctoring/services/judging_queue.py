"""Judging in turn: any process that is free takes up whoever's turn it is."""

from __future__ import annotations

from collections.abc import Set
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.proctoring.judging_order import REMEMBERED_MS, WaitingAnswer, whose_turn
from xueji.proctoring.models import Attempt, Check
from xueji.proctoring.rules import CheckState
from xueji.proctoring.services.judging import JUDGE_AGAIN_AFTER_MS, judge_attempt

MOST_LOOKED_AT = 500
"""Waiting attempts among which the turn is given, the oldest."""


def judge_next(context: Context, *, but: Set[UUID] = frozenset(), waits_ms: int = 0) -> UUID | None:
    """Judge the attempt whose turn it is; which one it was, or None when nobody's turn is now.

    ``but``: attempts not to be tried again. ``waits_ms``: only what was answered at least so long ago.
    """
    with context.database.writing() as session:
        taken = _take(session, clock.to_ms(clock.now()), but, waits_ms)
    if taken is None:
        return None
    try:
        judge_attempt(context, taken)
    finally:
        # What could not be judged waits for the next turn, and is nobody's meanwhile.
        with context.database.writing() as session:
            session.execute(update(Attempt).where(Attempt.id == taken).values(taken_ms=None))
    return taken


def judge_left_over(context: Context, seconds: float) -> int:
    """Judge what nobody has judged though it was answered a while ago, for about so long; how many were tried.

    Its task was lost with a worker or the broker, or the engine was down.
    """
    tried: set[UUID] = set()
    end = clock.to_ms(clock.now()) + round(seconds * 1000)
    while clock.to_ms(clock.now()) < end:
        attempt_id = judge_next(context, but=tried, waits_ms=JUDGE_AGAIN_AFTER_MS)
        if attempt_id is None:
            break
        tried.add(attempt_id)
    return len(tried)


def _take(session: Session, now_ms: int, but: Set[UUID], waits_ms: int) -> UUID | None:
    unjudged = (Check.state == CheckState.ANSWERED, Attempt.outcome.is_(None))
    # Two processes that look at the same time take turns: the second sees what the first has taken.
    rows = session.execute(
        select(Attempt.id, Check.person_id, Attempt.answered_ms, Attempt.taken_ms)
        .join(Check, Check.id == Attempt.check_id)
        .where(*unjudged, Attempt.answered_ms <= now_ms - waits_ms)
        .order_by(Attempt.answered_ms, Attempt.id)
        .limit(MOST_LOOKED_AT)
        .with_for_update(of=Attempt)
    ).all()
    waiting = [WaitingAnswer(*row) for row in rows]
    judged = session.execute(
        select(Check.person_id, func.max(Attempt.judged_ms))
        .join(Check, Check.id == Attempt.check_id)
        .where(Attempt.judged_ms > now_ms - REMEMBERED_MS, Check.person_id.in_({each.person_id for each in waiting}))
        .group_by(Check.person_id)
    )
    chosen = whose_turn(waiting, {person: at or 0 for person, at in judged}, now_ms, but=but)
    if chosen is None:
        return None
    session.execute(update(Attempt).where(Attempt.id == chosen.attempt_id).values(taken_ms=now_ms))
    return chosen.attempt_id
