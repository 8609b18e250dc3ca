"""A trainee acts as often as study takes and not without end; nobody else is counted with her."""

from __future__ import annotations

import threading
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from support.lesson_page import Page
from support.scenario import Scenario

from xueji.app import create_app
from xueji.identity.pace import ActCounts
from xueji.identity.rules import ProofRoute


@pytest.fixture
def app(scenario: Scenario) -> Flask:
    settings = replace(scenario.context.settings, openings="3 per minute", trainee_acts="6 per minute; 50 per day")
    made = create_app(context=replace(scenario.context, settings=settings))
    made.testing = True
    return made


@pytest.fixture
def pages(app: Flask, scenario: Scenario) -> list[Page]:
    made = []
    for name in ("王小明", "李小红"):
        student = scenario.student(name, ProofRoute.SUPERVISED)
        scenario.check_in(student)
        made.append(Page(app, scenario, student))
    return made


def opened(page: Page) -> int:
    page.sitting_id = uuid4()
    return page.open(continue_here=True).status_code


def test_sittings_without_end_are_refused_to_her_and_to_nobody_else(pages: list[Page]) -> None:
    hers, his = pages
    assert [opened(hers) for _ in range(4)] == [201, 201, 201, 429]
    refused = hers.open(continue_here=True)
    said = refused.json or {}
    assert (said["type"], 1 <= said["retry_after"] <= 60) == ("too-many", True)
    assert "分钟后再试" in said["detail"]
    assert refused.headers["Retry-After"] == str(said["retry_after"])
    assert len(hers.leaves("sitting.open")) == 3
    assert opened(his) == 201


def test_beats_and_looks_go_on_when_she_may_not_act(pages: list[Page]) -> None:
    page, _ = pages
    assert opened(page) == 201
    page.seq = page.at_ms = 0
    statuses = [page.say_here().status_code for _ in range(7)]
    assert statuses == [409] * 5 + [429] * 2
    refused = page.say_here()
    assert refused.headers["Retry-After"] == str((refused.json or {})["retry_after"])
    assert page.watch()["credited_ms"] == 10_000
    assert page.client.get("/api/v1/me/enrolments").status_code == 200


def test_counting_starts_no_thread_and_forgets_what_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("xueji.identity.pace.time.time", lambda: now)
    monkeypatch.setattr(threading.Thread, "start", None)
    counts = ActCounts()
    assert [counts.incr(f"person {number}", 60) for number in range(3)] == [1, 1, 1]
    assert (counts.incr("person 0", 60, 2), counts.get("person 0"), counts.get_expiry("person 0")) == (3, 3, 1_060.0)
    now += 59.9
    assert counts.incr("person 0", 60) == 4
    now += 0.1
    assert counts.get("person 0") == 0
    assert counts.incr("person 0", 60) == 1
    assert counts.reset() == 1, "the others' were forgotten"
    counts.incr("person 0", 60)
    counts.clear("person 0")
    assert counts.get("person 0") == 0
