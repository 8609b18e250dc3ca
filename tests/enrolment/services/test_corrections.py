"""Openings of the first edition that left out the subject are put right by a later leaf, once."""

from __future__ import annotations

from typing import Any

import pytest
from support.school import HOUR, School, new_school

from bench.loose_leaves import LooseLeaf, loose
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services import trainees
from xueji.enrolment.services.corrections import correct_openings
from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement
from xueji.kernel.context import Context
from xueji.rulebook.vocabulary import Category
from xueji.trace import queries as trace
from xueji.trace.rules import Event


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


def welder(school: School) -> Enrolment:
    hours = {"total_ms": 108, "theory_ms": 68, "practical_ms": 40, "online_ms": 0, "in_person_ms": 108}
    draft = {"category": Category.SPECIAL_OPERATOR, "subject": "welding", "region": "220102"}
    lesson = school.lesson(10 * 60_000)
    ms = {name: n * HOUR for name, n in hours.items()}
    online = {"online_ms": 600_000, "in_person_ms": 108 * HOUR - 600_000}
    _member, enrolment = school.trainee(school.cohort(lesson, **{**draft, **ms, **online}))
    return enrolment


def statement(school: School, enrolment: Enrolment) -> Statement:
    with school.context.database.reading() as session:
        return statement_of(session, enrolment.id)


def test_the_subject_is_said_later_and_once(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    written = trainees.opening_leaf
    later = {"rules", "industry", "subject"}

    def first_edition(*facts: Any, **more: Any) -> LooseLeaf:
        values = written(*facts, **more).values()
        return loose(Event.ENROLMENT_OPEN, {name: value for name, value in values.items() if name not in later})

    with monkeypatch.context() as patch:
        patch.setattr(trainees, "opening_leaf", first_edition)
        old = welder(school)
    new = welder(school)
    assert statement(school, old).statutory.total_ms is None
    assert correct_openings(school.context) == 1
    assert correct_openings(school.context) == 0
    statutory = statement(school, old).statutory
    assert (statutory.total_ms, statutory.theory_ms, statutory.practical_ms) == (108 * HOUR, 68 * HOUR, 40 * HOUR)
    assert statement(school, old).rules == 1
    with school.context.database.reading() as session:
        assert [leaf["event"] for leaf in trace.chain(session, old.chain)] == ["enrolment.open", "enrolment.correct"]
        assert [leaf["event"] for leaf in trace.chain(session, new.chain)] == ["enrolment.open"]
