"""One lesson of one enrolment, as plain text: every opening of a sitting asks for it, and a class in the same minute.

What is the same for a whole class is put together once and kept under exactly what the database gave: whatever changes
there is seen at once.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from courses.models import Film, FilmState, Lesson
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.cohorts.queries import CohortFacts, LessonFacts, cohort_facts, lesson_facts
from xueji.enrolment.models import EnrolmentState
from xueji.enrolment.queries import EnrolmentFacts
from xueji.kernel.driver_sql import Cursor, date_in, uuid_in, uuid_of
from xueji.rulebook.vocabulary import Category, Part, Training

_HERS = 4
"""Columns of the enrolment; those after them are the class's."""
_COHORT = (
    "id", "organisation_id", "title", "region", "home", "category", "industry", "high_risk", "training", "syllabus",
    "subject", "total_ms", "theory_ms", "practical_ms", "online_ms", "in_person_ms", "starts_on", "ends_on",
    "closes_on", "venue", "rulebook", "state",
)  # fmt: skip
_ASKED = f"""
SELECT enrolment.id, enrolment.person_id, enrolment.enrolled_at, enrolment.state,
  {", ".join("cohort." + column for column in _COHORT)}, CAST(cohort.plan AS TEXT),
  place.lesson_id, place.position, place.part, place.duration_ms, place.film_id, place.film_sha256,
  lesson.title, lesson.film_id, film.sha256, film.state
FROM enrolment
  JOIN cohort ON cohort.id = enrolment.cohort_id
  JOIN cohort_lesson AS place ON place.cohort_id = cohort.id
  JOIN lesson ON lesson.id = place.lesson_id
  LEFT JOIN film ON film.id = COALESCE(place.film_id, lesson.film_id)
WHERE {{}} AND {{}}
"""
MOST_KEPT = 1024


def lesson_of_enrolment(
    session: Session, enrolment_id: UUID, lesson_id: UUID
) -> tuple[EnrolmentFacts, LessonFacts] | None:
    """One enrolment with its cohort, plan and this lesson only; None when the lesson is not one of the cohort's."""
    pair = enrolment_id, lesson_id
    return lessons_of_enrolments(session, [pair]).get(pair)


def lessons_of_enrolments(
    session: Session, pairs: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], tuple[EnrolmentFacts, LessonFacts]]:
    """The same for many enrolments, each with one lesson, in one question; those that do not belong are left out."""
    plain = Cursor(session)
    enrolments, lessons = (plain.keys(sorted(set(ids))) for ids in zip(*pairs, strict=True))
    asked = _ASKED.format(plain.any_of("enrolment.id"), plain.any_of("lesson.id"))
    found = {}
    for row in plain.rows(asked, enrolments, lessons):
        key, person_id, enrolled_at, state = row[:_HERS]
        cohort, lesson = _of_the_class(tuple(row[_HERS:]))
        pair = uuid_of(key), lesson.lesson_id
        if pair in pairs:
            found[pair] = (
                EnrolmentFacts(
                    enrolment_id=pair[0],
                    person_id=uuid_of(person_id),
                    enrolled_at=plain.instant(enrolled_at),
                    state=EnrolmentState(state),
                    cohort=cohort,
                    lessons=(lesson,),
                ),
                lesson,
            )
    return found


@lru_cache(maxsize=MOST_KEPT)
def _of_the_class(values: tuple[Any, ...]) -> tuple[CohortFacts, LessonFacts]:
    """The columns after the enrolment's, in the driver's own form."""
    found = dict(zip(_COHORT, values, strict=False))
    plan, lesson_id, position, part, duration_ms, film_id, frozen_sha256, title, own_film, sha256, state = values[
        len(_COHORT) :
    ]
    cohort = Cohort(
        **found
        | {name: uuid_in(found[name]) for name in ("id", "organisation_id")}
        | {name: date_in(found[name]) for name in ("starts_on", "ends_on", "closes_on")}
        | {
            "category": Category(found["category"]),
            "high_risk": bool(found["high_risk"]),
            "training": Training(found["training"]),
            "state": CohortState(found["state"]),
            "plan": json.loads(plan),
        }
    )
    place = CohortLesson(
        position=position,
        part=Part(part),
        duration_ms=duration_ms,
        film_id=uuid_in(film_id),
        film_sha256=frozen_sha256,
    )
    lesson = Lesson(id=uuid_in(lesson_id), title=title, film_id=uuid_in(own_film))
    film = None if state is None else Film(sha256=sha256, state=FilmState(state))
    return cohort_facts(cohort), lesson_facts(place, lesson, film)
