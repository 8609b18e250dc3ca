"""One lesson of one enrolment, as plain text: every opening of a sitting asks for it, and a class in the same minute.

What is the same for a whole class is put together once and kept under exactly what the database gave: whatever changes
there is seen at once.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy.orm import Session

from courses.models import Film, FilmState, Lesson
from xueji.enrolment.models import Cohort, CohortLesson, CohortState, EnrolmentState
from xueji.enrolment.queries import CohortFacts, EnrolmentFacts, LessonFacts, cohort_facts, lesson_facts
from xueji.kernel.plain import Plain, date_in, uuid_in
from xueji.rulebook.vocabulary import Category, Part, Training

_HERS = 3
"""Columns of the enrolment; those after them are the class's."""
_COHORT = (
    "id", "organisation_id", "title", "region", "home", "category", "industry", "high_risk", "training", "syllabus",
    "subject", "total_ms", "theory_ms", "practical_ms", "online_ms", "in_person_ms", "starts_on", "ends_on",
    "closes_on", "venue", "rulebook", "state",
)  # fmt: skip
_ASKED = f"""
SELECT enrolment.person_id, enrolment.enrolled_at, enrolment.state,
  {", ".join("cohort." + column for column in _COHORT)}, CAST(cohort.plan AS TEXT),
  place.lesson_id, place.position, place.part, place.duration_ms, place.film_id, place.film_sha256,
  lesson.title, lesson.film_id, film.sha256, film.state
FROM enrolment
  JOIN cohort ON cohort.id = enrolment.cohort_id
  JOIN cohort_lesson AS place ON place.cohort_id = cohort.id
  JOIN lesson ON lesson.id = place.lesson_id
  LEFT JOIN film ON film.id = COALESCE(place.film_id, lesson.film_id)
WHERE enrolment.id = ? AND lesson.id = ?
"""
MOST_KEPT = 1024


def lesson_of_enrolment(
    session: Session, enrolment_id: UUID, lesson_id: UUID
) -> tuple[EnrolmentFacts, LessonFacts] | None:
    """One enrolment with its cohort, plan and this lesson only; None when the lesson is not one of the cohort's."""
    plain = Plain(session)
    rows = plain.rows(_ASKED, plain.key(enrolment_id), plain.key(lesson_id))
    if not rows:
        return None
    person_id, enrolled_at, state = rows[0][:_HERS]
    cohort, lesson = _of_the_class(tuple(rows[0][_HERS:]))
    facts = EnrolmentFacts(
        enrolment_id=enrolment_id,
        person_id=cast(UUID, plain.uuid(person_id)),
        enrolled_at=plain.instant(enrolled_at),
        state=EnrolmentState(state),
        cohort=cohort,
        lessons=(lesson,),
    )
    return facts, lesson


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
