"""An enrolment at one glance: how its lessons stand by its statement, and which one comes next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.queries import EnrolmentFacts
from xueji.hours.rules import LessonLine, RefusedSum, Statement
from xueji.rulebook.vocabulary import Part


class LessonStanding(StrEnum):
    """Where a lesson stands for the trainee."""

    NEW = "new"
    UNDER_WAY = "under_way"
    MAKE_UP = "make_up"
    """watched to the end, and some of it is to be watched again"""
    WAITING = "waiting"
    """watched to the end, and some of it waits for the next check"""
    DONE = "done"
    IN_PERSON = "in_person"
    """not taught online"""


@dataclass(frozen=True, slots=True)
class LessonOverview:
    """A lesson with its line of the statement."""

    lesson_id: UUID
    title: str
    number: int
    part: Part
    film_ready: bool
    line: LessonLine

    @property
    def unseen_ms(self) -> int:
        return max(0, self.line.duration_ms - self.line.furthest_ms)

    @property
    def make_up_ms(self) -> int:
        return sum(last - first for first, last in self.line.make_up)

    @property
    def standing(self) -> LessonStanding:
        if self.part is Part.PRACTICAL:
            return LessonStanding.IN_PERSON
        if self.line.furthest_ms == 0:
            return LessonStanding.NEW
        if self.unseen_ms:
            return LessonStanding.UNDER_WAY
        if self.make_up_ms:
            return LessonStanding.MAKE_UP
        return LessonStanding.WAITING if self.line.provisional_ms else LessonStanding.DONE


@dataclass(frozen=True, slots=True)
class EnrolmentOverview:
    facts: EnrolmentFacts
    statement: Statement
    lessons: tuple[LessonOverview, ...]

    @property
    def next_lesson(self) -> LessonOverview | None:
        """The first that can be studied on and is not watched to its end; else the first with something to make up."""
        for wanted in (
            (LessonStanding.UNDER_WAY, LessonStanding.NEW),
            (LessonStanding.MAKE_UP,),
            (LessonStanding.WAITING,),
        ):
            for lesson in self.lessons:
                if lesson.film_ready and lesson.standing in wanted:
                    return lesson
        return None

    @property
    def to_settle(self) -> tuple[LessonOverview, ...]:
        """What can still be done once the cohort's days are over: held time made up, waiting time confirmed."""
        return tuple(lesson for lesson in self.lessons if lesson.make_up_ms or lesson.line.provisional_ms)

    @property
    def to_make_up(self) -> tuple[LessonOverview, ...]:
        return tuple(lesson for lesson in self.lessons if lesson.make_up_ms)


def enrolment_overview(facts: EnrolmentFacts, statement: Statement) -> EnrolmentOverview:
    lines = {line.lesson: line for line in statement.lessons}
    return EnrolmentOverview(facts, statement, tuple(_lesson(lesson, lines) for lesson in facts.lessons))


def _lesson(lesson: LessonFacts, lines: dict[str, LessonLine]) -> LessonOverview:
    line = lines.get(str(lesson.lesson_id)) or _nothing(lesson)
    return LessonOverview(lesson.lesson_id, lesson.title, lesson.position, lesson.part, lesson.film_ready, line)


def _nothing(lesson: LessonFacts) -> LessonLine:
    """Of a lesson the enrolment's opening did not name."""
    refused: tuple[RefusedSum, ...] = ()
    return LessonLine(str(lesson.lesson_id), lesson.part, lesson.duration_ms, 0, 0, 0, 0, refused, ())
