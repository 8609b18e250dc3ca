"""What enrolment does later: end photos that are needed no more."""

from __future__ import annotations

from celery import shared_task

from xueji.enrolment.services import retention
from xueji.kernel.tasks import context


@shared_task(name="enrolment.end_photos")  # type: ignore[untyped-decorator]
def end_photos() -> int:
    """Of how many people."""
    return retention.end_photos(context())
