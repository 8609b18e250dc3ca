"""What identity does later: look for one face under two accounts, and tidy up after a crash."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from xueji.identity import queries, services
from xueji.identity.events import ReferenceStored
from xueji.kernel import clock
from xueji.kernel.tasks import context

log = structlog.get_logger(__name__)

_WAITED = timedelta(minutes=2)


def compare_soon(event: ReferenceStored) -> None:
    """Hand the comparison to a worker; when none can be told, `compare_waiting` finds it."""
    try:
        compare_with_everybody.apply_async((str(event.photo_id),), retry=False)
    except OperationalError as error:
        log.warning("identity.comparison_waits", photo=str(event.photo_id), error=str(error))


@shared_task(name="identity.compare_with_everybody")  # type: ignore[untyped-decorator]
def compare_with_everybody(photo_id: str) -> int:
    return services.compare_with_everybody(context(), UUID(photo_id))


@shared_task(name="identity.compare_waiting")  # type: ignore[untyped-decorator]
def compare_waiting() -> int:
    """One photo a turn: a check that was answered meanwhile is judged before the next."""
    with context().database.reading() as session:
        waiting = queries.photos_to_compare(session, clock.now() - _WAITED)
    for photo_id in waiting:
        raised = services.compare_with_everybody(context(), photo_id)
        with context().database.reading() as session:
            if photo_id not in queries.photos_to_compare(session, clock.now() - _WAITED):
                _go_on(compare_waiting)
                return raised
    return 0


@shared_task(name="identity.remove_deleted_files")  # type: ignore[untyped-decorator]
def remove_deleted_files() -> int:
    with context().database.writing() as session:
        return services.remove_deleted_files(session, context().store)


@shared_task(name="identity.describe_anew")  # type: ignore[untyped-decorator]
def describe_anew() -> int:
    """Photos that an earlier release's model described, before anybody waits for a judgement on them."""
    described = services.describe_all_anew(context())
    if described:
        _go_on(describe_anew)
    return described


def _go_on(task: Any) -> None:
    """Another turn, behind whatever waits by now; without a broker the schedule gives it."""
    try:
        task.apply_async(retry=False)
    except OperationalError as error:
        log.warning("identity.turn_waits", task=task.name, error=str(error))
