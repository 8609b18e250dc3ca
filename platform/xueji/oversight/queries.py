"""Reads for those who oversee: trainees of a jurisdiction or an enterprise, flags, findings, draws; a page each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from courses.models import Lesson
from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration, EnrolmentState
from xueji.hours.models import HoursAccount, PersonAccount
from xueji.identity.models import Membership, Organisation, Person
from xueji.identity.rules import ProofRoute
from xueji.identity.spelling import number, person_name
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.oversight.access import seen_cohorts, seen_findings, within
from xueji.oversight.models import Draw, Finding, FindingTurn
from xueji.oversight.rules import FindingState
from xueji.proctoring.models import Check
from xueji.progress.models import Sitting
from xueji.rulebook.draws import drawn
from xueji.rulebook.vocabulary import Category, Training

PER_PAGE = 20
MOST_CHOICES = 200


@dataclass(frozen=True, slots=True)
class TraineeLine:
    """One enrolment as lists show it; names masked."""

    enrolment_id: UUID
    person_id: UUID
    name_masked: str
    id_number_masked: str
    route: ProofRoute
    state: EnrolmentState
    cohort_id: UUID
    cohort: str
    starts_on: date
    ends_on: date
    region: str
    institution: str


def _trainees() -> Select[UUID, UUID, str, str, ProofRoute, EnrolmentState, UUID, str, date, date, str, str]:
    return (
        select(
            Enrolment.id,
            Person.id,
            Person.name_masked,
            Person.id_number_masked,
            Person.proof_route,
            Enrolment.state,
            Cohort.id,
            Cohort.title,
            Cohort.starts_on,
            Cohort.ends_on,
            Cohort.region,
            Organisation.name,
        )
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .join(Person, Person.id == Enrolment.person_id)
    )


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
    return _page(session, where, page)


def own_people(session: Session, actor: Actor, page: int = 1) -> tuple[list[TraineeLine], int]:
    """A page of the enrolments of an enterprise's own people, wherever they are trained, and how many there are."""
    if not actor.is_(Role.ENTERPRISE) or actor.organisation_id is None:
        return [], 0
    return _page(session, [employed_by(actor.organisation_id)], page)


def cohort_trainees(session: Session, cohort_id: UUID, page: int) -> tuple[list[TraineeLine], int]:
    """A page of everybody ever enrolled in a cohort that somebody may read (`access.access_inspection`)."""
    return _page(session, [Enrolment.cohort_id == cohort_id], page)


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
    return _page(session, [seen_cohorts(actor), _flagged()], page)


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


def _page(session: Session, where: Sequence[ColumnElement[bool]], page: int) -> tuple[list[TraineeLine], int]:
    chosen = _trainees().where(*where)
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    ordered = chosen.order_by(Enrolment.enrolled_at.desc(), Enrolment.id)
    rows = session.execute(ordered.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [TraineeLine(*row) for row in rows], total


def trainee_line(session: Session, enrolment_id: UUID) -> TraineeLine:
    """Of an enrolment already looked up by `access_enrolment`."""
    return TraineeLine(*session.execute(_trainees().where(Enrolment.id == enrolment_id)).one())


def trainee_lines(session: Session, enrolment_ids: Iterable[UUID]) -> dict[UUID, TraineeLine]:
    rows = session.execute(_trainees().where(Enrolment.id.in_(list(enrolment_ids))))
    return {row[0]: TraineeLine(*row) for row in rows}


def cohort_choices(session: Session, actor: Actor) -> list[tuple[UUID, str]]:
    """The jurisdiction's cohorts for a filter, the latest first."""
    rows = session.execute(
        select(Cohort.id, Cohort.title, Organisation.name)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .where(seen_cohorts(actor))
        .order_by(Cohort.starts_on.desc(), Cohort.title)
        .limit(MOST_CHOICES)
    )
    return [(cohort_id, f"{title} · {institution}") for cohort_id, title, institution in rows]


def institution_choices(session: Session, actor: Actor) -> list[tuple[UUID, str]]:
    """The institutions that hold cohorts in the jurisdiction, for a filter."""
    holding = select(Cohort.organisation_id).where(seen_cohorts(actor))
    rows = session.execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.id.in_(holding))
        .order_by(Organisation.name)
        .limit(MOST_CHOICES)
    )
    return [(organisation_id, name) for organisation_id, name in rows]


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
    checks = select(func.count(Check.id)).where(Check.sitting_id == Sitting.id).scalar_subquery()
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


@dataclass(frozen=True, slots=True)
class FindingLine:
    finding: Finding
    name_masked: str
    cohort: str
    institution: str

    def overdue(self, today: date) -> bool:
        return self.finding.state is FindingState.OPEN and self.finding.deadline < today


def findings(
    session: Session, actor: Actor, *, closed: bool = False, enrolment_id: UUID | None = None, page: int = 1
) -> tuple[list[FindingLine], int]:
    """A page of the findings somebody may see, the nearest deadline first, and how many there are.

    A regulator's in her jurisdiction, an institution's that it has to answer.
    """
    if actor.is_(Role.REGULATOR):
        mine = seen_findings(actor)
    elif actor.is_(Role.INSTITUTION):
        mine = Finding.organisation_id == actor.organisation_id
    else:
        return [], 0
    where = [mine]
    if enrolment_id is not None:
        where.append(Finding.enrolment_id == enrolment_id)
    else:
        where.append(_in_state(closed))
    total = session.scalar(select(func.count(Finding.id)).where(*where)) or 0
    order = Finding.raised_at.desc() if closed or enrolment_id is not None else Finding.deadline
    chosen = _finding_lines().where(*where).order_by(order, Finding.id)
    rows = session.execute(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [FindingLine(*row) for row in rows], total


def _in_state(closed: bool) -> ColumnElement[bool]:
    return Finding.state == FindingState.CLOSED if closed else Finding.state != FindingState.CLOSED


def finding_line(session: Session, finding_id: UUID) -> FindingLine:
    """Of a finding already looked up by `access_finding`."""
    return FindingLine(*session.execute(_finding_lines().where(Finding.id == finding_id)).one())


def turns(session: Session, finding_id: UUID) -> Sequence[FindingTurn]:
    """What was done about a finding, the first first."""
    chosen = select(FindingTurn).where(FindingTurn.finding_id == finding_id)
    return session.scalars(chosen.order_by(FindingTurn.number)).all()


def _finding_lines() -> Select[Finding, str, str, str]:
    return (
        select(Finding, Person.name_masked, Cohort.title, Organisation.name)
        .join(Enrolment, Enrolment.id == Finding.enrolment_id)
        .join(Person, Person.id == Enrolment.person_id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .join(Organisation, Organisation.id == Finding.organisation_id)
    )


@dataclass(frozen=True, slots=True)
class DrawLine:
    draw: Draw
    by: str
    """Masked."""

    @property
    def population(self) -> list[UUID]:
        data = self.draw.population
        return [UUID(bytes=data[start : start + 16]) for start in range(0, len(data), 16)]

    @property
    def chosen(self) -> list[UUID]:
        """Drawn anew each time it is shown: nothing but seed and population decides."""
        return drawn(self.draw.seed, self.population, self.draw.size)


def draws(session: Session, actor: Actor, page: int = 1) -> tuple[list[DrawLine], int]:
    """A page of the jurisdiction's draws, the latest first, and how many there are."""
    mine = within(actor.region, Draw.region)
    total = session.scalar(select(func.count(Draw.id)).where(mine)) or 0
    chosen = _draws().where(mine).order_by(Draw.drawn_at.desc(), Draw.id)
    rows = session.execute(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [DrawLine(*row) for row in rows], total


def draw_line(session: Session, draw_id: UUID) -> DrawLine:
    """Of a draw already looked up by `access_draw`."""
    return DrawLine(*session.execute(_draws().where(Draw.id == draw_id)).one())


def _draws() -> Select[Draw, str]:
    return select(Draw, Person.name_masked).join(Person, Person.id == Draw.drawn_by)


def hold_objected(asked: HeldAsked) -> None:
    """A finding that is not closed holds the file it is about (`enrolment` asks)."""
    stands = select(Finding.id).where(
        Finding.enrolment_id.in_(asked.enrolment_ids), Finding.state != FindingState.CLOSED
    )
    asked.held = asked.held or asked.session.scalar(stands.limit(1)) is not None
