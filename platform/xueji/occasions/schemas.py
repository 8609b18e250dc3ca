"""How the interface words an open check."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field


class OpenCheckOut(BaseModel):
    check_id: UUID
    nonce: str
    prompts: list[str]
    pulses: list[list[int]] = Field(
        description="For each prompt, at which moments its pictures are taken: ms since the movement began as the page "
        "saw it; those before it are negative"
    )
    answer_by: AwareDatetime
    kind: str
    attempt: int


class AskedOut(BaseModel):
    check: OpenCheckOut | None
