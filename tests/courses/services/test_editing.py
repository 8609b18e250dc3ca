"""Courses and lessons: made, ordered, changed; and what a cohort has begun with stays."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from support.school import School, new_school

from courses import queries
from courses.errors import LessonInUse
from courses.models import Course, FilmState, Lesson
from courses.services import editing
from xueji.cohorts.models import CohortLesson
from xueji.kernel.context import Context
from xueji.kernel.errors import Invalid, NotFound
from xueji.rulebook.vocabulary import Part
from xueji.wiring import connect


@pytest.fixture
def school(context: Context) -> School:
    connect(context)
    return new_school(context)


@pytest.fixture
def course(school: School) -> Course:
    with school.context.database.writing() as session:
        course = editing.create_course(session, actor=school.staff, title="有限空间作业")
        for title in "甲乙丙":
            editing.add_lesson(session, actor=school.staff, course_id=course.id, title=title)
        return course


def lessons(school: School, course: Course) -> list[tuple[int, str, UUID]]:
    with school.context.database.reading() as session:
        outline = queries.course_outline(session, session.get_one(Course, course.id))
    return [(line.position, line.title, line.lesson_id) for line in outline.lessons]


def change(school: School, lesson: Lesson, **changes: object) -> Lesson:
    values = {"title": lesson.title, "part": lesson.part, "film_id": lesson.film_id, **changes}
    with school.context.database.writing() as session:
        return editing.change_lesson(
            session,
            actor=school.staff,
            events=school.context.events,
            lesson_id=lesson.id,
            **values,  # type: ignore[arg-type]
        )


def remove(school: School, lesson_id: UUID) -> None:
    with school.context.database.writing() as session:
        editing.remove_lesson(session, actor=school.staff, events=school.context.events, lesson_id=lesson_id)


def test_lessons_keep_an_order_without_gaps(school: School, course: Course) -> None:
    third = lessons(school, course)[2][2]
    with school.context.database.writing() as session:
        editing.move_lesson(session, actor=school.staff, lesson_id=third, to=1)
    assert [(place, title) for place, title, _id in lessons(school, course)] == [(1, "丙"), (2, "甲"), (3, "乙")]
    remove(school, lessons(school, course)[1][2])
    assert [(place, title) for place, title, _id in lessons(school, course)] == [(1, "丙"), (2, "乙")]


def test_a_practical_lesson_shows_no_film(school: School) -> None:
    lesson = school.lesson()
    with pytest.raises(Invalid):
        change(school, lesson, part=Part.PRACTICAL)
    assert change(school, lesson, part=Part.PRACTICAL, film_id=None).part is Part.PRACTICAL
    with pytest.raises(Invalid):
        change(school, lesson, part=Part.PRACTICAL, film_id=school.film())


def test_a_refused_film_is_shown_by_no_lesson(school: School) -> None:
    with pytest.raises(Invalid):
        change(school, school.lesson(None), film_id=school.film(state=FilmState.REFUSED))


def test_what_a_cohort_has_begun_with_stays_but_may_be_renamed(school: School) -> None:
    lesson = school.lesson()
    school.cohort(lesson)
    assert change(school, lesson, title="新名称").title == "新名称"
    with pytest.raises(LessonInUse):
        change(school, lesson, film_id=school.film())
    with pytest.raises(LessonInUse):
        remove(school, lesson.id)


def test_a_lesson_of_a_draft_may_go_and_leaves_the_draft(school: School) -> None:
    lesson = school.lesson()
    school.draft(lesson)
    remove(school, lesson.id)
    with school.context.database.reading() as session:
        assert session.scalar(select(CohortLesson)) is None


def test_another_institutions_courses_lessons_and_films_are_not_found(school: School, course: Course) -> None:
    stranger = new_school(school.context)
    lesson = school.lesson()
    with pytest.raises(NotFound):
        change(stranger, lesson, title="x")
    with pytest.raises(NotFound):
        remove(stranger, lesson.id)
    with pytest.raises(NotFound):
        change(school, lesson, film_id=stranger.film())
    with school.context.database.writing() as session, pytest.raises(NotFound):
        editing.add_lesson(session, actor=stranger.staff, course_id=course.id, title="x")
    with school.context.database.writing() as session, pytest.raises(NotFound):
        editing.describe_course(session, actor=stranger.staff, course_id=course.id, title="x", summary="")
