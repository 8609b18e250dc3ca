"""The same person in many places at the same moment: one of them studies, the others are told so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select
from support.lesson_page import Page
from support.people import bearer
from support.scenario import Scenario
from support.school import new_member

from xueji.kernel.actor import Role
from xueji.progress.models import Lease, Sitting

MANY = 6


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_sittings_opened_at_once_leave_one_that_earns(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    first = Page(app, scenario, student)
    pages = [Page(app, scenario, student, uuid4()) for _ in range(MANY)]
    for page in pages:
        # One sign-in of one person: a learner's newer one would end the others.
        page.client.environ_base["HTTP_AUTHORIZATION"] = pages[-1].client.environ_base["HTTP_AUTHORIZATION"]
    first.client.environ_base["HTTP_AUTHORIZATION"] = pages[-1].client.environ_base["HTTP_AUTHORIZATION"]
    said = Counter(answer.status_code for answer in at_once([page.open for page in pages]))
    assert said[201] >= 1
    assert set(said) <= {201, 409}
    with scenario.context.database.reading() as session:
        lease = session.scalars(select(Lease)).one()
        active = session.scalars(select(Sitting.id).where(Sitting.ended_ms.is_(None))).all()
    assert active == [lease.sitting_id]
    scenario.time.advance(timedelta(seconds=10))
    answers = at_once([lambda page=page: page.send(page.beat()) for page in pages])  # type: ignore[misc]
    assert Counter(answer.status_code for answer in answers)[200] == 1


def test_one_sitting_opened_many_times_at_once_is_opened_once(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    clients = [page.open for _ in range(MANY)]
    said = Counter(answer.status_code for answer in at_once(clients))
    assert said[201] >= 1
    assert set(said) <= {201, 409}
    assert len(page.leaves("sitting.open")) == 1


def test_a_check_answered_many_times_at_once_has_one_answer(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    assert page.open().status_code == 201
    scenario.time.advance(timedelta(seconds=10))
    page.send(page.beat())
    check = page.client.post(f"/api/v1/sittings/{page.sitting_id}/checks").json["check"]  # type: ignore[index]
    said = Counter(answer.status_code for answer in at_once([lambda: page.answer(check)] * MANY))
    assert said == {202: 1, 409: MANY - 1}
    assert len(page.leaves("check.answer")) == 1
    assert len(list(scenario.context.store.list("faces/checks"))) == 3, "what was too late is not kept"


def test_a_check_reviewed_many_times_at_once_has_one_decision(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    assert page.open().status_code == 201
    scenario.time.advance(timedelta(seconds=10))
    page.send(page.beat())
    check = page.client.post(f"/api/v1/sittings/{page.sitting_id}/checks").json["check"]  # type: ignore[index]
    page.client.post(f"/api/v1/checks/{check['check_id']}/refuse", json={"nonce": check["nonce"]})
    second = new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "周老师")
    staff = [bearer(scenario.context, who) for who in (scenario.school.head.who, second.who)]

    def review(number: int) -> int:
        body = {"outcome": "accept", "reason": "同时作出的结论"}
        url = f"/api/v1/checks/{check['check_id']}/review"
        return int(app.test_client().post(url, json=body, headers=staff[number % 2]).status_code)

    calls = [partial(review, number) for number in range(6)]
    assert Counter(at_once(calls)) == {200: 2, 409: 4}
    assert (len(page.leaves("check.propose")), len(page.leaves("check.review"))) == (1, 1)
