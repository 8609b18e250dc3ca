"""A cohort that may open, to be changed in one place."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from xueji.cohorts.rules import Proposal, ProposedLesson
from xueji.rulebook import rules as rulebook
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Category, Part, Training

HOUR = 2_700_000
TODAY = date(2026, 11, 21)
GANSU = "620102"
BOOK = rulebook.load()


def preset() -> ProctoringPlan:
    law = BOOK.in_force(GANSU, TODAY)
    return law.proctoring_plan(rulebook.Situation(Category.PRINCIPAL, True, Training.INITIAL))


def proposal(**changes: Any) -> Proposal:
    """Exactly 40 % of 50 class hours online, with a lesson to match."""
    values: dict[str, Any] = {
        "category": Category.PRINCIPAL,
        "industry": "hazardous_chemical_trade_storage",
        "training": Training.INITIAL,
        "subject": None,
        "total_ms": 50 * HOUR,
        "theory_ms": 40 * HOUR,
        "practical_ms": 10 * HOUR,
        "online_ms": 20 * HOUR,
        "in_person_ms": 30 * HOUR,
        "starts_on": TODAY + timedelta(days=7),
        "ends_on": TODAY + timedelta(days=27),
        "plan": preset(),
        "lessons": (ProposedLesson("通风", Part.THEORY, 20 * HOUR),),
    }
    return Proposal(**{**values, **changes})
