"""The guide of a demonstration: nowhere else, and what its requests would gain is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from support.people import Browser
from support.scenario import Scenario

from xueji.app import create_app


@pytest.fixture
def shown(scenario: Scenario) -> Flask:
    """The same installation as a demonstration."""
    context = scenario.context
    return create_app(context=replace(context, settings=replace(context.settings, demo=True)))


def test_it_exists_in_a_demonstration_alone(app: Flask, scenario: Scenario, shown: Flask) -> None:
    student = scenario.student()
    there, elsewhere = Browser(shown), Browser(app)
    assert there.get("/tour").status_code == 200 and elsewhere.get("/tour").status_code == 404
    for browser, status in ((there, 200), (elsewhere, 404)):
        browser.sign_in(student.who)
        assert browser.get("/tour/cheat").status_code == status
        if status == 200:
            assert str(scenario.lessons[0].id) in browser.page
        assert browser.get(f"/tour/cheat/{student.enrolment.id}/leaves").status_code == status


def test_a_trainee_is_shown_her_own_leaves_alone(scenario: Scenario, shown: Flask) -> None:
    student, other = scenario.student(), scenario.student("李小红")
    browser = Browser(shown)
    browser.sign_in(student.who)
    found = browser.get(f"/tour/cheat/{student.enrolment.id}/leaves?after=-1").get_json()
    assert found["length"] == len(found["leaves"]) > 0
    assert browser.get(f"/tour/cheat/{other.enrolment.id}/leaves").status_code == 404
