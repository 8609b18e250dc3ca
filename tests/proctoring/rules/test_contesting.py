"""When a trainee may contest a check, and when people may say what it is worth."""

from __future__ import annotations

import pytest

from xueji.proctoring.rules import (
    CheckState,
    IllegalMove,
    NotContested,
    contest_refusal,
    holds_time,
    may_be_reviewed,
    move,
)
from xueji.rulebook.reviewing import Case, Decision, Office, Word, appeal, speak
from xueji.rulebook.vocabulary import CheckKind, Outcome, ReviewOutcome

ACCEPT, REJECT = ReviewOutcome.ACCEPT, ReviewOutcome.REJECT
NOTHING_SAID = Case()
APPEALED = appeal(NOTHING_SAID)


def decided(decision: Decision, *, heard: bool = False) -> Case:
    return Case(decision=decision, deciders=frozenset({"a", "b"}), heard=heard)


PENDING = speak(NOTHING_SAID, Word("a", Office.INSTITUTION, REJECT), picture=True)
ALREADY, NOTHING = NotContested.ALREADY, NotContested.NOTHING

CONTESTED = {
    "a failed check": (CheckState.DECIDED, Outcome.MISMATCH, NOTHING_SAID, None),
    "a missed check": (CheckState.DECIDED, Outcome.MISSED, NOTHING_SAID, None),
    "a match": (CheckState.DECIDED, Outcome.MATCH, NOTHING_SAID, NOTHING),
    "our own failure": (CheckState.DECIDED, Outcome.SERVICE_DOWN, NOTHING_SAID, NOTHING),
    "one word of staff that decides nothing yet": (CheckState.DECIDED, Outcome.MISMATCH, PENDING, None),
    "one word of staff against a match": (CheckState.DECIDED, Outcome.MATCH, PENDING, NOTHING),
    "her appeal waits": (CheckState.CONTESTED, Outcome.MISMATCH, APPEALED, ALREADY),
    "her appeal waits, people decided before": (
        CheckState.CONTESTED, Outcome.MISMATCH, appeal(decided(Decision.REJECTED)), ALREADY,
    ),
    "rejected without hearing her": (CheckState.REVIEWED, Outcome.MISMATCH, decided(Decision.REJECTED), None),
    "a match, rejected without hearing her": (CheckState.REVIEWED, Outcome.MATCH, decided(Decision.REJECTED), None),
    "a match that a regulator struck": (CheckState.REVIEWED, Outcome.MATCH, decided(Decision.STRUCK), None),
    "rejected upon her appeal": (
        CheckState.REVIEWED, Outcome.MISMATCH, decided(Decision.REJECTED, heard=True), ALREADY,
    ),
    "accepted upon her appeal": (
        CheckState.REVIEWED, Outcome.MISMATCH, decided(Decision.ACCEPTED, heard=True), NOTHING,
    ),
    "accepted by two": (CheckState.REVIEWED, Outcome.MISMATCH, decided(Decision.ACCEPTED), NOTHING),
    "still with the judge": (CheckState.ANSWERED, None, NOTHING_SAID, NOTHING),
    "waits for her answer again after a failed attempt": (CheckState.DUE, Outcome.MISMATCH, NOTHING_SAID, NOTHING),
}  # fmt: skip


@pytest.mark.parametrize(("state", "outcome", "case", "why"), CONTESTED.values(), ids=CONTESTED.keys())
def test_only_her_appeal_uses_up_her_appeal_and_only_what_stands_against_her_is_contested(
    state: CheckState, outcome: Outcome | None, case: Case, why: NotContested | None
) -> None:
    assert contest_refusal(state, outcome, case) is why


SCHEDULED, VOLUNTARY = CheckKind.SCHEDULED, CheckKind.VOLUNTARY
REVIEWS = {
    "a failed check": (CheckState.DECIDED, SCHEDULED, Outcome.MISMATCH, NOTHING_SAID, (True, True)),
    "a missed check": (CheckState.DECIDED, SCHEDULED, Outcome.MISSED, NOTHING_SAID, (True, True)),
    "an offer not taken": (CheckState.DECIDED, VOLUNTARY, Outcome.MISSED, NOTHING_SAID, (False, False)),
    "an offer, another person": (CheckState.DECIDED, VOLUNTARY, Outcome.MISMATCH, NOTHING_SAID, (True, True)),
    "our own failure": (CheckState.DECIDED, SCHEDULED, Outcome.SERVICE_DOWN, NOTHING_SAID, (False, False)),
    "no outcome": (CheckState.DECIDED, SCHEDULED, None, NOTHING_SAID, (False, False)),
    "a match": (CheckState.DECIDED, SCHEDULED, Outcome.MATCH, NOTHING_SAID, (False, True)),
    "a match that one person wants rejected": (CheckState.DECIDED, SCHEDULED, Outcome.MATCH, PENDING, (True, True)),
    "her appeal": (CheckState.CONTESTED, SCHEDULED, Outcome.MATCH, APPEALED, (True, True)),
    "decided by people before": (
        CheckState.REVIEWED, SCHEDULED, Outcome.MATCH, decided(Decision.ACCEPTED), (True, True),
    ),
    "an offer not taken, decided by people before": (
        CheckState.REVIEWED, VOLUNTARY, Outcome.MISSED, decided(Decision.REJECTED), (True, True),
    ),
    "still with the judge": (CheckState.ANSWERED, SCHEDULED, Outcome.MISMATCH, NOTHING_SAID, (False, False)),
    "waits for her answer": (CheckState.DUE, SCHEDULED, Outcome.MISMATCH, decided(Decision.STRUCK), (False, False)),
    "reviewed, and failed": (CheckState.REVIEWED, SCHEDULED, Outcome.MISMATCH, NOTHING_SAID, (True, True)),
    "contested, and failed": (CheckState.CONTESTED, SCHEDULED, Outcome.MISMATCH, NOTHING_SAID, (True, True)),
}  # fmt: skip


@pytest.mark.parametrize(("state", "kind", "outcome", "case", "may"), REVIEWS.values(), ids=REVIEWS.keys())
def test_people_may_judge_what_holds_time_and_reject_a_match_but_need_not_accept_one(
    state: CheckState, kind: CheckKind, outcome: Outcome | None, case: Case, may: tuple[bool, bool]
) -> None:
    assert (
        may_be_reviewed(state, kind, outcome, case, ACCEPT),
        may_be_reviewed(state, kind, outcome, case, REJECT),
    ) == may


@pytest.mark.parametrize(
    ("kind", "outcome", "held"),
    [
        (SCHEDULED, None, False),
        (SCHEDULED, Outcome.MISSED, True),
        (VOLUNTARY, Outcome.MISSED, False),
        (VOLUNTARY, Outcome.MISMATCH, True),
        (SCHEDULED, Outcome.MATCH, False),
    ],
)
def test_a_check_without_outcome_holds_no_time(kind: CheckKind, outcome: Outcome | None, held: bool) -> None:
    assert holds_time(kind, outcome) is held


def test_a_move_that_cannot_be_says_from_where_to_where() -> None:
    with pytest.raises(IllegalMove, match=r"^unreached → due$"):
        move(CheckState.UNREACHED, CheckState.DUE)
