"""What the desks read of several parts: trainees, their sittings, and a jurisdiction in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from courses.models import Lesson
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration, EnrolmentState
from xueji.hours.models import HoursAccount, PersonAccount
from xueji.identity.models import Membership, Person
from xueji.identity.spelling import number, person_name
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.oversight.access import seen_cohorts, seen_findings
from xueji.oversight.models import Finding
from xueji.oversight.rules import FindingState
from xueji.oversight.trainee_lines import PER_PAGE, TraineeLine, trainee_lines, trainee_page
from xueji.proctoring.models import Check
from xueji.progress.models import Sitting
from xueji.rulebook.vocabulary import Category, Training


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search narrows to; empty fields narrow nothing."""

    text: str = ""
    """A whole name or identity number: both are encrypted, so a part of one finds nobody."""
    cohort_id: UUID | None = None
    organisation_id: UUID | None = None

    @property
    def empty(self) -> bool:
        return not self.text.strip() and self.cohort_id is None and self.organisation_id is None

    def conditions(self, keyring: Keyring) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if text := self.text.strip():
            name = keyring.keyed_hash("name", person_name(text))
            id_number = keyring.keyed_hash("id_number", number(text))
            held = aliased(Person)
            theirs = select(func.coalesce(Person.joined_to, Person.id)).where(
                or_(
                    Person.name_hash == name,
                    Person.id_number_hash == id_number,
                    Person.same_number_as.in_(select(held.id).where(held.id_number_hash == id_number)),
                )
            )
            # All files of whoever is found by one of them.
            found.append(or_(Person.id.in_(theirs), Person.joined_to.in_(theirs)))
        if self.cohort_id is not None:
            found.append(Cohort.id == self.cohort_id)
        if self.organisation_id is not None:
            found.append(Cohort.organisation_id == self.organisation_id)
        return found


def search_trainees(
    session: Session, keyring: Keyring, actor: Actor, sought: Sought, page: int = 1
) -> tuple[list[TraineeLine], int]:
    """A page of the jurisdiction's trainees, the latest enrolled first, and how many there are."""
    where = [seen_cohorts(actor), *sought.conditions(keyring)]
    return trainee_page(session, where, page)


def own_people(session: Session, actor: Actor, page: int = 1) -> tuple[list[TraineeLine], int]:
    """A page of the enrolments of an enterprise's own people, wherever they are trained, and how many there are."""
    if not actor.is_(Role.ENTERPRISE) or actor.organisation_id is None:
        return [], 0
    return trainee_page(session, [employed_by(actor.organisation_id)], page)


def employed_by(organisation_id: UUID) -> ColumnElement[bool]:
    """Of an enrolment: whether its person is one of an enterprise's own, whichever of her files is a member."""
    member = select(Membership.person_id).where(
        Membership.organisation_id == organisation_id, Membership.role == Role.TRAINEE
    )
    stands = select(func.coalesce(Person.joined_to, Person.id)).where(Person.id.in_(member))
    hers = select(Person.id).where(func.coalesce(Person.joined_to, Person.id).in_(stands))
    return Enrolment.person_id.in_(hers)


def flagged_trainees(session: Session, actor: Actor, page: int = 1) -> tuple[list[TraineeLine], int]:
    """The jurisdiction's enrolments whose kept account shows sums that cannot be, and how many there are."""
    return trainee_page(session, [seen_cohorts(actor), _flagged()], page)


def _flagged() -> ColumnElement[bool]:
    """Of an enrolment: whether its account shows what cannot be, or contradicts another one of the same person."""
    account = select(HoursAccount.enrolment_id).where(HoursAccount.flags > 0)
    person = select(PersonAccount.person_id).where(PersonAccount.count > 0)
    files = select(Person.id).where(Person.id.in_(person) | Person.joined_to.in_(person))
    return Enrolment.id.in_(account) | Enrolment.person_id.in_(files)


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """Somebody let in although something does not fit, or on a word about earlier training."""

    trainee: TraineeLine
    training: Training
    category: Category
    declared: EnrolmentDeclaration


def exceptions(session: Session, actor: Actor, page: int = 1) -> tuple[list[ExceptionLine], int]:
    """A page of the jurisdiction's enrolments whose declaration is to be looked at, the latest first, and how many."""
    joined = (
        select(EnrolmentDeclaration, Cohort.training, Cohort.category)
        .join(Enrolment, Enrolment.id == EnrolmentDeclaration.enrolment_id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(seen_cohorts(actor), EnrolmentDeclaration.to_look_at)
    )
    total = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    ordered = joined.order_by(EnrolmentDeclaration.declared_at.desc(), EnrolmentDeclaration.enrolment_id)
    rows = session.execute(ordered.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    lines = trainee_lines(session, [declared.enrolment_id for declared, _training, _category in rows])
    return [
        ExceptionLine(lines[declared.enrolment_id], training, category, declared)
        for declared, training, category in rows
    ], total


@dataclass(frozen=True, slots=True)
class Overview:
    """The jurisdiction in a few figures."""

    cohorts: int
    trainees: int
    flagged: int
    open_findings: int
    overdue_findings: int


def overview(session: Session, actor: Actor, today: date) -> Overview:
    seen = seen_cohorts(actor)
    joined = select(func.count(Enrolment.id)).join(Cohort, Cohort.id == Enrolment.cohort_id).where(seen)
    mine = seen_findings(actor) & (Finding.state != FindingState.CLOSED)
    overdue = mine & (Finding.state == FindingState.OPEN) & (Finding.deadline < today)
    return Overview(
        cohorts=session.scalar(select(func.count(Cohort.id)).where(seen)) or 0,
        trainees=session.scalar(joined.where(Enrolment.state == EnrolmentState.ACTIVE)) or 0,
        flagged=session.scalar(joined.where(_flagged())) or 0,
        open_findings=session.scalar(select(func.count(Finding.id)).where(mine)) or 0,
        overdue_findings=session.scalar(select(func.count(Finding.id)).where(overdue)) or 0,
    )


@dataclass(frozen=True, slots=True)
class SittingLine:
    """One sitting as a regulator's list shows it; times in epoch ms."""

    sitting_id: UUID
    lesson: str
    method: str
    device: str
    opened_ms: int
    last_contact_ms: int
    study_ms: int
    """Media credited in it, before checks decide what it is worth."""
    ended_reason: str | None
    checks: int


def sittings(session: Session, enrolment_id: UUID, page: int = 1) -> tuple[list[SittingLine], int]:
    """A page of an enrolment's sittings, the newest first, and how many there are."""
    total = session.scalar(select(func.count()).where(Sitting.enrolment_id == enrolment_id)) or 0
    chosen = _sittings().where(Sitting.enrolment_id == enrolment_id).order_by(Sitting.opened_ms.desc(), Sitting.id)
    rows = session.execute(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [SittingLine(*row) for row in rows], total


def sitting_line(session: Session, sitting_id: UUID) -> SittingLine:
    """Of a sitting already looked up by `access_sitting_to_read`."""
    return SittingLine(*session.execute(_sittings().where(Sitting.id == sitting_id)).one())


def _sittings() -> Select[UUID, str, str, str, int, int, int, str | None, int]:
    checks = select(func.count(Check.id)).where(Check.occasion_id == Sitting.id).scalar_subquery()
    return select(
        Sitting.id,
        Lesson.title,
        Sitting.method,
        Sitting.device,
        Sitting.opened_ms,
        Sitting.last_contact_ms,
        Sitting.study_ms,
        Sitting.ended_reason,
        checks,
    ).join(Lesson, Lesson.id == Sitting.lesson_id)
