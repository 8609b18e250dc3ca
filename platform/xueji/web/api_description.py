"""What a view of the interface says of its own answers, beside it, for the interface's description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from xueji.kernel.errors import Problem

V = TypeVar("V", bound=Callable[..., object])


class FieldProblemOut(BaseModel):
    field: str = Field(description="Where in the body or the address, as `beats.0.rate`")
    problem: str


class ProblemOut(BaseModel):
    """A refusal (RFC 9457). Decide by ``type``; ``title`` and ``detail`` are for people, in the language asked for."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblemOut] = Field(default=[], description="With `invalid`: each unusable field")
    reference: str = Field(default="", description="From 500 on: the number under which the log has the request")


def refuses(*kinds: type[Problem]) -> Callable[[V], V]:
    """Beyond what follows from the view's access rule, its address and its body."""

    def mark(view: V) -> V:
        view.refusals = kinds  # type: ignore[attr-defined]
        return view

    return mark


def refusals_of(view: Callable[..., Any]) -> tuple[type[Problem], ...]:
    return getattr(view, "refusals", ())


def files(*media_types: str) -> dict[str, Any]:
    """A success that is a file of one of these types."""
    return {"content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}}
