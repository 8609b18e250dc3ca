"""What the rules say of a check, as conditions of a query."""

from __future__ import annotations

from sqlalchemy import ColumnElement, tuple_

from xueji.proctoring.models import Check
from xueji.rulebook.vocabulary import OFFERS_NOT_TAKEN

_PAIRS = sorted((kind.value, outcome.value) for kind, outcome in OFFERS_NOT_TAKEN)


def offer_not_taken() -> ColumnElement[bool]:
    """Of a check that is over: whether it was an offer that she left alone. It says nothing and holds nothing."""
    return tuple_(Check.kind, Check.outcome).in_(_PAIRS)
