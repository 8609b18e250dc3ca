"""What people say about a check, read from the leaves: by whom, until when, and under which edition of the rules."""

from __future__ import annotations

import pytest
from support.trace_stories import MINUTE, SETTLED, Story

from xueji.hours.rules import CheckStanding, evidence
from xueji.hours.rules.records import DecidedCheck

GOOD, FAILED, REJECTED = CheckStanding.GOOD, CheckStanding.FAILED, CheckStanding.REJECTED
REVIEWS_END = evidence(Story(rules=2).leaves).enrolment.reviews_end_ms


def failed_check(rules: int) -> tuple[Story, str]:
    story = Story(rules=rules)
    story.watched(0, MINUTE)
    return story, story.check("mismatch")


def found(story: Story) -> DecidedCheck:
    (check,) = evidence(story.leaves).checks
    return check


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        ([("review", "accept")], GOOD),
        ([("review", "reject")], REJECTED),
        ([("strike", "reject")], FAILED),
        ([("propose", "accept")], FAILED),
        ([("review", "accept"), ("strike", "reject")], FAILED),
        ([("review", "accept"), ("reopen", "reject")], FAILED),
        ([("review", "accept"), ("propose", "reject")], GOOD),
        ([("review", "reject"), ("review", "accept")], GOOD),
        ([("strike", "reject"), ("review", "reject")], REJECTED),
        ([("strike", "reject"), ("review", "accept")], GOOD),
        ([("strike", "reject"), ("reopen", "accept"), ("propose", "reject")], FAILED),
    ],
)
def test_in_the_first_edition_the_last_decision_holds_and_a_proposal_decides_nothing(
    said: list[tuple[str, str]], standing: CheckStanding
) -> None:
    story, check = failed_check(1)
    for event, outcome in said:
        story.leaf(f"check.{event}", check=check, outcome=outcome)
    assert found(story).standing is standing


def test_in_the_first_edition_a_match_that_was_struck_or_opened_again() -> None:
    story = Story()
    check = story.check("match")
    story.leaf("check.strike", check=check, outcome="reject")
    assert found(story).standing is FAILED
    story.leaf("check.reopen", check=check, outcome="accept")
    assert found(story).standing is GOOD


def test_two_people_decide_and_the_leaf_of_the_second_is_the_decision_s() -> None:
    story, check = failed_check(2)
    before = found(story)
    story.leaf("check.propose", check=check, outcome="reject", by="a")
    assert found(story) == before
    story.leaf("check.review", check=check, outcome="reject", by="a")
    assert found(story) == before
    second = story.leaf("check.review", check=check, outcome="reject", by="b")
    assert (found(story).standing, found(story).n) == (REJECTED, second["n"])


def test_who_spoke_is_the_leaf_s_author_where_it_names_nobody_else() -> None:
    story, check = failed_check(2)
    for who, standing in (("a", FAILED), ("a", FAILED), ("b", GOOD)):
        story.leaf("check.review", check=check, outcome="accept")["who"] = who
        assert found(story).standing is standing


@pytest.mark.parametrize(
    ("office", "standing"), [({"office": "regulator"}, FAILED), ({"office": "institution"}, GOOD), ({}, GOOD)]
)
def test_a_regulator_alone_strikes_a_match_and_the_institution_does_not(
    office: dict[str, str], standing: CheckStanding
) -> None:
    story = Story(rules=2)
    check = story.check("match")
    story.leaf("check.strike", check=check, outcome="reject", by="a", **office)
    assert found(story).standing is standing


@pytest.mark.parametrize(
    ("rules", "at_ms", "standing", "marks"),
    [
        (2, REVIEWS_END - 1, REJECTED, {}),
        (2, REVIEWS_END, FAILED, {"late_review": 2}),
        (1, REVIEWS_END, REJECTED, {}),
    ],
)
def test_reviews_have_a_term_since_the_second_edition(
    rules: int, at_ms: int, standing: CheckStanding, marks: dict[str, int]
) -> None:
    story, check = failed_check(rules)
    for by in "ab":
        story.leaf("check.review", at_ms, check=check, outcome="reject", by=by)
    assert found(story).standing is standing
    assert evidence(story.leaves).marks == marks
    assert SETTLED < REVIEWS_END
