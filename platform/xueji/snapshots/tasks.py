"""What is done later about checks: judging pictures, and deciding what nobody answered."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task

from xueji.kernel.tasks import context
from xueji.snapshots import services

SCHEDULE = {
    "snapshots.sweep_missed": timedelta(seconds=5),
    "snapshots.judge_waiting": timedelta(seconds=20),
}


@shared_task(name="snapshots.judge")  # type: ignore[untyped-decorator]
def judge(attempt_id: str) -> None:
    services.judge_attempt(context(), UUID(attempt_id))


@shared_task(name="snapshots.sweep_missed")  # type: ignore[untyped-decorator]
def sweep_missed() -> None:
    with context().database.writing() as session:
        services.sweep_missed(session)


@shared_task(name="snapshots.judge_waiting")  # type: ignore[untyped-decorator]
def judge_waiting() -> None:
    """Whatever was answered and not judged: its task was lost with a worker or the broker, or the engine was down."""
    with context().database.reading() as session:
        waiting = services.waiting_attempts(session)
    for attempt_id in waiting:
        services.judge_attempt(context(), attempt_id)
