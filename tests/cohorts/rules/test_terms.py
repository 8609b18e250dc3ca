"""What a training is judged by stands once, and everything that is made of it says all of it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest

from xueji.cohorts.models import Cohort
from xueji.cohorts.queries import CohortFacts
from xueji.cohorts.rules import Proposal
from xueji.cohorts.services.planning import CohortPlan
from xueji.cohorts.terms import TERMS, CohortTerms, terms_of
from xueji.hours.rules import Syllabus
from xueji.hours.rules.reading import TERMS as OF_THE_LEAF
from xueji.rulebook.vocabulary import Category, Training

IN_A_LEAF = {"starts_on": "starts", "ends_on": "ends"}


@pytest.mark.parametrize("kind", [CohortPlan, Proposal, CohortFacts])
def test_no_kind_of_cohort_says_a_term_again(kind: type[CohortTerms]) -> None:
    assert issubclass(kind, CohortTerms)
    assert vars(kind)["__annotations__"].keys() & set(TERMS) == set()


def test_a_cohorts_columns_are_called_as_the_terms() -> None:
    assert set(TERMS) <= set(Cohort.__table__.columns.keys())


def test_the_first_leaf_says_every_term() -> None:
    assert {IN_A_LEAF.get(name, name) for name in TERMS} <= OF_THE_LEAF


def test_the_account_takes_every_amount_of_hours() -> None:
    assert {field.name for field in fields(Syllabus)} == {name for name in TERMS if name.endswith("_ms")}


def test_terms_are_taken_from_a_row_with_what_is_to_be_changed() -> None:
    hours = {"total_ms": 10, "theory_ms": 6, "practical_ms": 4, "online_ms": 2, "in_person_ms": 8}
    days = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 11, 30)}
    row = Cohort(category=Category.OTHER, industry="", training=Training.INITIAL, subject=None, **hours, **days)
    assert terms_of(row).fields() == {
        "category": Category.OTHER,
        "industry": "",
        "training": Training.INITIAL,
        "subject": None,
        **hours,
        **days,
    }
    later = terms_of(row, ends_on=date(2026, 12, 15), subject="welding")
    assert (later.ends_on, later.subject, later.online_ms) == (date(2026, 12, 15), "welding", 2)
