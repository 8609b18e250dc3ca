"""How a finding moves."""

from __future__ import annotations

import pytest

from xueji.oversight.rules import FindingState, may_move

OPEN, ANSWERED, CLOSED = FindingState.OPEN, FindingState.ANSWERED, FindingState.CLOSED


@pytest.mark.parametrize(
    ("state", "may"), [(OPEN, {ANSWERED, CLOSED}), (ANSWERED, {OPEN, CLOSED}), (CLOSED, set[FindingState]())]
)
def test_a_finding_is_answered_sent_back_or_closed_and_nothing_follows_its_end(
    state: FindingState, may: set[FindingState]
) -> None:
    assert {to for to in FindingState if may_move(state, to)} == may
