"""The demonstration's course: two lessons, whose films are drawn and made here by the product's own steps."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from courses.models import Course, Film, FilmState, Lesson
from courses.services.editing import add_lesson, create_course
from courses.services.films import make_film
from courses.services.uploads import take_in_file
from media_pipeline.demo_film import make_demo_film, make_long_film
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.rulebook.vocabulary import Part

TITLE = "低压电工作业（演示课程）"
LESSONS = (("作业前的安全确认", 240), ("触电急救与应急处置", 120))
"""Title and length in seconds."""


LONG_SECONDS = 300
"""From so long on a film is made small and cheaply."""
PATIENCE_SECONDS = 600
"""For a film that a worker of the running installation has begun with."""
_ON_ITS_WAY = (FilmState.QUEUED, FilmState.WORKING)


class FilmNotMade(RuntimeError):
    """The demonstration's film was refused or is late; the message says so in a sentence."""


SUMMARY = "演示用课程：画面由程序绘制，仅供体验学习、抽查与审计的全过程。"


def make_course(
    context: Context, *, actor: Actor, title: str = TITLE, lessons: Sequence[tuple[str, int]] | None = None
) -> list[UUID]:
    """A course of the demonstration with its lessons in their order, each with a film that is ready. What was renamed,
    given another part or taken away is made anew. ``lessons``: title and length in seconds. Raises FilmNotMade.
    """
    wanted = LESSONS if lessons is None else lessons
    with context.database.writing() as session:
        course = session.scalar(
            select(Course)
            .where(Course.title == title, Course.organisation_id == actor.organisation_id)
            .order_by(Course.created_at.desc())
            .limit(1)
        )
        if course is None:
            course = create_course(session, actor=actor, title=title, summary=SUMMARY)
        theory = select(Lesson).filter_by(course_id=course.id, part=Part.THEORY)
        there = {lesson.title: lesson for lesson in session.scalars(theory)}
        taught = [
            there.get(name) or add_lesson(session, actor=actor, course_id=course.id, title=name)
            for name, _seconds in wanted
        ]
    with ThreadPoolExecutor(len(wanted)) as pool:
        made = [
            pool.submit(_make_film, context, actor, lesson, seconds)
            for lesson, (_name, seconds) in zip(taught, wanted, strict=True)
        ]
    for film in made:
        film.result()
    return [lesson.id for lesson in taught]


def _make_film(context: Context, actor: Actor, lesson: Lesson, seconds: int) -> None:
    film_id = lesson.film_id
    if film_id is None or _state(context, film_id) is FilmState.REFUSED:
        with tempfile.TemporaryDirectory(prefix="xueji-film-") as folder:
            file = Path(folder) / f"{lesson.title}.mp4"
            (make_demo_film if seconds < LONG_SECONDS else make_long_film)(file, seconds, lesson.title)
            film_id = take_in_file(context, actor=actor, file=file, lesson_id=lesson.id)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not make_film(context, film_id) and _state(context, film_id) in _ON_ITS_WAY:
        if time.monotonic() > deadline:
            raise FilmNotMade(f"the film of “{lesson.title}” is still being made: run `xueji demo` again later")
        time.sleep(0.5)
    if _state(context, film_id) is FilmState.REFUSED:
        raise FilmNotMade(f"the film of “{lesson.title}” was refused: `xueji doctor` says what this machine lacks")


def _state(context: Context, film_id: UUID) -> FilmState:
    with context.database.reading() as session:
        return session.get_one(Film, film_id).state
