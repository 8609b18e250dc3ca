"""Two things that exclude each other, begun at the same moment: whichever commits first, what is left makes sense."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from flask import Flask
from people_for_tests import Someone, someone
from scenario import DEVICE, Scenario, Student, playing
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models import Film, Lesson
from courses.services import editing
from xueji.enrolment.models import Cohort, CohortLesson, CohortState, Enrolment, EnrolmentState
from xueji.enrolment.services import cohorts, trainees
from xueji.identity.models import Person
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import Problem
from xueji.progress.models import Sitting
from xueji.progress.services import open_sitting
from xueji.progress.terms import read_terms
from xueji.rulebook.vocabulary import Part

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
        cohorts.close_cohort(
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
