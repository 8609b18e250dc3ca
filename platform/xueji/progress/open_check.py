"""The check that stands open in a sitting, as its row keeps it: what the page is told, and how the telling went."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """One check that waits for its answer. Times are epoch ms of the server's clock."""

    check_id: str
    nonce: str
    prompts: tuple[str, ...]
    kind: str
    attempt: int
    told_ms: int
    """when the window now running began"""
    answer_by_ms: int
    """its end: pictures that arrive later are too late"""
    told_seq: int | None = None
    """the highest number in the request whose answer told of it; None while no request's answer has"""
    heard: bool = False
    """whether the page has shown that the telling arrived: silence is no excuse from then on"""
    excused_ms: int = 0
    """by how much lost connections have lengthened it so far, over all its attempts"""
    again: int = 0
    """how often its window has begun again for a lost telling"""
    camera: str | None = None
    """where the browser's question about the camera stands: asked, answered, or never reported"""
    pulses: tuple[tuple[int, ...], ...] = ()
    """for each of `prompts`, at which moments (ms since the movement began) its pictures are taken"""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """As `to_json` wrote it, or an earlier release, which kept fewer of the fields."""
        values: Mapping[str, Any] = json.loads(text)
        pulses = tuple(tuple(pulse) for pulse in values.get("pulses", ()))
        return cls(**{**values, "prompts": tuple(values["prompts"]), "pulses": pulses})

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


def read_open_check(text: str | None) -> OpenCheck | None:
    """The open check of a sitting's row, if there is one."""
    return OpenCheck.from_json(text) if text else None


def write_open_check(check: OpenCheck | None) -> str | None:
    """As it stands in a sitting's row."""
    return check.to_json() if check is not None else None
