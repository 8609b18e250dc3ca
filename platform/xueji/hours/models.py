"""Statements kept so that lists need not read every chain again. Never the truth itself: that is the trace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base


class HoursAccount(Base):
    """The statement of one enrolment as it was last worked out, and on what it rests.

    Shown only while it is still what `hours.rules.assess` would answer (see `queries`). Personal data: the hours of
    one enrolment.
    """

    __tablename__ = "hours_account"

    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    due_ms: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """When it is to be worked out next (epoch ms): after its chain has grown, or when the time to make up ends."""
    leaves: Mapped[int] = mapped_column(Integer, default=0)
    """How many leaves it rests on; 0 before it was ever worked out."""
    rules: Mapped[str] = mapped_column(String(64), default="", index=True)
    """`queries.rules_digest` of the functions that worked it out."""
    settles_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    settled: Mapped[bool] = mapped_column(Boolean, default=False)
    flags: Mapped[int] = mapped_column(Integer, default=0, index=True)
    """How many kinds of impossible sums it shows."""
    statement: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class HoursReading(Base):
    """How far the log has been read for chains that have grown: one row. Personal data: none."""

    __tablename__ = "hours_reading"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
