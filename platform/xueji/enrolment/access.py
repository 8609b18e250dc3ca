"""The only way to get a cohort or an enrolment for somebody: hers to see, or not found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from courses.events import FilmAsked
from courses.models import Lesson
from xueji.cohorts.access import access_own_cohort, seen_cohorts, sees_whole_cohort
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.one_lesson import lessons_of_enrolments
from xueji.enrolment.queries import EnrolmentFacts
from xueji.identity.models import Membership, Person, ReferencePhoto
from xueji.identity.queries import is_herself, reference_photos, same_person, standing_file
from xueji.kernel.actor import Actor, Role
from xueji.kernel.driver_sql import Cursor
from xueji.kernel.errors import NotFound
from xueji.trace.events import LeavesAsked

_HOLD_COHORTS = (
    "SELECT cohort.id FROM cohort WHERE id IN (SELECT cohort_id FROM enrolment WHERE {})"
    " ORDER BY cohort.id FOR SHARE OF cohort"
)
_HOLD_ENROLMENTS = "SELECT id FROM enrolment WHERE {} ORDER BY id FOR SHARE"


def access_enrolment(session: Session, actor: Actor, enrolment_id: UUID) -> Enrolment:
    """A trainee's own; an institution's in its cohorts; an enterprise's members; a regulator's in her jurisdiction.

    Raises NotFound for everything else, and for what does not exist.
    """
    found = session.execute(
        select(Enrolment, Cohort).join(Cohort, Cohort.id == Enrolment.cohort_id).where(Enrolment.id == enrolment_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    enrolment, cohort = found
    if (
        is_herself(session, enrolment.person_id, actor.person_id)
        or sees_whole_cohort(actor, cohort)
        or (
            actor.is_(Role.ENTERPRISE)
            and actor.organisation_id is not None
            and session.scalar(select(_is_member(actor.organisation_id)).where(Enrolment.id == enrolment_id))
        )
    ):
        return enrolment
    raise NotFound


class OwnLesson(NamedTuple):
    """What somebody wants to study."""

    person_id: UUID
    """Who signed in."""
    enrolment_id: UUID
    lesson_id: UUID


def access_own_lessons(
    session: Session, asked: Sequence[OwnLesson]
) -> list[tuple[EnrolmentFacts, LessonFacts] | NotFound]:
    """To study: for each, a lesson of one's own enrolment's cohort. The facts hold this lesson alone.

    Until the transaction ends nobody closes the cohorts, changes their days or lets anybody out. Locks are taken in one
    order everywhere: cohort, enrolment, person, sitting, check, chain; of each, in the order of the keys.
    """
    plain = Cursor(session)
    if not plain.is_sqlite:  # whose writer is alone already
        keys = plain.keys(each.enrolment_id for each in asked)
        plain.rows(_HOLD_COHORTS.format(plain.any_of("id")), keys)
        plain.rows(_HOLD_ENROLMENTS.format(plain.any_of("id")), keys)
    found = lessons_of_enrolments(session, [(each.enrolment_id, each.lesson_id) for each in asked])

    def her_own(each: OwnLesson) -> tuple[EnrolmentFacts, LessonFacts] | NotFound:
        facts = found.get((each.enrolment_id, each.lesson_id))
        if facts is None or not is_herself(session, facts[0].person_id, each.person_id):
            return NotFound()
        return facts

    return [her_own(each) for each in asked]


def access_cohort(session: Session, actor: Actor, cohort_id: UUID) -> Cohort:
    """To look at: the institution's own; one where she or the enterprise's people are; one in the jurisdiction.

    Raises NotFound.
    """
    cohort = session.get(Cohort, cohort_id)
    if cohort is None:
        raise NotFound
    if sees_whole_cohort(actor, cohort) or session.scalar(select(_concerns(actor, cohort_id))):
        return cohort
    raise NotFound


def access_own_enrolment(session: Session, actor: Actor, enrolment_id: UUID) -> tuple[Enrolment, Cohort]:
    """To change: an enrolment in the institution's own cohort, which stays as it is until the transaction ends.

    Raises NotFound.
    """
    cohort_id = session.scalar(select(Enrolment.cohort_id).where(Enrolment.id == enrolment_id))
    if cohort_id is None:
        raise NotFound
    locked = select(Cohort).where(Cohort.id == cohort_id).with_for_update(read=True)
    session.scalars(locked.execution_options(populate_existing=True)).one()
    cohort = access_own_cohort(session, actor, cohort_id)
    return session.get_one(Enrolment, enrolment_id, with_for_update=True, populate_existing=True), cohort


def access_reference(
    session: Session, actor: Actor, enrolment_id: UUID, photo_id: UUID | None = None, *, lock: bool = False
) -> tuple[Enrolment, list[ReferencePhoto]]:
    """The reference photos of somebody enrolled, to hold against her document or beside a check; or only one of them.

    For the institution of the cohort and the regulators above it; never for herself here, never for an employer. The
    view that shows one has the look recorded. Raises NotFound.
    """
    enrolment = access_enrolment(session, actor, enrolment_id)
    if not actor.is_(Role.INSTITUTION, Role.REGULATOR) or is_herself(session, enrolment.person_id, actor.person_id):
        raise NotFound
    # Of a file that was joined: what checks are made against now, and what they were made against before.
    files = sorted({standing_file(session, enrolment.person_id), enrolment.person_id})
    if lock:
        session.scalars(select(Person.id).where(Person.id.in_(files)).order_by(Person.id).with_for_update()).all()
    photos = [photo for each in files for photo in reference_photos(session, each)]
    if photo_id is not None:
        photos = [photo for photo in photos if photo.id == photo_id]
        if not photos:
            raise NotFound
    return enrolment, photos


def allow_film(asked: FilmAsked) -> None:
    """Films of a cohort's lessons are seen by its trainees and by the regulators of its region (`courses` asks)."""
    cohorts = asked.session.execute(
        select(Cohort)
        .join(CohortLesson, CohortLesson.cohort_id == Cohort.id)
        .join(Lesson, Lesson.id == CohortLesson.lesson_id)
        .where(func.coalesce(CohortLesson.film_id, Lesson.film_id) == asked.film_id, Cohort.state != CohortState.DRAFT)
    ).scalars()
    for cohort in cohorts:
        if sees_whole_cohort(asked.actor, cohort) or asked.session.scalar(select(_studies(asked.actor, cohort.id))):
            asked.allowed = True
            return


def allow_leaves(asked: LeavesAsked) -> None:
    """A regulator reads the chains of the enrolments in cohorts she sees (`trace` asks)."""
    ids = {}
    for chain in asked.chains:
        try:
            ids[UUID(chain)] = chain
        except ValueError:
            continue  # the platform's, a cohort's or the log's own
    seen = (
        select(Enrolment.id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(Enrolment.id.in_(ids), seen_cohorts(asked.actor))
    )
    asked.allowed |= {ids[enrolment_id] for enrolment_id in asked.session.scalars(seen)}


def _studies(actor: Actor, cohort_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        Enrolment.cohort_id == cohort_id,
        same_person(Enrolment.person_id, actor.person_id),
        Enrolment.state == EnrolmentState.ACTIVE,
    )


def _concerns(actor: Actor, cohort_id: UUID) -> ColumnElement[bool]:
    enrolled = exists().where(Enrolment.cohort_id == cohort_id, same_person(Enrolment.person_id, actor.person_id))
    if not actor.is_(Role.ENTERPRISE) or actor.organisation_id is None:
        return enrolled
    return enrolled | exists().where(Enrolment.cohort_id == cohort_id, _is_member(actor.organisation_id))


def _is_member(organisation_id: UUID) -> ColumnElement[bool]:
    """Of an enrolment: whether its person belongs to the organisation."""
    return exists().where(Membership.person_id == Enrolment.person_id, Membership.organisation_id == organisation_id)
