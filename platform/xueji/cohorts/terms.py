"""What a training is held and judged by, said once: a plan, a proposal and an open cohort each add their own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from xueji.rulebook.industries import UNKNOWN
from xueji.rulebook.vocabulary import Category, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortTerms:
    """For whom a cohort is, in how many hours, and when. Hours are kept in milliseconds, as the syllabus gives them."""

    category: Category
    industry: str = UNKNOWN
    """A code of the rulebook, ``unknown``, or empty where the cohort opened before industries were asked for; whether
    it is high-risk follows from the law."""
    training: Training
    subject: str | None = None
    """The rulebook's key of the subject, where the region prescribes hours for it."""
    total_ms: int
    theory_ms: int
    practical_ms: int
    online_ms: int
    in_person_ms: int
    starts_on: date
    ends_on: date
    """The planned last day, included (Asia/Shanghai)."""

    def fields(self) -> dict[str, Any]:
        """The terms alone by name, for whatever is made of them."""
        return {name: getattr(self, name) for name in TERMS}


TERMS = tuple(field.name for field in fields(CohortTerms))
"""Names of the terms; a cohort's columns are called the same."""


def terms_of(source: object, **changed: Any) -> CohortTerms:
    """The terms of a row or a plan, with these of them changed."""
    return CohortTerms(**{name: changed.get(name, getattr(source, name)) for name in TERMS})
