"""What is done later about checks: judging pictures, and deciding what nobody answered."""

from __future__ import annotations

from celery import shared_task

from xueji.kernel.tasks import context
from xueji.proctoring import services

LEFT_OVER_SECONDS = 15.0
"""How long one turn works on what was left over; the rest is for the next."""
ENDING_SECONDS = 25.0
"""How long one turn deletes pictures; no enrolment is asked about twice on one day."""


@shared_task(name="proctoring.judge")  # type: ignore[untyped-decorator]
def judge(attempt_id: str) -> None:
    """One judgement for each answer, of whoever's pictures it is the turn, which need not be these."""
    del attempt_id
    services.judge_next(context())


@shared_task(name="proctoring.sweep_missed")  # type: ignore[untyped-decorator]
def sweep_missed() -> None:
    with context().database.writing() as session:
        services.sweep_missed(session)


@shared_task(name="proctoring.judge_waiting")  # type: ignore[untyped-decorator]
def judge_waiting() -> None:
    services.judge_left_over(context(), LEFT_OVER_SECONDS)


@shared_task(name="proctoring.end_pictures")  # type: ignore[untyped-decorator]
def end_pictures() -> int:
    return services.end_pictures(context(), ENDING_SECONDS)
