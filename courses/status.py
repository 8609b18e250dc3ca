"""From records to what the JSON interface shows of them."""

from __future__ import annotations

from flask import url_for

from courses import rules, wording
from courses.models import Film, FilmState, Upload, UploadPiece
from courses.queries import CourseOutline, LessonSummary
from courses.schemas import CourseStatus, FilmRemarked, FilmStatus, LessonStatus, PieceAt, UploadStatus


def of_upload(upload: Upload, last: UploadPiece | None) -> UploadStatus:
    return UploadStatus(
        upload_id=upload.id,
        name=upload.name,
        size=upload.size,
        offset=upload.offset,
        chunk_bytes=rules.PIECE_BYTES,
        lesson_id=upload.lesson_id,
        film_id=upload.film_id,
        last_piece=PieceAt(start=last.start, size=last.size, sha256=last.sha256) if last is not None else None,
        kept_until=upload.touched_at + rules.ABANDONED_AFTER,
    )


def of_film(film: Film) -> FilmStatus:
    ready = film.state is FilmState.READY
    return FilmStatus(
        film_id=film.id,
        name=film.name,
        state=film.state,
        said=str(wording.FILM_STATE[film.state]),
        progress=film.progress,
        refused_reason=film.refused_reason,
        refused=wording.refusal(film.refused_reason, film.refused_at_ms) if film.refused_reason is not None else None,
        refused_at_ms=film.refused_at_ms,
        remarks=[FilmRemarked(code=code, said=str(wording.REMARK[code])) for code in film.remarks if ready],
        duration_ms=film.duration_ms,
        uploaded_at=film.uploaded_at,
        playlist=url_for("courses.film_file", film_id=film.id, path=rules.PLAYLIST) if ready else None,
        poster=url_for("courses.film_file", film_id=film.id, path=rules.POSTER) if ready else None,
        strip=url_for("courses.film_file", film_id=film.id, path=rules.STRIP) if ready and film.has_strip else None,
    )


def of_lesson(lesson: LessonSummary) -> LessonStatus:
    return LessonStatus(
        lesson_id=lesson.lesson_id,
        position=lesson.position,
        title=lesson.title,
        part=lesson.part,
        film=of_film(lesson.film) if lesson.film is not None else None,
    )


def of_course(course: CourseOutline) -> CourseStatus:
    return CourseStatus(
        course_id=course.course_id,
        title=course.title,
        summary=course.summary,
        lessons=[of_lesson(lesson) for lesson in course.lessons],
    )
