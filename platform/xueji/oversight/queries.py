"""Reads of findings and random draws, plain records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import Enrolment
from xueji.identity.models import Organisation, Person
from xueji.kernel.actor import Actor, Role
from xueji.oversight.access import seen_findings, within
from xueji.oversight.models import Draw, Finding, FindingTurn
from xueji.oversight.rules import FindingState
from xueji.oversight.trainee_lines import PER_PAGE
from xueji.rulebook.draws import drawn


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
