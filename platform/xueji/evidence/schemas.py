"""What the interface of evidence takes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EvidenceQuery(BaseModel):
    """``?from=SIZE&pictures=true``"""

    model_config = ConfigDict(extra="forbid")

    from_size: int | None = Field(
        None, alias="from", ge=0, le=2**53 - 1, description="size of the checkpoint you hold: growth since is proven"
    )
    pictures: bool = Field(False, description="with the pictures of checks; each look is recorded")
