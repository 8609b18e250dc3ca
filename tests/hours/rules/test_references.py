"""Whose face a check was compared with decides whether a match is worth anything: held until staff have said so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.trace_stories import BOOK, LAST_DAY, MINUTE, PLAN, SETTLED, Story

from xueji.hours.rules import Statement, assess, evidence

ASKS = replace(PLAN, confirm_reference=1)
LIMIT = 450_000


def story(rules: int | None = 2, *, asks: bool = True) -> Story:
    terms: dict[str, Any] = {} if rules is None else {"rules": rules, "subject": None}
    return Story(plan=ASKS if asks else PLAN, **terms)


def enrolled(told: Story, name: str, *near: tuple[str, int]) -> None:
    told.leaf(
        "reference.enrol",
        reference=name,
        model="m",
        standing="unconfirmed",
        near=[{"reference": other, "distance": distance} for other, distance in near],
        limit=LIMIT,
    )


def studied(told: Story, *references: str, minutes: int = 10, outcome: str = "match") -> None:
    """Minutes of the lesson, and a check at their end that was made against these photos."""
    sitting = told.sitting()
    told.watched(told.terms.get("at", 0), told.terms.get("at", 0) + minutes * MINUTE, sitting=sitting)
    told.terms["at"] = told.terms.get("at", 0) + minutes * MINUTE
    name = told.new_id("check")
    told.due(name, answer_ms=MINUTE)
    told.leaf("check.answer", check=name, attempt=1, method="face", frames=[], signals=[])
    told.leaf("check.verdict", check=name, attempt=1, outcome=outcome, final=True, references=list(references))


def account(told: Story, as_of: int | None = None) -> Statement:
    return assess(BOOK, evidence(told.leaves), as_of or told.now)


def minutes(told: Story, as_of: int | None = None) -> tuple[int, int, int]:
    """Counted, awaited, held in all."""
    online = account(told, as_of).online
    return online.counted_ms // MINUTE, online.awaited_ms // MINUTE, online.held_ms // MINUTE


def test_a_match_with_a_photo_that_nobody_confirmed_is_held_until_somebody_does() -> None:
    told = story()
    enrolled(told, "a")
    studied(told, "a")
    assert minutes(told) == (0, 10, 10)
    assert account(told).lessons[0].make_up == (), "nothing is to be watched again for it"
    told.leaf("reference.confirm", reference="a", by="staff")
    assert minutes(told) == (10, 0, 0)


def test_the_confirmation_may_come_on_the_last_instant_of_the_days_after_the_end_and_no_later() -> None:
    for at, counted in ((SETTLED - 1, 10), (SETTLED, 0)):
        told = story()
        enrolled(told, "a")
        studied(told, "a")
        told.leaf("reference.confirm", at, reference="a", by="staff")
        assert minutes(told, SETTLED)[0] == counted
    assert told.terms["ends"] == LAST_DAY.isoformat()


def test_what_still_waits_for_a_photo_at_the_settlement_was_not_made_up() -> None:
    told = story()
    enrolled(told, "a")
    studied(told, "a")
    studied(told, "a", minutes=5, outcome="mismatch")
    refused = {item.reason: item.ms for item in account(told, SETTLED).online.refused}
    assert minutes(told, SETTLED) == (0, 0, 0)
    assert refused == {"not_made_up": 15 * MINUTE}


def test_time_after_an_exchanged_photo_is_held_and_time_before_it_stays() -> None:
    told = story()
    told.leaf("reference.stand", references=[{"reference": "a", "model": "m", "confirmed": True}])
    studied(told, "a")
    told.leaf("reference.delete", reference="a")
    enrolled(told, "b")
    studied(told, "b")
    told.leaf("reference.delete", reference="b")
    enrolled(told, "a2")
    studied(told, "a2")
    assert minutes(told) == (10, 20, 20)
    told.leaf("reference.confirm", reference="a2", by="staff")
    assert minutes(told) == (10, 20, 20), "the middle one is on both sides of nothing that was confirmed"
    told.leaf("reference.refuse", reference="b", by="staff")
    assert minutes(told) == (10, 20, 20)


def test_a_photo_near_a_confirmed_one_needs_no_person() -> None:
    told = story()
    enrolled(told, "a")
    told.leaf("reference.confirm", reference="a", by="staff")
    enrolled(told, "b", ("a", LIMIT))
    studied(told, "a", "b")
    assert minutes(told) == (10, 0, 0)


@pytest.mark.parametrize(
    "near",
    [(), (("a", LIMIT + 1),), (("b", 1),), (("c", 0),), (("nobody", 0),)],
    ids=["compared with nothing", "too far", "near one that is only near", "near itself", "near an unknown one"],
)
def test_any_other_photo_does(near: tuple[tuple[str, int], ...]) -> None:
    told = story()
    enrolled(told, "a")
    told.leaf("reference.confirm", reference="a", by="staff")
    enrolled(told, "b", ("a", 1))
    enrolled(told, "c", *near)
    studied(told, "a", "c")
    assert minutes(told) == (0, 10, 10)


def test_a_confirmed_photo_vouches_for_one_that_stood_before_it() -> None:
    """She takes a better one, has it confirmed, and loses nothing of what she studied meanwhile."""
    told = story()
    enrolled(told, "a")
    studied(told, "a")
    enrolled(told, "b", ("a", 300_000))
    told.leaf("reference.delete", reference="a")
    told.leaf("reference.confirm", reference="b", by="staff")
    assert minutes(told) == (10, 0, 0)


def test_a_confirmation_is_taken_back_and_given_again() -> None:
    told = story()
    enrolled(told, "a")
    enrolled(told, "b", ("a", 1))
    told.leaf("reference.confirm", reference="a", by="staff")
    studied(told, "a", "b")
    assert minutes(told) == (10, 0, 0)
    told.leaf("reference.refuse", reference="a", by="another")
    assert minutes(told) == (0, 10, 10)
    told.leaf("reference.confirm", reference="a", by="a third")
    assert minutes(told) == (10, 0, 0)


def test_where_the_plan_does_not_ask_the_first_photo_is_hers_and_another_still_needs_a_person() -> None:
    told = story(asks=False)
    enrolled(told, "a")
    studied(told, "a")
    assert minutes(told) == (10, 0, 0)
    told.leaf("reference.delete", reference="a")
    enrolled(told, "b")
    studied(told, "b")
    assert minutes(told) == (10, 10, 10)
    told.leaf("reference.confirm", reference="b", by="staff")
    assert minutes(told) == (20, 0, 0)


def test_a_match_that_names_no_photo_says_nothing_where_the_plan_asks() -> None:
    told = story()
    studied(told)
    assert minutes(told) == (0, 10, 10)
    plain = story(asks=False)
    studied(plain)
    assert minutes(plain) == (10, 0, 0)


@pytest.mark.parametrize("rules", [None, 1])
def test_enrolments_of_the_first_edition_are_never_asked(rules: int | None) -> None:
    told = story(rules)
    enrolled(told, "a")
    studied(told, "a")
    studied(told)
    assert minutes(told) == (20, 0, 0)


def test_a_failed_check_beside_it_holds_as_ever() -> None:
    told = story()
    enrolled(told, "a")
    studied(told, "a", outcome="mismatch")
    studied(told, "a")
    assert minutes(told) == (0, 0, 20)
    told.leaf("reference.confirm", reference="a", by="staff")
    assert minutes(told) == (0, 0, 20)


def test_staff_who_vouch_for_a_window_need_no_photo() -> None:
    told = story()
    sitting = told.sitting(method="supervised")
    told.leaf("checkin.confirm", checkin="here", at_ms=told.now, until_ms=told.now + 60 * MINUTE)
    told.leaf("checkin.code", checkin="here")
    told.watched(0, 10 * MINUTE, sitting=sitting)
    told.leaf("checkin.confirm", checkin="here", at_ms=told.now, until_ms=told.now + 60 * MINUTE)
    assert minutes(told) == (10, 0, 0)


def test_what_is_known_of_each_photo_stands_in_the_evidence() -> None:
    told = story()
    enrolled(told, "a")
    enrolled(told, "b")
    enrolled(told, "c")
    told.leaf("reference.confirm", reference="a", by="staff")
    told.leaf("reference.refuse", reference="b", by="staff")
    assert evidence(told.leaves).references == {"a": "trusted", "b": "refused", "c": "awaiting"}
    assert account(told).to_dict()["online"].get("awaited_ms") is None, "what says nothing is left out"


def test_a_photo_that_stood_before_the_chain_spoke_of_any_is_the_first() -> None:
    told = story(asks=False)
    told.leaf("reference.stand", references=[{"reference": "a", "model": "m", "confirmed": False}])
    told.leaf("reference.stand", references=[{"reference": "b", "model": "m", "confirmed": False}])
    assert evidence(told.leaves).references == {"a": "trusted", "b": "awaiting"}


def test_staff_may_decide_about_a_photo_that_the_chain_never_named() -> None:
    told = story()
    told.leaf("reference.confirm", reference="a", by="staff")
    told.leaf("reference.refuse", reference="b", by="staff")
    assert evidence(told.leaves).references == {"a": "trusted", "b": "refused"}
