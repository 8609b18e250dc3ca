"""Reads about courses, lessons and films: plain records out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from courses.models import Course, Film, FilmState, Lesson, Upload, UploadPiece
from xueji.rulebook.vocabulary import Part

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class LessonSummary:
    lesson_id: UUID
    position: int
    title: str
    part: Part
    film: Film | None

    @property
    def duration_ms(self) -> int | None:
        """Of its film, once that is ready."""
        return self.film.duration_ms if self.film is not None and self.film.state is FilmState.READY else None


@dataclass(frozen=True, slots=True)
class CourseOutline:
    course_id: UUID
    title: str
    summary: str
    lessons: tuple[LessonSummary, ...]

    @property
    def duration_ms(self) -> int:
        """Of all films that are ready."""
        return sum(lesson.duration_ms or 0 for lesson in self.lessons)

    def count(self, *states: FilmState) -> int:
        """How many of its films are in one of the states."""
        return sum(lesson.film is not None and lesson.film.state in states for lesson in self.lessons)


def courses_of(session: Session, organisation_id: UUID | None) -> list[CourseOutline]:
    """An institution's courses, the newest first, with their lessons and films, in two queries."""
    return _outlines(session, session.scalars(_own(organisation_id)).all())


def courses_page(session: Session, organisation_id: UUID | None, page: int) -> tuple[list[CourseOutline], int]:
    """A page of the same, and how many courses there are."""
    total = session.scalar(select(func.count(Course.id)).where(Course.organisation_id == organisation_id)) or 0
    courses = session.scalars(_own(organisation_id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    return _outlines(session, courses), total


def _own(organisation_id: UUID | None) -> Select[Course]:
    return select(Course).where(Course.organisation_id == organisation_id).order_by(Course.created_at.desc(), Course.id)


def _outlines(session: Session, courses: Sequence[Course]) -> list[CourseOutline]:
    lessons = _lessons(session, [course.id for course in courses])
    return [_outline(course, lessons) for course in courses]


def course_outline(session: Session, course: Course) -> CourseOutline:
    return _outline(course, _lessons(session, [course.id]))


def films_to_choose(session: Session, organisation_id: UUID | None, present: UUID | None) -> list[Film]:
    """The films a lesson can be given, the newest first: those not refused, and its present one."""
    return list(
        session.scalars(
            select(Film)
            .where(Film.organisation_id == organisation_id, or_(Film.state != FilmState.REFUSED, Film.id == present))
            .order_by(Film.uploaded_at.desc(), Film.id)
            .limit(200)
        )
    )


def films_by_id(session: Session, film_ids: Iterable[UUID | None]) -> dict[UUID, Film]:
    """Films by their id, for whoever was already allowed to see the lessons that show them."""
    wanted = {film_id for film_id in film_ids if film_id is not None}
    return {film.id: film for film in session.scalars(select(Film).where(Film.id.in_(wanted)))}


def unfinished_uploads(session: Session, organisation_id: UUID | None) -> list[tuple[Upload, UploadPiece | None]]:
    """An institution's uploads that became no film yet, the newest first, each with the last piece that arrived."""
    uploads = session.scalars(
        select(Upload)
        .where(Upload.organisation_id == organisation_id, Upload.film_id.is_(None))
        .order_by(Upload.touched_at.desc(), Upload.id)
    ).all()
    last = last_pieces(session, [upload.id for upload in uploads])
    return [(upload, last.get(upload.id)) for upload in uploads]


def last_pieces(session: Session, upload_ids: Iterable[UUID]) -> dict[UUID, UploadPiece]:
    """By upload: the piece that arrived last."""
    newest = (
        select(UploadPiece.upload_id, func.max(UploadPiece.start).label("start"))
        .where(UploadPiece.upload_id.in_(list(upload_ids)))
        .group_by(UploadPiece.upload_id)
        .subquery()
    )
    found = session.scalars(
        select(UploadPiece).join(
            newest, and_(newest.c.upload_id == UploadPiece.upload_id, newest.c.start == UploadPiece.start)
        )
    )
    return {piece.upload_id: piece for piece in found}


def _lessons(session: Session, course_ids: list[UUID]) -> dict[UUID, list[LessonSummary]]:
    found = session.execute(
        select(Lesson, Film)
        .outerjoin(Film, Film.id == Lesson.film_id)
        .where(Lesson.course_id.in_(course_ids))
        .order_by(Lesson.course_id, Lesson.position)
    )
    lessons: dict[UUID, list[LessonSummary]] = {}
    for lesson, film in found:
        line = LessonSummary(lesson.id, lesson.position, lesson.title, lesson.part, film)
        lessons.setdefault(lesson.course_id, []).append(line)
    return lessons


def _outline(course: Course, lessons: dict[UUID, list[LessonSummary]]) -> CourseOutline:
    return CourseOutline(course.id, course.title, course.summary, tuple(lessons.get(course.id, ())))
