"""Keeping statements for lists: what has grown is worked out again, once it rests."""

from __future__ import annotations

from celery import shared_task

from xueji.hours import services
from xueji.kernel.tasks import context


@shared_task(name="hours.keep_accounts")  # type: ignore[untyped-decorator]
def keep_accounts() -> None:
    database = context().database
    with database.writing() as session:
        services.notice_growth(session)
    with database.reading() as session:
        due = services.accounts_due(session)
    for enrolment_id in due:
        services.keep_account(database, enrolment_id)
    if due:
        services.keep_people(database, due)
