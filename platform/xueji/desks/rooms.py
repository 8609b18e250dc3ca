"""Reads about what staff say: who is in two places at once, what waits to be settled, and figures of each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from xueji.attendance.models import Attendance, ClassSession
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment
from xueji.hours.models import PersonAccount
from xueji.identity.models import Membership, Organisation, Person
from xueji.identity.queries import standing_file
from xueji.kernel.actor import Actor, Role
from xueji.oversight.access import seen_cohorts
from xueji.proctoring.models import Appeal, Attempt, Check, CheckIn, CheckInLook
from xueji.progress.models import Sitting
from xueji.rulebook.vocabulary import Method

MOST = 100
"""Lines of a list; more than that is looked into, not listed."""
AS_GOOD_AS_AT_ONCE_MS = 10 * 60_000
"""Nobody walks from one teaching place to another in less."""


@dataclass(frozen=True, slots=True)
class Booking:
    """One of two sessions that cannot both be."""

    session_id: UUID
    title: str
    place: str
    teacher: str
    began_at: datetime
    ended_at: datetime
    cohort: str
    institution: str


@dataclass(frozen=True, slots=True)
class DoubleBooking:
    """Two sessions at once with one teacher, or in one place. Names may be alike: a person looks into it."""

    by_teacher: bool
    by_place: bool
    one: Booking
    other: Booking


def double_bookings(session: Session, actor: Actor) -> list[DoubleBooking]:
    """Sessions at once, one teacher in two places or two teachers in one place; one of them in the jurisdiction."""
    one, other = aliased(ClassSession), aliased(ClassSession)
    here = select(Cohort.id).where(seen_cohorts(actor))
    teacher = and_(one.teacher == other.teacher, one.place != other.place)
    place = and_(one.place == other.place, one.teacher != other.teacher)
    rows = session.execute(
        select(one.id, other.id, one.teacher == other.teacher)
        .join(other, and_(one.id < other.id, one.began_at < other.ended_at, other.began_at < one.ended_at))
        .where(or_(teacher, place), or_(one.cohort_id.in_(here), other.cohort_id.in_(here)))
        .order_by(one.began_at.desc(), one.id, other.id)
        .limit(MOST)
    ).all()
    bookings = _bookings(session, [session_id for first, second, _ in rows for session_id in (first, second)])
    return [
        DoubleBooking(bool(by_teacher), not by_teacher, bookings[first], bookings[second])
        for first, second, by_teacher in rows
    ]


def _bookings(session: Session, ids: Iterable[UUID]) -> dict[UUID, Booking]:
    rows = session.execute(
        select(ClassSession, Cohort.title, Organisation.name)
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .where(ClassSession.id.in_(set(ids)))
    )
    return {
        held.id: Booking(
            held.id, held.title, held.place, held.teacher, held.began_at, held.ended_at, cohort, institution
        )
        for held, cohort, institution in rows
    }


@dataclass(frozen=True, slots=True)
class TwoPlaces:
    """A member of staff who saw trainees in two places within minutes; times in epoch ms."""

    name_masked: str
    place: str
    at_ms: int
    other_place: str
    other_at_ms: int


def staff_in_two_places(session: Session, actor: Actor) -> list[TwoPlaces]:
    one, other = aliased(CheckInLook), aliased(CheckInLook)
    here, there = aliased(CheckIn), aliased(CheckIn)
    seen = select(Enrolment.id).join(Cohort, Cohort.id == Enrolment.cohort_id).where(seen_cohorts(actor))
    rows = session.execute(
        select(Person.name_masked, here.place, func.min(one.at_ms), there.place, func.min(other.at_ms))
        .select_from(one)
        .join(
            other,
            and_(
                one.by_id == other.by_id,
                other.at_ms >= one.at_ms,
                other.at_ms - one.at_ms < AS_GOOD_AS_AT_ONCE_MS,
            ),
        )
        .join(here, here.id == one.check_in_id)
        .join(there, there.id == other.check_in_id)
        .join(Person, Person.id == one.by_id)
        .where(here.place != there.place, or_(here.enrolment_id.in_(seen), there.enrolment_id.in_(seen)))
        .group_by(one.by_id, Person.name_masked, here.place, there.place)
        .order_by(func.min(one.at_ms).desc())
        .limit(MOST)
    )
    return [TwoPlaces(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class ToSettle:
    """An attendance that waits, or that the trainee denies."""

    attendance: Attendance
    enrolment_id: UUID
    name_masked: str
    session: ClassSession
    cohort: str
    institution: str


def to_settle(session: Session, actor: Actor) -> list[ToSettle]:
    """In the jurisdiction, the oldest first: those that are left come up as these are decided."""
    waits = func.json_array_length(Attendance.waits) > 0
    rows = session.execute(
        select(Attendance, Enrolment.id, Person.name_masked, ClassSession, Cohort.title, Organisation.name)
        .join(ClassSession, ClassSession.id == Attendance.session_id)
        .join(Enrolment, Enrolment.id == Attendance.enrolment_id)
        .join(Person, Person.id == Enrolment.person_id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .where(seen_cohorts(actor), Attendance.revoked_at.is_(None), Attendance.absent.is_(False))
        .where(or_(Attendance.denied, waits))
        .order_by(Attendance.recorded_at, Attendance.id)
        .limit(MOST)
    )
    return [ToSettle(*row) for row in rows]


@dataclass(slots=True)
class StaffLine:
    """What one member of staff stood for; amounts are counts, times in milliseconds."""

    person_id: UUID
    name_masked: str = ""
    institution: str = ""
    check_ins: int = 0
    rounds: int = 0
    entered: int = 0
    """Attendances entered."""
    late: int = 0
    """Of these, those that needed a second person."""
    denied: int = 0
    """Of these, those that the trainee denied."""
    decided: int = 0
    """Checks decided."""
    accepted: int = 0
    median_ms: int | None = None
    """From the appeal to the decision."""
    took_ms: list[int] = field(default_factory=list)


def staff_figures(session: Session, actor: Actor) -> list[StaffLine]:
    """Everybody who stood for something in the jurisdiction, who accepted most first."""
    seen = select(Enrolment.id).join(Cohort, Cohort.id == Enrolment.cohort_id).where(seen_cohorts(actor))
    lines: dict[UUID, StaffLine] = {}
    looks = (
        select(CheckInLook.by_id, CheckInLook.kind, func.count())
        .join(CheckIn, CheckIn.id == CheckInLook.check_in_id)
        .where(CheckIn.enrolment_id.in_(seen))
        .group_by(CheckInLook.by_id, CheckInLook.kind)
    )
    for person_id, kind, count in session.execute(looks):
        line = lines.setdefault(person_id, StaffLine(person_id))
        if kind == "open":
            line.check_ins += count
        elif kind == "round":
            line.rounds += count
    entered = (
        select(
            Attendance.recorded_by,
            func.count(),
            func.count(Attendance.recorded_reason),
            func.count().filter(Attendance.word == "denied"),
        )
        .where(Attendance.enrolment_id.in_(seen), Attendance.absent.is_(False))
        .group_by(Attendance.recorded_by)
    )
    for person_id, count, late, denied in session.execute(entered):
        line = lines.setdefault(person_id, StaffLine(person_id))
        line.entered, line.late, line.denied = count, late, denied
    decided = (
        select(Appeal.decided_by, Appeal.decision, Appeal.raised_ms, Appeal.decided_ms)
        .join(Check, Check.id == Appeal.check_id)
        .where(Check.enrolment_id.in_(seen), Appeal.decided_by.is_not(None))
    )
    for decided_by, decision, raised_ms, decided_ms in session.execute(decided):
        if decided_by is None or decided_ms is None:
            continue
        line = lines.setdefault(decided_by, StaffLine(decided_by))
        line.decided += 1
        line.accepted += decision == "accept"
        line.took_ms.append(decided_ms - raised_ms)
    _name(session, lines)
    for line in lines.values():
        line.median_ms = int(median(line.took_ms)) if line.took_ms else None
    return sorted(lines.values(), key=lambda line: (-line.accepted, -line.late, str(line.person_id)))


def _name(session: Session, lines: dict[UUID, StaffLine]) -> None:
    names = session.execute(select(Person.id, Person.name_masked).where(Person.id.in_(list(lines))))
    for person_id, name in names:
        lines[person_id].name_masked = name
    places = session.execute(
        select(Membership.person_id, Organisation.name)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.person_id.in_(list(lines)), Membership.role == Role.INSTITUTION)
    )
    for person_id, institution in places:
        lines[person_id].institution = institution


@dataclass(frozen=True, slots=True)
class Work:
    """What a route asks of its people for an hour of study."""

    study_ms: int
    acts: int
    """Pictures taken for checks; or rounds of staff and codes typed."""

    @property
    def per_hour_tenths(self) -> int:
        """Acts for an hour of study in tenths, cut; 0 of no study."""
        return self.acts * 36_000_000 // self.study_ms if self.study_ms else 0


def work_of_routes(session: Session, cohorts: ColumnElement[bool]) -> tuple[Work, Work]:
    """By face checks, and by staff in the room, over these cohorts: so that both weigh the same, and it is seen."""
    seen = select(Enrolment.id).join(Cohort, Cohort.id == Enrolment.cohort_id).where(cohorts)

    def studied(method: Method) -> int:
        total = select(func.sum(Sitting.study_ms)).where(Sitting.enrolment_id.in_(seen), Sitting.method == method)
        return int(session.scalar(total) or 0)

    attempts = (
        select(func.count(Attempt.id)).join(Check, Check.id == Attempt.check_id).where(Check.enrolment_id.in_(seen))
    )
    looks = (
        select(func.count(CheckInLook.id))
        .join(CheckIn, CheckIn.id == CheckInLook.check_in_id)
        .where(CheckIn.enrolment_id.in_(seen))
    )
    codes = select(func.count(CheckIn.code_ms)).where(CheckIn.enrolment_id.in_(seen))
    return (
        Work(studied(Method.FACE), session.scalar(attempts) or 0),
        Work(studied(Method.SUPERVISED), (session.scalar(looks) or 0) + (session.scalar(codes) or 0)),
    )


@dataclass(frozen=True, slots=True)
class FlaggedPerson:
    """Somebody whose enrolments contradict each other."""

    person_id: UUID
    name_masked: str
    codes: tuple[tuple[str, int], ...]
    """Code and milliseconds of each flag."""
    enrolments: tuple[UUID, ...]
    """Those of hers in the jurisdiction."""


def flagged_people(session: Session, actor: Actor, person_id: UUID | None = None) -> list[FlaggedPerson]:
    """Whose enrolments, one of them in the jurisdiction, contradict each other; all of them, or one person."""
    file = aliased(Person)
    chosen = (
        select(PersonAccount.person_id, Person.name_masked, PersonAccount.flags, Enrolment.id)
        .join(Person, Person.id == PersonAccount.person_id)
        .join(file, or_(file.id == Person.id, file.joined_to == Person.id))
        .join(Enrolment, Enrolment.person_id == file.id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(seen_cohorts(actor), PersonAccount.count > 0)
        .order_by(PersonAccount.person_id, Enrolment.enrolled_at)
        .limit(MOST)
    )
    if person_id is not None:
        chosen = chosen.where(PersonAccount.person_id == standing_file(session, person_id))
    found: dict[UUID, FlaggedPerson] = {}
    for whose, name, flags, enrolment_id in session.execute(chosen):
        before = found[whose].enrolments if whose in found else ()
        codes = tuple((str(flag["code"]), int(flag["ms"])) for flag in flags)
        found[whose] = FlaggedPerson(whose, name, codes, (*before, enrolment_id))
    return list(found.values())
