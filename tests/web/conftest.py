"""What most tests of the interface begin with."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lesson_page import Page, opened_page
from scenario import Scenario
from school_for_tests import School, new_school
from sqlalchemy.orm import Session

from courses import tasks
from xueji.hours import queries, services
from xueji.hours.rules import Ahead, Statement
from xueji.kernel.context import Context
from xueji.rulebook.vocabulary import Method


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    return opened_page(app, scenario)


@pytest.fixture
def school(app: Flask, context: Context) -> School:
    return new_school(context)


@pytest.fixture
def staff(app: Flask, school: School) -> FlaskClient:
    """Whoever runs the school, by program."""
    return school.head.client(app, school.context)


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which films were handed to the workers."""
    asked: list[str] = []
    monkeypatch.setattr(tasks.transcode_film, "delay", asked.append)
    return asked


@pytest.fixture(autouse=True)
def _an_opening_knows_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test tells: what a sitting opens with is what the whole chain says, kept or not."""

    def account_of(
        session: Session, enrolment_id: UUID, as_of_ms: int, *, studied: bool
    ) -> tuple[Statement, queries.Worth]:
        found = queries.account_of(session, enrolment_id, as_of_ms, studied=studied)
        whole = queries.worked_out(session, enrolment_id, as_of_ms)
        assert found[0] == whole.statement
        assert found[1].media == whole.worth.media
        for method in Method:
            assert _from(found[1].ahead(method), as_of_ms) == _from(whole.worth.ahead(method), as_of_ms)
        return found

    monkeypatch.setattr(services, "account_of", account_of)


def _from(found: Ahead, as_of_ms: int) -> Ahead:
    return Ahead([span for span in found.spans if span[1] > as_of_ms], found.unseen_after_ms)
