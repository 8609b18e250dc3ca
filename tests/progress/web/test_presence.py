""" "Are you there?" and the answer to it over the interface: never a 200 without its effect."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from support.lesson_page import Page, opened_page
from support.scenario import Scenario

from xueji.identity.rules import ProofRoute


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    return opened_page(app, scenario, ProofRoute.SUPERVISED)


def until_asked(page: Page) -> str:
    """Watch without a touch until the server asks; the question's id."""
    for _ in range(60):
        question = page.watch()["question"]
        if question is not None:
            return str(question["question_id"])
    raise AssertionError("nobody asked")


def says_not_open(page: Page, question_id: str) -> bool:
    answer = page.say_here(question_id)
    said = answer.json or {}
    return (answer.status_code, said["type"], bool(said["detail"])) == (409, "question-not-open", True)


def test_an_answer_to_a_question_nobody_asked_is_refused(page: Page) -> None:
    assert says_not_open(page, str(uuid4()))


def test_the_wrong_answer_leaves_the_question_open(page: Page) -> None:
    asked = until_asked(page)
    assert says_not_open(page, str(uuid4()))
    assert page.watch()["question"]["question_id"] == asked


def test_the_answer_just_given_may_come_again(page: Page) -> None:
    asked = until_asked(page)
    first, again = page.say_here(asked), page.say_here(asked)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json == again.json
    assert page.watch()["question"] is None
    assert page.say_here(asked).status_code == 200


def test_an_answer_given_again_is_no_second_sign_of_the_person(page: Page) -> None:
    asked = until_asked(page)
    page.say_here(asked)
    for _ in range(29):
        assert page.watch()["question"] is None
    page.say_here(asked)
    assert page.watch()["question"]["question_id"] != asked
    assert says_not_open(page, asked)


def test_a_touch_answers_too(page: Page) -> None:
    asked = until_asked(page)
    assert page.send(page.beat(0, state="paused", interacted=True)).status_code == 200
    assert says_not_open(page, asked)
