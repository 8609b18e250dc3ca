"""Who decides what a check is worth: nobody alone against her, nobody alone for her without a picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.rulebook.reviewing import Case, Decision, Office, Word, appeal, says_nothing_new, speak

ACCEPT, REJECT = "accept", "reject"


def told(*events: str, picture: bool = True) -> Case:
    """``appeal`` is hers; ``a+`` is a's acceptance, ``b-`` b's rejection; a capital is a regulator."""
    case = Case()
    for event in events:
        if event == "appeal":
            case = appeal(case)
            continue
        office = Office.REGULATOR if event[0].isupper() else Office.INSTITUTION
        case = speak(case, Word(event[0], office, ACCEPT if event[1] == "+" else REJECT), picture=picture)
    return case


@pytest.mark.parametrize(
    ("events", "decision"),
    [
        (["a+"], None),
        (["a-"], None),
        (["a-", "a-"], None),
        (["a+", "b+"], Decision.ACCEPTED),
        (["a-", "b-"], Decision.REJECTED),
        (["a+", "b-"], None),
        (["a+", "b-", "c+"], Decision.ACCEPTED),
        (["a-", "a+", "b-"], None),
        (["appeal", "a+"], Decision.ACCEPTED),
        (["appeal", "a-"], Decision.REJECTED),
        (["a-", "b-", "appeal", "a-"], Decision.REJECTED),
        (["a-", "b-", "appeal", "a+"], Decision.REJECTED),
        (["a-", "b-", "appeal", "c+"], Decision.ACCEPTED),
        (["appeal", "a+", "b-"], None),
        (["appeal", "a+", "a-"], Decision.ACCEPTED),
        (["appeal", "a+", "b-", "c-"], Decision.REJECTED),
        (["a+", "b+", "c-"], Decision.ACCEPTED),
        (["a+", "b+", "c-", "d-"], Decision.REJECTED),
        (["R-"], Decision.STRUCK),
        (["R-", "a-"], Decision.REJECTED),
        (["R-", "S-"], Decision.REJECTED),
        (["a-", "R-"], Decision.REJECTED),
        (["R-", "R+"], None),
        (["R-", "S+"], None),
        (["R-", "a+", "b+"], Decision.STRUCK),
        (["R-", "appeal", "a+"], Decision.STRUCK),
        (["R-", "appeal", "a+", "S+"], Decision.ACCEPTED),
        (["R-", "appeal", "S+"], Decision.ACCEPTED),
        (["R-", "a-", "b+", "c+"], Decision.REJECTED),
        (["R-", "a-", "b+", "S+"], Decision.ACCEPTED),
        (["a-", "b-", "R+"], Decision.REJECTED),
        (["appeal", "a-", "b+"], None),
        (["R-", "R+", "a+", "b+"], Decision.ACCEPTED),
        (["R-", "S-", "appeal", "a+"], Decision.REJECTED),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else str(each),
)
def test_what_the_words_decide(events: list[str], decision: Decision | None) -> None:
    assert told(*events).decision is decision


def test_a_regulator_s_finding_is_hers_alone_and_gives_the_appeal_back() -> None:
    case = told("appeal", "a+", "R-")
    assert (case.decision, case.deciders, case.heard, case.of_regulator) == (
        Decision.STRUCK, frozenset("R"), False, True,
    )  # fmt: skip


@pytest.mark.parametrize("events", [["R-", "R+"], ["R-", "S+"], ["appeal", "a+", "b-"], ["appeal", "a-", "b+"]])
def test_what_is_open_again_rests_on_nobody_s_word(events: list[str]) -> None:
    case = told(*events)
    assert (case.decision, case.deciders, case.heard, case.of_regulator) == (None, frozenset(), False, False)
    assert case.pending[-1].by == events[-1][0]


def test_accepting_without_a_picture_always_takes_two() -> None:
    assert told("appeal", "a+", picture=False).decision is None
    assert told("appeal", "a+", picture=False).appealed
    assert told("appeal", "a+", "b+", picture=False).decision is Decision.ACCEPTED
    assert told("appeal", "a-", picture=False).decision is Decision.REJECTED


def test_only_an_answer_to_her_appeal_uses_it_up() -> None:
    assert told("appeal", "a-").heard
    assert not told("a-", "b-").heard
    assert not told("appeal", "a+", "b-").heard
    assert told("appeal", "a+").appealed is False


def test_saying_the_same_again_changes_nothing() -> None:
    assert says_nothing_new(told("a+"), Word("a", Office.INSTITUTION, ACCEPT))
    assert says_nothing_new(told("a+", "b+"), Word("c", Office.INSTITUTION, ACCEPT))
    assert not says_nothing_new(told("a+"), Word("a", Office.INSTITUTION, REJECT))
    assert not says_nothing_new(told("a+"), Word("b", Office.INSTITUTION, ACCEPT))
    assert not says_nothing_new(told("a+", "b+"), Word("c", Office.INSTITUTION, REJECT))
    assert not says_nothing_new(told("a-", "b-", "appeal"), Word("c", Office.INSTITUTION, REJECT))


EVENTS = st.lists(st.sampled_from([f"{who}{sign}" for who in "abRS" for sign in "+-"] + ["appeal"]), max_size=8)


@given(EVENTS, st.booleans())
def test_nobody_alone_rejects_who_was_not_heard_or_accepts_what_no_picture_shows(
    events: list[str], picture: bool
) -> None:
    case = told(*events, picture=picture)
    if case.decision is Decision.REJECTED and not case.heard:
        assert len(case.deciders) >= 2
    if case.decision is Decision.ACCEPTED and not (case.heard and picture):
        assert len(case.deciders) >= 2
    if "appeal" not in events and len({event[0] for event in events}) == 1:
        assert case.decision in (None, Decision.STRUCK)


@given(EVENTS, st.sampled_from("+-"))
def test_whatever_was_decided_can_be_put_right(events: list[str], wanted: str) -> None:
    """Two people who had no part in it can always turn it round, one of them a regulator."""
    before = told(*events)
    after = told(*events, f"X{wanted}", f"y{wanted}")
    assert after.decision is (Decision.ACCEPTED if wanted == "+" else Decision.REJECTED) or (
        before.decision is after.decision
    )
