"""Making and changing courses and their lessons."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses import rules
from courses.access import access_course, access_film, access_lesson, access_lesson_to_change
from courses.models import Course, Film, FilmState, Lesson
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.errors import Invalid, NotFound
from xueji.kernel.events import Events
from xueji.rulebook.vocabulary import Part


def create_course(session: Session, *, actor: Actor, title: str, summary: str = "") -> Course:
    """A course of the actor's institution. Raises NotFound for somebody who acts for none."""
    if actor.organisation_id is None:
        raise NotFound
    course = Course(
        organisation_id=actor.organisation_id, title=title.strip(), summary=summary.strip(), created_at=clock.now()
    )
    session.add(course)
    session.flush()
    return course


def describe_course(session: Session, *, actor: Actor, course_id: UUID, title: str, summary: str) -> Course:
    course = access_course(session, actor, course_id)
    course.title, course.summary = title.strip(), summary.strip()
    return course


def add_lesson(
    session: Session,
    *,
    actor: Actor,
    course_id: UUID,
    title: str,
    part: Part = Part.THEORY,
    film_id: UUID | None = None,
) -> Lesson:
    """A lesson at the end of the course. Raises NotFound, Invalid (a practical lesson with a film)."""
    course = access_course(session, actor, course_id)
    last = session.scalar(select(func.max(Lesson.position)).where(Lesson.course_id == course.id)) or 0
    lesson = Lesson(course_id=course.id, position=last + 1, title=title.strip(), part=part)
    if film_id is not None:
        show_film(lesson, access_film(session, actor, film_id))
    session.add(lesson)
    session.flush()
    return lesson


def change_lesson(
    session: Session, *, actor: Actor, events: Events, lesson_id: UUID, title: str, part: Part, film_id: UUID | None
) -> Lesson:
    """Rename a lesson, and change its part and film unless a cohort has begun with it.

    Raises NotFound, LessonInUse, Invalid.
    """
    lesson = access_lesson(session, actor, lesson_id, lock=True)
    lesson.title = title.strip()
    if lesson.part is not part or lesson.film_id != film_id:
        access_lesson_to_change(session, actor, lesson_id, events)
        lesson.part, lesson.film_id = part, None
        if film_id is not None:
            show_film(lesson, access_film(session, actor, film_id))
    return lesson


def move_lesson(session: Session, *, actor: Actor, lesson_id: UUID, to: int) -> None:
    """Put a lesson at another place of its course, from 1. Cohorts keep the order they began with."""
    lesson = access_lesson(session, actor, lesson_id)
    lessons = list(
        session.scalars(select(Lesson).where(Lesson.course_id == lesson.course_id).order_by(Lesson.position))
    )
    for position, each in enumerate(rules.moved(lessons, lesson, to), 1):
        each.position = position


def remove_lesson(session: Session, *, actor: Actor, events: Events, lesson_id: UUID) -> None:
    """Raises NotFound, LessonInUse. Its film stays until it is swept away."""
    lesson = access_lesson_to_change(session, actor, lesson_id, events, removed=True)
    later = session.scalars(
        select(Lesson).where(Lesson.course_id == lesson.course_id, Lesson.position > lesson.position)
    )
    for each in later:
        each.position -= 1
    session.delete(lesson)


def show_film(lesson: Lesson, film: Film) -> None:
    """Raises Invalid for a film that was refused, and in a practical lesson: that is taught in person (003 art. 8)."""
    if film.state is FilmState.REFUSED or lesson.part is Part.PRACTICAL:
        raise Invalid
    lesson.film_id = film.id
