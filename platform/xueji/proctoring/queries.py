"""Reads about checks and check-ins: plain records out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from courses.models import Lesson
from xueji.attendance.models import ClassSession
from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.roster_queries import PER_PAGE as ROSTER_PAGE
from xueji.identity.models import Person
from xueji.identity.queries import files_of, files_of_each
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.proctoring.conditions import offer_not_taken
from xueji.proctoring.models import Appeal, Attempt, Calibration, Check, CheckIn, CheckInLook
from xueji.proctoring.review_cases import case_of
from xueji.proctoring.rules import BLAMES_NOBODY, CheckState, contest_refusal, holds_time
from xueji.progress.models import Sitting
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import Outcome

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One answer to a check; scores are distances in millionths, smaller is nearer."""

    number: int
    answered_ms: int
    outcome: str | None
    score: int | None
    threshold: int | None
    engine: str | None
    model: str | None
    prompts: tuple[str, ...]
    signals: tuple[str, ...]
    device: str
    pictures: tuple[UUID, ...]
    movements: tuple[str, ...]
    """For each picture the prompt whose movement it shows moment by moment; empty of a single photo."""
    references: tuple[UUID, ...]
    """The reference photos it was compared with."""
    deleted_ms: int | None = None
    """When its pictures were deleted because their years were over, epoch ms."""


@dataclass(frozen=True, slots=True)
class AppealLine:
    raised_ms: int
    decide_by_ms: int
    decided_ms: int | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """What one person said about a check."""

    review_id: UUID
    by: UUID
    office: str
    outcome: str
    said_ms: int
    led_to: str | None
    """None while it waits for a second person."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check with everything that became of it; times in epoch ms."""

    check_id: UUID
    sitting_id: UUID
    enrolment_id: UUID
    lesson_id: UUID
    lesson: str
    kind: str
    state: str
    outcome: str | None
    due_ms: int
    answer_by_ms: int
    decided_ms: int | None
    attempts: tuple[AttemptLine, ...]
    appeal: AppealLine | None
    """The latest of hers."""
    decision: str | None
    """What people decided (`rulebook.reviewing.Decision`)."""
    second_awaited: bool
    may_be_contested: bool
    reviews: tuple[ReviewLine, ...]

    @property
    def holds_time(self) -> bool:
        """Whether it failed and nobody has accepted it since."""
        if self.decision is not None:
            return self.decision != Decision.ACCEPTED
        return holds_time(self.kind, self.outcome)

    @property
    def last(self) -> AttemptLine | None:
        return self.attempts[-1] if self.attempts else None


def checks_of(session: Session, enrolment_id: UUID, page: int = 1, per_page: int = PER_PAGE) -> list[CheckLine]:
    """A page of an enrolment's checks, the newest first."""
    chosen = _with_lesson().where(Check.enrolment_id == enrolment_id).order_by(Check.due_ms.desc(), Check.id)
    return _lines(session, chosen.limit(per_page).offset((page - 1) * per_page))


def checks_of_sitting(session: Session, sitting_id: UUID) -> list[CheckLine]:
    """In the order they fell due."""
    return _lines(session, _with_lesson().where(Check.sitting_id == sitting_id).order_by(Check.due_ms, Check.id))


def one_check(session: Session, check_id: UUID) -> CheckLine | None:
    found = _lines(session, _with_lesson().where(Check.id == check_id))
    return found[0] if found else None


def count_checks(session: Session, enrolment_id: UUID) -> int:
    return session.scalar(select(func.count()).where(Check.enrolment_id == enrolment_id)) or 0


def _with_lesson() -> Select[Check, UUID, str]:
    return (
        select(Check, Lesson.id, Lesson.title)
        .join(Sitting, Sitting.id == Check.sitting_id)
        .join(Lesson, Lesson.id == Sitting.lesson_id)
    )


def _lines(session: Session, chosen: Select[Check, UUID, str]) -> list[CheckLine]:
    return [_line(check, lesson_id, lesson) for check, lesson_id, lesson in session.execute(chosen)]


def _line(check: Check, lesson_id: UUID, lesson: str) -> CheckLine:
    return CheckLine(
        check_id=check.id,
        sitting_id=check.sitting_id,
        enrolment_id=check.enrolment_id,
        lesson_id=lesson_id,
        lesson=lesson,
        kind=check.kind,
        state=check.state,
        outcome=check.outcome,
        due_ms=check.due_ms,
        answer_by_ms=check.answer_by_ms,
        decided_ms=check.decided_ms,
        attempts=tuple(_attempt(attempt) for attempt in check.attempts),
        appeal=_appeal(check.appeals[-1]) if check.appeals else None,
        decision=check.decision,
        second_awaited=check.second_awaited,
        may_be_contested=contest_refusal(check.state, check.outcome, case_of(check)) is None,
        reviews=tuple(
            ReviewLine(said.id, said.by, said.office, said.outcome, said.said_ms, said.led_to) for said in check.reviews
        ),
    )


def _attempt(attempt: Attempt) -> AttemptLine:
    kept = [picture for picture in attempt.pictures if picture.deleted_ms is None]
    return AttemptLine(
        number=attempt.number,
        answered_ms=attempt.answered_ms,
        outcome=attempt.outcome,
        score=attempt.score,
        threshold=attempt.threshold,
        engine=attempt.engine,
        model=attempt.model,
        prompts=tuple(attempt.prompts),
        signals=tuple(dict.fromkeys(str(signal["code"]) for signal in attempt.signals)),
        device=attempt.device,
        pictures=tuple(picture.id for picture in kept),
        movements=tuple(attempt.prompts[picture.movement] if picture.movement is not None else "" for picture in kept),
        references=tuple(UUID(photo_id) for photo_id in attempt.references),
        deleted_ms=max((each.deleted_ms for each in attempt.pictures if each.deleted_ms is not None), default=None),
    )


def _appeal(appeal: Appeal) -> AppealLine:
    return AppealLine(
        raised_ms=appeal.raised_ms,
        decide_by_ms=appeal.decide_by_ms,
        decided_ms=appeal.decided_ms,
        decision=appeal.decision,
    )


@dataclass(frozen=True, slots=True)
class ToReview:
    """A check that waits for a person of the institution."""

    check: CheckLine
    person_id: UUID
    cohort: str


def _contested(organisation_id: UUID) -> ColumnElement[bool]:
    return and_(Cohort.organisation_id == organisation_id, Check.state == CheckState.CONTESTED)


def _failed(organisation_id: UUID) -> ColumnElement[bool]:
    return and_(
        Cohort.organisation_id == organisation_id,
        Check.state == CheckState.DECIDED,
        Check.outcome.not_in(BLAMES_NOBODY),
        ~offer_not_taken(),
    )


def contested_checks(session: Session, organisation_id: UUID, page: int = 1) -> list[ToReview]:
    """What trainees contest, the one to be decided first first."""
    waiting = and_(Appeal.check_id == Check.id, Appeal.decided_ms.is_(None))
    chosen = _for_review(_contested(organisation_id)).join(Appeal, waiting)
    return _to_review(session, chosen.order_by(Appeal.decide_by_ms, Check.id), page)


def failed_checks(session: Session, organisation_id: UUID, page: int = 1) -> list[ToReview]:
    """What failed and nobody contests, the latest first."""
    return _to_review(session, _for_review(_failed(organisation_id)).order_by(Check.due_ms.desc(), Check.id), page)


def seconds_awaited(session: Session, organisation_id: UUID, page: int = 1) -> list[ToReview]:
    """What somebody has spoken on and a second person is to look at, the oldest first."""
    chosen = _for_review(_second(organisation_id)).order_by(Check.decided_ms, Check.id)
    return _to_review(session, chosen, page)


def _second(organisation_id: UUID) -> ColumnElement[bool]:
    return and_(Cohort.organisation_id == organisation_id, Check.second_awaited.is_(True))


def review_counts(session: Session, organisation_id: UUID) -> tuple[int, int, int]:
    """How many are contested, how many failed, and how many wait for a second person."""

    def count(which: ColumnElement[bool]) -> int:
        return session.scalar(_joined(select(func.count(Check.id))).where(which)) or 0

    return count(_contested(organisation_id)), count(_failed(organisation_id)), count(_second(organisation_id))


def _joined(chosen: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
    return chosen.join(Enrolment, Enrolment.id == Check.enrolment_id).join(Cohort, Cohort.id == Enrolment.cohort_id)


def _for_review(which: ColumnElement[bool]) -> Select[Check, UUID, str, str]:
    return (
        select(Check, Lesson.id, Lesson.title, Cohort.title)
        .join(Sitting, Sitting.id == Check.sitting_id)
        .join(Lesson, Lesson.id == Sitting.lesson_id)
        .join(Enrolment, Enrolment.id == Check.enrolment_id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(which)
    )


def _to_review(session: Session, chosen: Select[Check, UUID, str, str], page: int) -> list[ToReview]:
    rows = session.execute(chosen.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [
        ToReview(_line(check, lesson_id, lesson), check.person_id, cohort) for check, lesson_id, lesson, cohort in rows
    ]


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
    """Whether the trainee has a sitting under it."""
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
    studying = (
        select(Sitting.id)
        .where(
            Sitting.enrolment_id == CheckIn.enrolment_id,
            Sitting.opened_ms >= CheckIn.opened_ms,
            Sitting.ended_ms.is_(None),
        )
        .exists()
    )
    rows = session.execute(
        select(CheckIn, studying).where(
            CheckIn.person_id.in_(list(person_ids)), CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms
        )
    )
    return {
        here.person_id: OpenCheckIn(
            here.id,
            here.enrolment_id,
            here.place,
            here.opened_ms,
            here.until_ms,
            here.confirmed_ms,
            at_work,
            here.code_ms is not None,
        )
        for here, at_work in rows
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


def hold_contested(asked: HeldAsked) -> None:
    """A check that she contests and nobody has decided on holds her file (`enrolment` asks)."""
    waits = (
        select(Appeal.id)
        .join(Check, Check.id == Appeal.check_id)
        .where(Check.enrolment_id.in_(asked.enrolment_ids), Appeal.decided_ms.is_(None))
        .where(Appeal.decide_by_ms > clock.to_ms(clock.now()))
    )
    asked.held = asked.held or asked.session.scalar(waits.limit(1)) is not None


def last_calibration(session: Session) -> Calibration | None:
    """The latest measurement of how well the site's own people are told apart; None when there was none."""
    return session.scalar(select(Calibration).order_by(Calibration.measured_ms.desc(), Calibration.id).limit(1))


@dataclass(frozen=True, slots=True)
class FirstTries:
    """Of one kind of camera: how many checks its pictures answered, and how many matched at the first answer."""

    device: str
    """Its name; empty for all those that few people use, whose names may say whose they are."""
    checks: int
    matched: int

    @property
    def percent(self) -> int:
        return round(100 * self.matched / self.checks)


LEAST_PEOPLE = 5
"""Who must use a camera for it to be named."""


def first_tries(session: Session, since_ms: int, most: int = 20) -> list[FirstTries]:
    """The cameras that took most first, then all others together; what nobody judged is not counted."""
    matched = func.sum(case((Attempt.outcome == Outcome.MATCH, 1), else_=0))
    rows = session.execute(
        select(Attempt.device, func.count(), matched, func.count(Check.person_id.distinct()))
        .join(Check, Check.id == Attempt.check_id)
        .where(Attempt.number == 1, Attempt.judged_ms >= since_ms, Attempt.outcome != Outcome.SERVICE_DOWN)
        .group_by(Attempt.device)
        .order_by(func.count().desc(), Attempt.device)
    ).all()
    named = [(row.device, row[1], int(row[2])) for row in rows if row.device and row[3] >= LEAST_PEOPLE][:most]
    known = {device for device, _, _ in named}
    left = [(row[1], int(row[2])) for row in rows if row.device not in known]
    found = [FirstTries(*each) for each in named]
    if left:
        found.append(FirstTries("", sum(checks for checks, _ in left), sum(good for _, good in left)))
    return found
