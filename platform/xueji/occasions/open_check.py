"""The check that stands open in an occasion, as its row keeps it: what the page is asked, and whether that arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_FORMER: Final[Mapping[str, str]] = {
    "told_ms": "delivered_ms",
    "told_seq": "delivered_seq",
    "heard": "acknowledged",
    "again": "redelivered",
}
"""How rows written by earlier releases call some of the fields."""


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """One check that waits for its answer. Times are epoch ms of the server's clock."""

    check_id: str
    nonce: str
    """of the attempt that is open"""
    prompts: tuple[str, ...]
    """the movements that are asked for, in their order"""
    kind: str
    """`rulebook.vocabulary.CheckKind`"""
    attempt: int
    """number of the attempt, from 1"""
    delivered_ms: int
    """when the window now running began"""
    answer_by_ms: int
    """its end: pictures that arrive later are too late"""
    delivered_seq: int | None = None
    """the highest number in the request whose answer delivered it; None while no request's answer has"""
    acknowledged: bool = False
    """whether the page has shown that it knows of the check: silence is no excuse from then on"""
    excused_ms: int = 0
    """by how many ms lost connections have lengthened it so far, over all its attempts"""
    redelivered: int = 0
    """how often its window has begun again because the answer that delivered it was lost"""
    camera: str | None = None
    """where the browser's question about the camera stands: asked, answered, or never reported"""
    pulses: tuple[tuple[int, ...], ...] = ()
    """for each of `prompts`, at which moments (ms since the movement began) its pictures are taken"""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """As `to_json` wrote it, or an earlier release, which kept fewer of the fields and called some otherwise."""
        values: Mapping[str, Any] = {_FORMER.get(name, name): value for name, value in json.loads(text).items()}
        pulses = tuple(tuple(pulse) for pulse in values.get("pulses", ()))
        return cls(**{**values, "prompts": tuple(values["prompts"]), "pulses": pulses})

    def to_json(self) -> str:
        """For the occasion's row."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_open_check(text: str | None) -> OpenCheck | None:
    """The open check of an occasion's row, if there is one."""
    return OpenCheck.from_json(text) if text else None


def write_open_check(check: OpenCheck | None) -> str | None:
    """As it stands in an occasion's row."""
    return check.to_json() if check is not None else None
