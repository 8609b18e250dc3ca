"""Decisions of oversight as pure functions: how findings move. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class FindingKind(StrEnum):
    """What a finding objects to."""

    IDENTITY = "identity"
    HOURS = "hours"
    TEACHING = "teaching"
    RECORDS = "records"
    OTHER = "other"


class FindingState(StrEnum):
    """open → answered by the institution → closed by the regulator, who may also close one that was a mistake; an
    answer that is not enough is sent back: the finding is open again, with a new deadline."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


MOVES: Final[Mapping[FindingState, frozenset[FindingState]]] = {
    FindingState.OPEN: frozenset({FindingState.ANSWERED, FindingState.CLOSED}),
    FindingState.ANSWERED: frozenset({FindingState.OPEN, FindingState.CLOSED}),
    FindingState.CLOSED: frozenset(),
}


class FindingStep(StrEnum):
    """What was done about a finding between its raising and its end."""

    ANSWER = "answer"
    SEND_BACK = "send_back"
    EXTEND = "extend"


def may_move(state: FindingState, to: FindingState) -> bool:
    return to in MOVES[state]
