"""What the workers do for courses: films, and sweeping up."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from courses.services import films, uploads
from xueji.kernel import clock
from xueji.kernel.tasks import LONG_LIMITS, context


@shared_task(name="courses.transcode_film", long=True, **LONG_LIMITS)  # type: ignore[untyped-decorator]
def transcode_film(film_id: str) -> None:
    """Make the film, unless it is made already or another worker is at it."""
    films.make_film(context(), UUID(film_id))


@shared_task(name="courses.requeue_films")  # type: ignore[untyped-decorator]
def requeue_films() -> None:
    """Ask again for the films whose task or worker was lost; asking once too often does no harm."""
    with context().database.reading() as session:
        waiting = films.waiting_films(session)
    for film_id in waiting:
        enqueue_film(film_id)


@shared_task(name="courses.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Throw away uploads nobody goes on with and films nobody shows, rows first, files after."""
    with context().database.writing() as session:
        folders = uploads.discard_abandoned(session, now=clock.now())
        folders += films.discard_unused(session, now=clock.now())
    for folder in folders:
        uploads.delete_folder(context().store, folder)


def enqueue_film(film_id: UUID) -> None:
    """To be called after the commit that made the film."""
    transcode_film.delay(str(film_id))
