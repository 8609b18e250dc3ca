"""What enrolment does later: close the cohorts whose chosen last day is over, end photos that are needed no more."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from xueji.enrolment.services import retention
from xueji.enrolment.services.cohorts import close_due_cohorts
from xueji.kernel.tasks import context

SCHEDULE = {"enrolment.close_cohorts": timedelta(minutes=5), "enrolment.end_photos": timedelta(hours=1)}


@shared_task(name="enrolment.close_cohorts")  # type: ignore[untyped-decorator]
def close_cohorts() -> int:
    held = context()
    with held.database.writing() as session:
        return close_due_cohorts(session, held.events)


@shared_task(name="enrolment.end_photos")  # type: ignore[untyped-decorator]
def end_photos() -> int:
    return retention.end_photos(context())
