"""What cohorts do later: close those whose chosen last day is over."""

from __future__ import annotations

from celery import shared_task

from xueji.cohorts.services.closing import close_due_cohorts
from xueji.kernel.tasks import context


@shared_task(name="cohorts.close_cohorts")  # type: ignore[untyped-decorator]
def close_cohorts() -> int:
    """How many were closed."""
    installation = context()
    with installation.database.writing() as session:
        return close_due_cohorts(session, installation.events)
