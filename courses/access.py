"""The only way to get a course, a lesson, a film or an upload for somebody: hers to see, or not found."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from courses.events import FilmAsked, LessonChanging
from courses.models import Course, Film, FilmState, Lesson, Upload
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.kernel.events import Events

DECISION_LASTS = timedelta(minutes=1)
MOST_DECISIONS = 20_000


def access_course(session: Session, actor: Actor, course_id: UUID) -> Course:
    """The institution's own. Raises NotFound."""
    course = session.get(Course, course_id)
    if course is None or not _owns(actor, course.organisation_id):
        raise NotFound
    return course


def access_lesson(session: Session, actor: Actor, lesson_id: UUID, *, lock: bool = False) -> Lesson:
    """A lesson of the institution's own course. With ``lock`` nobody builds on it until the transaction ends.

    Raises NotFound.
    """
    lesson = session.get(Lesson, lesson_id, with_for_update=lock, populate_existing=lock)
    if lesson is None:
        raise NotFound
    access_course(session, actor, lesson.course_id)
    return lesson


def access_lesson_to_change(
    session: Session, actor: Actor, lesson_id: UUID, events: Events, *, removed: bool = False
) -> Lesson:
    """The same, unless somebody above has built on it: then the handler's refusal is raised (LessonInUse)."""
    lesson = access_lesson(session, actor, lesson_id, lock=True)
    events.publish(LessonChanging(session, lesson.id, removed))
    return lesson


def access_upload(session: Session, actor: Actor, upload_id: UUID, *, lock: bool = False) -> Upload:
    """An upload of the own institution. With ``lock`` nobody else changes it until the transaction ends.

    Raises NotFound.
    """
    upload = session.get(Upload, upload_id, with_for_update=lock)
    if upload is None or not _owns(actor, upload.organisation_id):
        raise NotFound
    return upload


def access_film(session: Session, actor: Actor, film_id: UUID) -> Film:
    """A film of the own institution, in any state. Raises NotFound."""
    film = session.get(Film, film_id)
    if film is None or not _owns(actor, film.organisation_id):
        raise NotFound
    return film


def access_film_folder(session: Session, actor: Actor, film_id: UUID, events: Events) -> str:
    """Where the files of a finished film lie, for whoever may watch it: its institution, and whom a handler of
    `FilmAsked` allows. Raises NotFound."""
    film = session.get(Film, film_id)
    if film is None or film.state is not FilmState.READY or film.folder is None:
        raise NotFound
    if not _owns(actor, film.organisation_id):
        asked = FilmAsked(session, actor, film_id)
        events.publish(asked)
        if not asked.allowed:
            raise NotFound
    return film.folder


class FilmDecisions:
    """Who was lately found to be allowed which film: a player asks for one every two seconds.

    Only permissions are remembered, for a minute, by login session; whoever signs out or in again is asked anew.
    """

    def __init__(self) -> None:
        self._allowed: dict[tuple[UUID, UUID], tuple[datetime, str]] = {}

    def find(self, login_session_id: UUID, film_id: UUID, now: datetime) -> str | None:
        """The film's folder, when that was decided within the last minute."""
        until, folder = self._allowed.get((login_session_id, film_id), (now, ""))
        return folder if until > now else None

    def keep(self, login_session_id: UUID, film_id: UUID, folder: str, now: datetime) -> None:
        if len(self._allowed) >= MOST_DECISIONS:
            self._allowed = {key: value for key, value in self._allowed.items() if value[0] > now}
        if len(self._allowed) < MOST_DECISIONS:
            self._allowed[login_session_id, film_id] = (now + DECISION_LASTS, folder)


def _owns(actor: Actor, organisation_id: UUID) -> bool:
    return actor.is_(Role.INSTITUTION) and actor.organisation_id == organisation_id
