"""A session ends with its block."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InvalidRequestError

from xueji.kernel.context import Context


def test_a_session_is_of_no_use_after_its_block(context: Context) -> None:
    """It would take a connection that nobody gives back."""
    with context.database.reading() as reading:
        reading.execute(text("SELECT 1"))
    with context.database.writing() as writing:
        writing.execute(text("SELECT 1"))
    for session in (reading, writing):
        with pytest.raises(InvalidRequestError):
            session.execute(text("SELECT 1"))
