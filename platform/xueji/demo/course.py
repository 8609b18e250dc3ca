"""The demonstration's course: two lessons, whose films are drawn and made here by the product's own steps."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from courses.models import Course, Film, FilmState, Lesson
from courses.services.editing import add_lesson, create_course
from courses.services.films import make_film
from courses.services.uploads import take_in_file
from media_pipeline.demo_film import make_demo_film
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context

TITLE = "低压电工作业（演示课程）"
LESSONS = (("作业前的安全确认", 240), ("触电急救与应急处置", 120))
"""Title and length in seconds."""


class FilmNotMade(RuntimeError):
    """The demonstration's film was refused; the message says why."""


def make_course(context: Context, *, actor: Actor) -> UUID:
    """Raises FilmNotMade."""
    with context.database.writing() as session:
        course = session.scalar(
            select(Course).where(Course.title == TITLE, Course.organisation_id == actor.organisation_id)
        )
        if course is None:
            summary = "演示用课程：画面由程序绘制，仅供体验学习、抽查与审计的全过程。"
            course = create_course(session, actor=actor, title=TITLE, summary=summary)
            for title, _seconds in LESSONS:
                add_lesson(session, actor=actor, course_id=course.id, title=title)
        course_id = course.id
        lessons = {lesson.title: lesson for lesson in session.scalars(select(Lesson).filter_by(course_id=course_id))}
    with ThreadPoolExecutor(len(LESSONS)) as pool:
        made = [pool.submit(_make_film, context, actor, lessons[title], seconds) for title, seconds in LESSONS]
    for film in made:
        film.result()
    return course_id


def _make_film(context: Context, actor: Actor, lesson: Lesson, seconds: int) -> None:
    film_id = lesson.film_id
    if film_id is None:
        with tempfile.TemporaryDirectory(prefix="xueji-film-") as folder:
            file = Path(folder) / f"{lesson.title}.mp4"
            make_demo_film(file, seconds, lesson.title)
            film_id = take_in_file(context, actor=actor, file=file, lesson_id=lesson.id)
    make_film(context, film_id)
    with context.database.reading() as session:
        film = session.get_one(Film, film_id)
        if film.state is FilmState.REFUSED:
            raise FilmNotMade(f"{lesson.title}: {film.refused_reason}")
