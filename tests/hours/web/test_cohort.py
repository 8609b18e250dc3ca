"""The institution's list of a cohort's hours, and closing the cohort from it: first who would miss what, then a day."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from support.lesson_page import Page, opened_page
from support.people import Browser
from support.scenario import Scenario
from support.school import new_school

from xueji.cohorts.models import Cohort, CohortState
from xueji.hours.roster import accounts_of
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.rulebook.vocabulary import Outcome


@pytest.fixture
def staff(app: Flask, scenario: Scenario) -> Browser:
    browser = Browser(app)
    browser.sign_in(scenario.school.head.who)
    return browser


def path(scenario: Scenario) -> str:
    return f"/cohorts/{scenario.cohort.id}/hours"


def state_of(scenario: Scenario) -> Cohort:
    with scenario.context.database.reading() as session:
        return session.get_one(Cohort, scenario.cohort.id)


def test_each_line_is_the_statement_s(app: Flask, scenario: Scenario) -> None:
    student = scenario.student("沈若男")
    student.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    page = Page(app, scenario, student)
    online = page.account().online
    assert online.counted_ms and online.held_ms
    staff = Browser(app)
    staff.sign_in(scenario.school.head.who)
    shown = staff.get(path(scenario)).text
    for ms in (online.counted_ms, online.held_ms):
        assert f'value="{ms}"' in shown


def test_the_list_is_narrowed_drawn_in_its_colours_and_printed_with_its_address(app: Flask, scenario: Scenario) -> None:
    first, second = scenario.student("沈若男"), scenario.student("田雨")
    first.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    staff = Browser(app)
    staff.sign_in(scenario.school.head.who)
    shown = staff.get(path(scenario)).text
    assert 'class="is-confirmed"' in shown and 'class="is-held"' in shown and path(scenario) + "</p>" in shown
    for show, names in (("unfinished", {"沈若男", "田雨"}), ("held", {"沈若男"}), ("unbegun", {"田雨"})):
        table = staff.get(f"{path(scenario)}?show={show}").text.split('id="closing"')[0]
        assert {name for name in ("沈若男", "田雨") if name in table} == names, show
    assert staff.get(f"{path(scenario)}?show=else").status_code == 404
    assert second.checks == []


def test_closing_asks_first_who_is_not_done_and_takes_a_day(app: Flask, staff: Browser, scenario: Scenario) -> None:
    page = opened_page(app, scenario, ProofRoute.SUPERVISED)
    page.watch()
    shown = staff.get(path(scenario)).text
    assert "还有 1 名学员没有学完" in shown and "正在学习" in shown
    assert "现在就结班" not in shown, "while somebody studies nobody is asked to cut her off"
    close = f"/cohorts/{scenario.cohort.id}/close"
    assert staff.post(close, {"now": "1"}, look=path(scenario)).status_code == 409
    today = clock.shanghai_day(clock.now())
    assert staff.post(close, {"last_day": today.isoformat()}, look=path(scenario)).status_code == 302
    assert (state_of(scenario).state, state_of(scenario).closes_on) == (CohortState.OPEN, today)
    assert "24时结班" in staff.get(path(scenario)).text
    assert page.watch()["furthest_ms"] == 20_000

    yesterday = (today - timedelta(days=1)).isoformat()
    assert staff.post(close, {"last_day": yesterday}, look=path(scenario)).status_code == 422
    assert staff.post(close, {"last_day": "soon"}, look=path(scenario)).status_code == 422


def test_a_cohort_in_which_nobody_studies_closes_at_once(staff: Browser, scenario: Scenario) -> None:
    close = f"/cohorts/{scenario.cohort.id}/close"
    assert "没有人会因结班错过什么" in staff.get(path(scenario)).text
    assert staff.post(close, {"now": "1"}, look=path(scenario)).status_code == 302
    assert state_of(scenario).state is CohortState.CLOSED


def test_a_withdrawal_by_mistake_is_taken_back_from_the_roster(staff: Browser, scenario: Scenario) -> None:
    student = scenario.student()
    roster = f"/cohorts/{scenario.cohort.id}/trainees"
    url = f"/enrolments/{student.enrolment.id}"
    assert staff.post(f"{url}/readmit", {"reason": "点错了"}, look=roster).status_code == 409
    assert staff.post(f"{url}/withdraw", {"reason": "点错了"}, look=roster).status_code == 302
    assert staff.post(f"{url}/readmit", {"reason": " "}, look=roster).status_code == 422
    assert staff.post(f"{url}/readmit", {"reason": "点错了"}, look=roster).status_code == 302
    assert "已恢复学籍" in staff.get(roster).text


def test_another_institution_does_not_find_it(app: Flask, scenario: Scenario) -> None:
    browser = Browser(app)
    browser.sign_in(new_school(scenario.context).head.who)
    assert browser.get(path(scenario)).status_code == 404


def test_the_list_goes_into_a_spreadsheet_with_the_same_figures_and_runs_nothing(
    app: Flask, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    online = Page(app, scenario, student).account().online
    staff = Browser(app)
    staff.sign_in(scenario.school.head.who)
    # No name that is refused at the door may run either, if one ever comes in another way.
    monkeypatch.setattr(
        "xueji.hours.views.accounts_of",
        lambda *asked: [replace(line, person=replace(line.person, name="=1+1")) for line in accounts_of(*asked)],
    )
    answer = staff.get(f"{path(scenario)}.csv")
    assert answer.mimetype == "text/csv"
    head, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert head[2] == "线上已确认（秒）"
    (row,) = [dict(zip(head, row, strict=True)) for row in rows]
    assert row["姓名"] == "'=1+1", "a spreadsheet must not take a name for a formula"
    amounts = [row[head[2]], row[head[3]], row[head[4]]]
    assert amounts == [f"{ms / 1000:.3f}" for ms in (online.counted_ms, online.provisional_ms, online.held_ms)]
    assert f"{path(scenario)}.csv" in staff.get(path(scenario)).text


def test_the_list_is_for_the_cohort_s_own_institution(app: Flask, scenario: Scenario) -> None:
    other = Browser(app)
    other.sign_in(new_school(scenario.context).head.who)
    assert other.get(f"{path(scenario)}.csv").status_code == 404
