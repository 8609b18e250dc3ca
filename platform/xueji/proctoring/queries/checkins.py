"""Who is known by staff and where they vouch for her now, and the check-ins that were."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from xueji.attendance.models import ClassSession
from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.roster_queries import PER_PAGE as ROSTER_PAGE
from xueji.identity.models import Person
from xueji.identity.queries import files_of, files_of_each
from xueji.identity.rules import ProofRoute
from xueji.occasions.hosts import last_begun
from xueji.proctoring.models import CheckIn, CheckInLook
from xueji.proctoring.queries.checks import PER_PAGE


@dataclass(frozen=True, slots=True)
class OpenCheckIn:
    """A check-in that is open now; times in epoch ms."""

    check_in_id: UUID
    enrolment_id: UUID
    place: str
    opened_ms: int
    until_ms: int
    confirmed_ms: int
    studying: bool
    """Whether the trainee has begun something under it that has not ended."""
    coded: bool
    """Whether she has typed the code shown in the room."""


@dataclass(frozen=True, slots=True)
class Attendant:
    """A trainee of a cohort who is known by staff, not by a camera."""

    enrolment_id: UUID
    person_id: UUID
    name_masked: str
    id_number_masked: str
    here: OpenCheckIn | None
    elsewhere: bool
    """Checked in for another of her trainings."""


@dataclass(frozen=True, slots=True)
class Room:
    """A cohort's trainees on the supervised route, as a whole; times in epoch ms."""

    here: int
    away: int
    places: tuple[str, ...]
    """Where those are who are here."""
    seen_ms: int | None
    """When the one of them was seen whom nobody has seen for longest; None while nobody is here."""


def room_of(session: Session, cohort_id: UUID, now_ms: int) -> Room:
    """Whatever a page of them shows; one query."""
    rows = session.execute(
        _supervised(cohort_id, now_ms)
        .with_only_columns(CheckIn.place, func.count(Enrolment.id), func.min(CheckIn.confirmed_ms))
        .group_by(CheckIn.place)
    ).all()
    here = [row for row in rows if row[0] is not None]
    return Room(
        here=sum(row[1] for row in here),
        away=sum(row[1] for row in rows if row[0] is None),
        places=tuple(sorted(row[0] for row in here)),
        seen_ms=min((row[2] for row in here), default=None),
    )


def attendants(
    session: Session, cohort_id: UUID, now_ms: int, *, here: bool, page: int, among: Collection[UUID] | None = None
) -> tuple[list[Attendant], int]:
    """A page of the cohort's trainees on the supervised route who are here, or who are not; and how many they are.

    Those who are here in the order in which they were last seen, the others as they were enrolled. ``among``:
    enrolments that were looked for; None is everybody.
    """
    chosen = _supervised(cohort_id, now_ms).where(CheckIn.id.is_not(None) if here else CheckIn.id.is_(None))
    if among is not None:
        chosen = chosen.where(Enrolment.id.in_(among))
    total = session.scalar(chosen.with_only_columns(func.count(Enrolment.id))) or 0
    latest = [CheckIn.confirmed_ms] if here else []
    rows = session.execute(
        chosen.order_by(*latest, Enrolment.enrolled_at, Enrolment.id)
        .limit(ROSTER_PAGE)
        .offset((page - 1) * ROSTER_PAGE)
    ).all()
    files = files_of_each(session, [person_id for _, person_id, _, _ in rows])
    open_ = _open_check_ins(session, {file for each in files.values() for file in each}, now_ms)
    found = []
    for enrolment_id, person_id, name_masked, number_masked in rows:
        presence = next((open_[file] for file in files[person_id] if file in open_), None)
        elsewhere = presence is not None and presence.enrolment_id != enrolment_id
        found.append(
            Attendant(enrolment_id, person_id, name_masked, number_masked, None if elsewhere else presence, elsewhere)
        )
    return found, total


def _supervised(cohort_id: UUID, now_ms: int) -> Select[UUID, UUID, str, str]:
    """Each with her check-in of this cohort that is open now; one person has one at most."""
    open_ = and_(CheckIn.enrolment_id == Enrolment.id, CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms)
    return (
        select(Enrolment.id, Person.id, Person.name_masked, Person.id_number_masked)
        .join(Person, Person.id == Enrolment.person_id)
        .outerjoin(CheckIn, open_)
        .where(
            Enrolment.cohort_id == cohort_id,
            Enrolment.state == EnrolmentState.ACTIVE,
            Person.proof_route == ProofRoute.SUPERVISED,
        )
    )


def presence_of(session: Session, person_id: UUID, now_ms: int) -> OpenCheckIn | None:
    """Where and until when staff vouch for somebody now."""
    return next(iter(_open_check_ins(session, files_of(session, person_id), now_ms).values()), None)


def _open_check_ins(session: Session, person_ids: Iterable[UUID], now_ms: int) -> dict[UUID, OpenCheckIn]:
    check_ins = session.scalars(
        select(CheckIn).where(
            CheckIn.person_id.in_(list(person_ids)), CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms
        )
    ).all()
    begun = last_begun(session, [check_in.enrolment_id for check_in in check_ins]) if check_ins else {}
    return {
        check_in.person_id: OpenCheckIn(
            check_in_id=check_in.id,
            enrolment_id=check_in.enrolment_id,
            place=check_in.place,
            opened_ms=check_in.opened_ms,
            until_ms=check_in.until_ms,
            confirmed_ms=check_in.confirmed_ms,
            studying=begun.get(check_in.enrolment_id, -1) >= check_in.opened_ms,
            coded=check_in.code_ms is not None,
        )
        for check_in in check_ins
    }


@dataclass(frozen=True, slots=True)
class CheckInCohort:
    cohort_id: UUID
    title: str
    supervised: int
    """Trainees known by staff."""
    here: int
    """Of these, checked in now."""


def check_in_cohorts(
    session: Session, organisation_id: UUID, now_ms: int, page: int
) -> tuple[list[CheckInCohort], int]:
    """A page of the institution's open cohorts with how many of their trainees are here; and how many there are."""
    open_ = (Cohort.organisation_id == organisation_id, Cohort.state == CohortState.OPEN)
    total = session.scalar(select(func.count(Cohort.id)).where(*open_)) or 0
    here = (
        select(CheckIn.id)
        .where(CheckIn.enrolment_id == Enrolment.id, CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms)
        .exists()
    )
    supervised = and_(Enrolment.state == EnrolmentState.ACTIVE, Person.proof_route == ProofRoute.SUPERVISED)
    rows = session.execute(
        select(
            Cohort.id,
            Cohort.title,
            func.count(Enrolment.id).filter(supervised),
            func.count(Enrolment.id).filter(and_(supervised, here)),
        )
        .outerjoin(Enrolment, Enrolment.cohort_id == Cohort.id)
        .outerjoin(Person, Person.id == Enrolment.person_id)
        .where(*open_)
        .group_by(Cohort.id, Cohort.title, Cohort.starts_on)
        .order_by(Cohort.starts_on.desc(), Cohort.title, Cohort.id)
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    return [CheckInCohort(*row) for row in rows], total


def places_of(session: Session, cohort: Cohort) -> list[str]:
    """Where people are taught in a cohort, and so may be checked in: its venue, and the places of its sessions."""
    found = session.scalars(
        select(ClassSession.place).where(ClassSession.cohort_id == cohort.id).order_by(ClassSession.began_at)
    )
    return list(dict.fromkeys(place for place in (cohort.venue, *found) if place))


def place_last_used(session: Session, supervisor_id: UUID) -> str:
    """Where this member of staff last checked somebody in."""
    newest = select(CheckIn.place).where(CheckIn.supervisor_id == supervisor_id).order_by(CheckIn.opened_ms.desc())
    return session.scalar(newest.limit(1)) or ""


@dataclass(frozen=True, slots=True)
class PastCheckIn:
    """A check-in with everything that became of it; times in epoch ms."""

    check_in_id: UUID
    enrolment_id: UUID
    person_id: UUID
    supervisor_id: UUID
    place: str
    opened_ms: int
    until_ms: int
    ended_why: str | None
    coded: bool
    rounds: int
    revoked_ms: int | None
    revoked_by: UUID | None


def past_check_ins(
    session: Session, *, cohort_id: UUID | None = None, enrolment_id: UUID | None = None, page: int = 1
) -> tuple[list[PastCheckIn], int]:
    """A page of the check-ins of a cohort or of one enrolment, the newest first, and how many there are."""
    chosen = select(CheckIn).join(Enrolment, Enrolment.id == CheckIn.enrolment_id)
    if cohort_id is not None:
        chosen = chosen.where(Enrolment.cohort_id == cohort_id)
    if enrolment_id is not None:
        chosen = chosen.where(CheckIn.enrolment_id == enrolment_id)
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    ordered = chosen.order_by(CheckIn.opened_ms.desc(), CheckIn.id)
    rows = session.scalars(ordered.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    looks = select(CheckInLook.check_in_id, func.count()).where(
        CheckInLook.check_in_id.in_([here.id for here in rows]), CheckInLook.kind == "round"
    )
    rounds: dict[UUID, int] = dict(session.execute(looks.group_by(CheckInLook.check_in_id)).all())
    return [
        PastCheckIn(
            check_in_id=here.id,
            enrolment_id=here.enrolment_id,
            person_id=here.person_id,
            supervisor_id=here.supervisor_id,
            place=here.place,
            opened_ms=here.opened_ms,
            until_ms=here.until_ms,
            ended_why=here.ended_why,
            coded=here.code_ms is not None,
            rounds=rounds.get(here.id, 0),
            revoked_ms=here.revoked_ms,
            revoked_by=here.revoked_by,
        )
        for here in rows
    ], total
