"""Single values of a hand-made form, or the refusal of what cannot be one."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from flask import request
from flask_babel import gettext as _

from xueji.kernel.errors import Invalid

FEWEST_LETTERS, MOST_LETTERS = 2, 2000
T = TypeVar("T")


def given_id(field: str, given: Any = None) -> UUID | None:
    """An id that narrows something; nothing given narrows nothing. Raises Invalid."""
    text = (request.values if given is None else given).get(field, "")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid from error


def given_text(field: str, fewest: int = FEWEST_LETTERS, most: int = MOST_LETTERS) -> str:
    """What somebody wrote, of ``fewest`` to ``most`` characters. Raises Invalid."""
    text = request.form.get(field, "").strip()
    if not fewest <= len(text) <= most:
        raise Invalid(_("请写明情况，%(least)s 至 %(most)s 个字。", least=fewest, most=most))
    return text


def one_of(words: type[T], field: str) -> T:
    """A word of an enumeration. Raises Invalid."""
    try:
        return words(request.form.get(field, ""))  # type: ignore[call-arg]
    except ValueError as error:
        raise Invalid from error


def given_day(field: str) -> date:
    """A day as browsers send it, YYYY-MM-DD. Raises Invalid."""
    try:
        return date.fromisoformat(request.form.get(field, ""))
    except ValueError as error:
        raise Invalid(_("请填写日期。")) from error
