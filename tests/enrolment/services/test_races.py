"""Two things that exclude each other, begun at the same moment: whichever commits first, what is left makes sense."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support.people import Someone, someone
from support.scenario import DEVICE, MINUTE, Scenario, Student, playing

from courses.models import Film, Lesson
from courses.services import editing
from xueji.attendance.models import Attendance
from xueji.attendance.services import entering as attendance
from xueji.attendance.services import planning as sessions
from xueji.attendance.services.planning import ClassSessionPlan
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.cohorts.services import closing
from xueji.cohorts.services import planning as cohorts
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.services import trainees
from xueji.identity.models import Person
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import Problem
from xueji.proctoring import services as proctoring
from xueji.proctoring.models import CheckIn, Review
from xueji.progress.models import Sitting
from xueji.progress.opening import open_sitting
from xueji.progress.terms import read_terms
from xueji.rulebook.vocabulary import Outcome, Part, ReviewOutcome
from xueji.trace import queries as trace

WAIT_S = 0.4
"""Long enough for the second to reach the lock, where there is one."""


@dataclass
class Class:
    """An open cohort with a student, one who was withdrawn, somebody to be enrolled; and a draft with lessons."""

    scenario: Scenario
    student: Student
    withdrawn: Student
    newcomer: Someone
    draft: Cohort
    other_film: UUID

    @property
    def context(self) -> Context:
        return self.scenario.context

    def open_sitting(self, session: Session) -> None:
        student = self.student
        open_sitting(
            session,
            actor=student.actor,
            keyring=self.context.keyring,
            events=self.context.events,
            sitting_id=uuid4(),
            enrolment_id=student.enrolment.id,
            lesson_id=self.scenario.lessons[0].id,
            device=DEVICE,
            continue_here=True,
        )

    def close_at_once(self, session: Session) -> None:
        self._close(session)

    def close_tonight(self, session: Session) -> None:
        self._close(session, last_day=clock.shanghai_day(clock.now()))

    def _close(self, session: Session, **day: object) -> None:
        closing.close_cohort(
            session,
            self.context.events,
            actor=self.scenario.school.staff,
            cohort_id=self.scenario.cohort.id,
            **day,  # type: ignore[arg-type]
        )

    def withdraw(self, session: Session) -> None:
        trainees.withdraw(
            session,
            self.context.keyring,
            self.context.events,
            enrolment_id=self.student.enrolment.id,
            reason="转岗",
            actor=self.scenario.school.staff,
        )

    def readmit(self, session: Session) -> None:
        trainees.readmit(
            session,
            self.context.keyring,
            enrolment_id=self.withdrawn.enrolment.id,
            reason="误操作",
            actor=self.scenario.school.staff,
        )

    def enrol(self, session: Session) -> None:
        trainees.enrol(
            session,
            self.context.keyring,
            cohort=self.scenario.cohort,
            person=session.get_one(Person, self.newcomer.id),
            actor=self.scenario.school.staff,
        )

    def open_cohort(self, session: Session) -> None:
        cohorts.open_cohort(session, self.context.keyring, cohort=self.draft, actor=self.scenario.school.staff)

    def change_film(self, session: Session) -> None:
        """Of the draft's lesson, to one of another length."""
        (lesson_id,) = session.scalars(select(CohortLesson.lesson_id).where(CohortLesson.cohort_id == self.draft.id))
        editing.change_lesson(
            session,
            actor=self.scenario.school.staff,
            events=self.context.events,
            lesson_id=lesson_id,
            title="换了片",
            part=Part.THEORY,
            film_id=self.other_film,
        )


@dataclass
class Room(Class):
    """The same with what staff do: a trainee who is checked in, a session that is over, a check that was decided."""

    present: Student
    session_id: UUID
    times: tuple[datetime, datetime]
    check_id: UUID

    def check_in(self, session: Session) -> None:
        proctoring.check_in(
            session,
            self.context.keyring,
            actor=self.scenario.school.staff,
            enrolment_id=self.present.enrolment.id,
            place="一号教室",
            lasts=timedelta(hours=1),
        )

    def attend(self, session: Session) -> None:
        attendance.record_attendance(
            session,
            self.context,
            actor=self.scenario.school.staff,
            session_id=self.session_id,
            attended={self.student.enrolment.id: self.times},
        )

    def review(self, session: Session) -> None:
        proctoring.review(
            session,
            self.context.keyring,
            actor=self.scenario.school.staff,
            check_id=self.check_id,
            outcome=ReviewOutcome.REJECT,
            reason="画面中是另一个人。",
        )


@pytest.fixture
def held(app: Flask) -> Iterator[Class]:
    with playing(app) as scenario:
        found = Class(
            scenario,
            scenario.student(),
            scenario.student(),
            someone(scenario.context, Role.TRAINEE, at=scenario.school.organisation),
            scenario.school.draft(
                scenario.school.lesson(600_000), online_ms=600_000, in_person_ms=48 * 2_700_000 - 600_000
            ),
            scenario.school.film(60_000),
        )
        with scenario.context.database.writing() as session:
            trainees.withdraw(
                session,
                scenario.context.keyring,
                scenario.context.events,
                enrolment_id=found.withdrawn.enrolment.id,
                reason="误操作",
                actor=scenario.school.staff,
            )
        scenario.time.advance(timedelta(minutes=1))
        yield found


def at_once(held: Class, first: str, second: str) -> set[str]:
    """Do ``first`` without committing, begin ``second``, commit; what was refused."""
    refused: set[str] = set()

    def do(name: str, session: Session) -> None:
        act: Callable[[Session], None] = getattr(held, name)
        try:
            act(session)
        except Problem:
            session.rollback()
            refused.add(name)

    def other() -> None:
        with held.context.database.open_session(writes=True) as session:
            do(second, session)
            commit(session)

    with ThreadPoolExecutor(1) as pool, held.context.database.open_session(writes=True) as session:
        do(first, session)
        later = pool.submit(other)
        time.sleep(WAIT_S)
        commit(session)
        later.result(timeout=60)
    return refused


def check_sound(held: Class) -> None:
    with held.context.database.reading() as session:
        rows = session.execute(
            select(Sitting, Enrolment, Cohort)
            .join(Enrolment, Enrolment.id == Sitting.enrolment_id)
            .join(Cohort, Cohort.id == Enrolment.cohort_id)
            .where(Sitting.ended_ms.is_(None))
        ).all()
        for sitting, enrolment, cohort in rows:
            terms = read_terms(sitting.terms)
            assert enrolment.state is EnrolmentState.ACTIVE
            assert cohort.state is CohortState.OPEN or terms.only_make_up
            assert terms.closes_ms <= clock.to_ms(clock.now()) + 86_400_000 or cohort.closes_on is None
        frozen = session.execute(
            select(CohortLesson.duration_ms, Film.duration_ms)
            .join(Lesson, Lesson.id == CohortLesson.lesson_id)
            .join(Film, Film.id == Lesson.film_id)
            .join(Cohort, Cohort.id == CohortLesson.cohort_id)
            .where(Cohort.state != CohortState.DRAFT)
        ).all()
        assert frozen and all(kept == shown for kept, shown in frozen), "what was frozen is what is shown"


ON_THE_COHORT = ("open_sitting", "close_at_once", "close_tonight", "withdraw", "readmit", "enrol")
PAIRS = [*permutations(ON_THE_COHORT, 2), *permutations(("open_cohort", "change_film"), 2)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_whichever_comes_first_what_is_left_makes_sense(held: Class, first: str, second: str) -> None:
    refused = at_once(held, first, second)
    assert first not in refused, "the first met nobody"
    check_sound(held)
    if {first, second} == {"open_cohort", "change_film"}:
        assert refused == {second}
    if (first, second) in {("open_sitting", "close_at_once"), ("withdraw", "open_sitting"), ("close_at_once", "enrol")}:
        assert refused == {second}


@pytest.fixture
def room(held: Class) -> Room:
    """Nobody studies any more, so that the cohort may close at once."""
    scenario, time = held.scenario, held.scenario.time
    began = clock.now() + timedelta(minutes=1)
    plan = ClassSessionPlan(
        title="现场实操",
        place="实训基地",
        teacher="赵老师",
        part=Part.PRACTICAL,
        began_at=began,
        ended_at=began + timedelta(minutes=30),
    )
    with held.context.database.writing() as session:
        planned = sessions.plan_class_session(
            session, held.context.keyring, actor=scenario.school.staff, cohort_id=scenario.cohort.id, plan=plan
        )
    time.advance(timedelta(minutes=32))
    held.student.study(scenario.lessons[0], 16 * MINUTE, answers=[Outcome.MISMATCH] * 3)
    held.student.contest(held.student.checks[0])
    time.advance(timedelta(minutes=10))
    present = scenario.student("李小红", ProofRoute.SUPERVISED)
    return Room(
        **{each.name: getattr(held, each.name) for each in fields(held)},
        present=present,
        session_id=planned.id,
        times=(plan.began_at, plan.ended_at),
        check_id=held.student.checks[0],
    )


BY_STAFF = ("check_in", "attend", "review")
ENDS = ("close_at_once", "close_tonight", "withdraw")


@pytest.mark.parametrize(
    ("first", "second"), [pair for act in BY_STAFF for end in ENDS for pair in permutations((act, end))]
)
def test_what_staff_do_and_what_ends_pass_each_other_safely(room: Room, first: str, second: str) -> None:
    """Either all of an act is there, its leaf included, or nothing of it; and nobody waits for ever."""
    refused = at_once(room, first, second)
    assert first not in refused, "the first met nobody"
    check_sound(room)
    # Attendance is not entered once its cohort is closed or she was let out; a decision about a check still is, and
    # somebody may be let into the room to make up.
    attend_late = (first, second) in {("close_at_once", "attend"), ("withdraw", "attend")}
    assert refused == ({second} if attend_late else set())
    with room.context.database.reading() as session:
        leaves = [leaf["event"] for leaf in trace.chain(session, room.student.enrolment.chain)]
        entered = session.scalar(select(func.count(Attendance.id)))
        words = session.scalar(select(func.count(Review.id)))
        here = session.scalar(select(func.count(CheckIn.id)))
        there = [leaf["event"] for leaf in trace.chain(session, room.present.enrolment.chain)]
        numbers = [leaf["n"] for leaf in trace.chain(session, room.student.enrolment.chain)]
    assert leaves.count("attendance") == entered
    assert sum(leaves.count(f"check.{word}") for word in ("review", "propose")) == words
    assert there.count("checkin.confirm") == here
    assert numbers == list(range(len(numbers)))
