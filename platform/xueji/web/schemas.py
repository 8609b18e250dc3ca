"""What schemas of every part's interface share."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A body or query that may hold nothing but its fields: an unknown one is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")


class EnrolmentPath(BaseModel):
    """The part of an address that names an enrolment."""

    enrolment_id: UUID
