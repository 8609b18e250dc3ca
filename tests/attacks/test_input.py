"""Whatever is thrown at an address, the answer names the fault: never a 500, and never a 200 for nonsense."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.lesson_page import Page
from support.people import bearer, someone
from support.scenario import Scenario, Student
from werkzeug.routing import Rule

from xueji.kernel.actor import Role
from xueji.progress.rules import lease
from xueji.web.access import rule_of

HOSTILE_BODIES = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "number": b"1e999",
    "huge number": b"9" * 5000,
    "not JSON": b"{",
    "not UTF-8": b'{"reason": "\xff"}',
    "another encoding": '{"reason": "灯"}'.encode("utf-16"),
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "NUL": b'{"reason": "a\\u0000b", "place": "\\u0000", "device": "\\u0000", "name": "\\u0000"}',
    "half a pair": b'{"reason": "\\ud800", "account": "\\udfff", "password": "\\ud800"}',
    "half a pair as a key": b'{"\\ud800": 1}',
    "unknown field": b'{"is_admin": true}',
}
HOSTILE_VALUES = ("%00", "%ff%fe", "9" * 400, "-1", "1e999", "%ED%A0%80", "' OR 1=1 --", "../../etc/passwd", "\ufeff")
QUERY = ("page", "q", "cohort", "organisation", "next", "show", "from_size", "pictures", "kind", "state")


@pytest.fixture
def student(scenario: Scenario) -> Student:
    return scenario.student()


@pytest.fixture
def known(scenario: Scenario, student: Student) -> dict[str, object]:
    """What there is, by the name it has in an address."""
    lesson = scenario.lessons[0]
    return {
        "enrolment_id": student.enrolment.id,
        "cohort_id": scenario.cohort.id,
        "lesson_id": lesson.id,
        "course_id": lesson.course_id,
        "film_id": lesson.film_id,
    }


@pytest.fixture
def clients(app: Flask, scenario: Scenario, student: Student) -> dict[Role, FlaskClient]:
    """A client for each role; the trainee is one of the scenario's, the institution is its own."""
    found = {}
    for role in Role:
        who = {
            Role.TRAINEE: student.who,
            Role.INSTITUTION: scenario.school.head.who,
            Role.REGULATOR: scenario.regulator,
        }.get(role) or someone(scenario.context, role)
        found[role] = app.test_client()
        found[role].environ_base["HTTP_AUTHORIZATION"] = bearer(scenario.context, who)["Authorization"]
    return found


def address(rule: Rule, known: dict[str, object], value: str) -> str:
    """The rule's address for something there is, or an id nobody has; with ``value`` where it takes any text."""
    parts = {
        name: "1" if type(converter).__name__ == "IntegerConverter" else str(known.get(name, uuid4()))
        for name, converter in rule._converters.items()
    }
    parts |= {name: value for name in ("path", "number", "filename") if name in parts}
    address = rule.rule
    for name, part in parts.items():
        for written in (f"<uuid:{name}>", f"<int:{name}>", f"<path:{name}>", f"<{name}>"):
            address = address.replace(written, part)
    return address


def allowed(app: Flask, rule: Rule, clients: dict[Role, FlaskClient]) -> FlaskClient:
    """Somebody whom the view's rule lets in, so that it is the view that has to answer."""
    access = rule_of(app, rule.endpoint)
    return clients[min(access.roles or {Role.TRAINEE}) if access is not None else Role.TRAINEE]


NEED_MORE_THAN_THE_SITE = ("health.ready", "static", "evidence_api.bundle")
"""Answered with 503 without a broker, the built front end, or somebody who signs the log."""


def test_no_body_of_json_makes_the_server_fail(
    app: Flask, clients: dict[Role, FlaskClient], known: dict[str, object]
) -> None:
    failed = []
    for rule in app.url_map.iter_rules():
        for method in sorted({"POST", "PATCH", "PUT", "DELETE"} & (rule.methods or set())):
            if not rule.rule.startswith("/api/") or rule.endpoint in NEED_MORE_THAN_THE_SITE:
                continue
            client = allowed(app, rule, clients)
            for name, body in HOSTILE_BODIES.items():
                url = address(rule, known, "x")
                answer = client.open(url, method=method, data=body, content_type="application/json")
                if answer.status_code >= 500:
                    failed.append((method, rule.rule, name, answer.status_code))
    assert failed == []


def test_no_query_makes_the_server_fail(app: Flask, clients: dict[Role, FlaskClient], known: dict[str, object]) -> None:
    failed = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in NEED_MORE_THAN_THE_SITE:
            continue
        client = allowed(app, rule, clients)
        for value in HOSTILE_VALUES:
            answer = client.get(f"{address(rule, known, value)}?{'&'.join(f'{name}={value}' for name in QUERY)}")
            if answer.status_code >= 500:
                failed.append((rule.rule, value[:20], answer.status_code))
    assert failed == []


@pytest.mark.parametrize("url", ["/log/tile/{}/000", "/log/tile/0/x{}/000", "/log/proof/{}", "/log/tile/entries/{}"])
def test_the_log_has_no_tile_of_any_number(clients: dict[Role, FlaskClient], url: str) -> None:
    for number in ("9" * 30, "9" * 3000, "999", "x" * 3000):
        assert clients[Role.REGULATOR].get(url.format(number)).status_code in (400, 404)


class TestBeats:
    @pytest.mark.parametrize(
        "sent_at",
        ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "2026-11-22T08:00:00"],
    )
    def test_a_time_no_clock_can_say(self, page: Page, sent_at: str) -> None:
        page.scenario.time.advance(timedelta(seconds=10))
        answer = page.send({**page.beat(), "sent_at": sent_at})
        assert answer.status_code == 422
        page.seq, page.at_ms = 0, 0
        assert page.watch(5_000)["credited_ms"] == 5_000

    def test_reports_without_end_are_refused_and_leave_nothing_in_the_log(
        self, page: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lease, "MOST_AT_ONCE", 600)
        statuses = [page.send(*(page.beat(0, state="paused") for _ in range(120))).status_code for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert len(page.leaves("beat")) == 600
        page.sitting_id = uuid4()
        assert page.open(continue_here=True).status_code == 201
        page.seq = page.at_ms = 0
        assert page.send(*(page.beat(0, state="paused") for _ in range(120))).status_code == 429, "nor in another one"
        page.scenario.time.advance(timedelta(minutes=1))
        page.seq = page.at_ms = 0
        assert page.watch()["credited_ms"] == 10_000

    def test_conflicts_without_end_are_refused_and_leave_nothing_in_the_log(
        self, page: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lease, "MOST_AT_ONCE", 600)
        first = [page.beat(0, state="paused") for _ in range(120)]
        assert page.send(*first).status_code == 200
        others = [{**beat, "beat_id": str(uuid4())} for beat in first]
        assert [page.send(*others).status_code for _ in range(6)] == [409] * 4 + [429] * 2
        assert len(page.leaves("beat.conflict")) == 480

    @pytest.mark.parametrize("rate", [1e308, 0, -1.0, float("nan"), float("inf")])
    def test_a_rate_no_player_has(self, page: Page, rate: float) -> None:
        assert page.send(page.beat(rate=rate)).status_code == 422

    @pytest.mark.parametrize("sitting", ["-" * 36, "0" * 36, "00000000-0000-0000-0000-00000000000g"])
    def test_an_address_that_names_no_sitting(self, page: Page, sitting: str) -> None:
        answer = page.client.post(f"/api/v1/sittings/{sitting}/beats", json={"beats": [page.beat()]})
        assert answer.status_code == 404

    def test_a_device_whose_name_cannot_be_kept(self, app: Flask, scenario: Scenario) -> None:
        page = Page(app, scenario, scenario.student("赵六"))
        for name in ("a\0b", "\ud800"):
            assert page.open(device=name).status_code == 422
        assert page.open(device="😀 🎓").status_code == 201


def test_a_form_with_a_nul_is_refused(scenario: Scenario, app: Flask) -> None:
    page = Page(app, scenario, scenario.student())
    answer = page.client.post(f"/checks/{uuid4()}/contest", data={"reason": "a\0b"})
    assert answer.status_code == 400


FIELDS = [
    "title",
    "region",
    "category",
    "industry",
    "training",
    "subject",
    "syllabus",
    "venue",
    "starts_on",
    "ends_on",
    "total",
    "theory",
    "practical",
    "online",
    "in_person",
    "lessons",
    "checks_min_gap_ms",
    "checks_max_gap_ms",
    "answer_ms",
    "retries",
    "idle_ms",
    "daily_max_ms",
    "part",
    "place",
    "teacher",
    "began_at",
    "ended_at",
    "people",
    "post",
    "employer",
    "earlier",
    "reason",
    "name",
    "kind",
    "uscc",
    "id_number",
    "account",
    "role",
    "organisation_id",
    "password",
    "size",
    "minutes",
    "enrolment_id",
    "check_in_id",
    "out",
    "outcome",
    "words",
    "answer",
    "deadline",
    "sitting",
    "to",
    "film_id",
    "code",
    "route",
    "consent",
    "next",
    "language",
    "q",
]
WRITTEN = (
    "",
    "\x7f\u202e=cmd|' /C calc'!A0",
    "x" * 70_000,
    "9" * 400,
    "-1",
    "1e308",
    "NaN",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "00000000-0000-0000-0000-000000000000",
)


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written[:12].encode("unicode_escape").decode())
def test_no_form_makes_the_server_fail(
    app: Flask, clients: dict[Role, FlaskClient], known: dict[str, object], written: str
) -> None:
    form, failed = dict.fromkeys(FIELDS, written), []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/witness/")) or rule.endpoint == "identity.sign_out":
            continue
        client, url = allowed(app, rule, clients), address(rule, known, "x")
        answers = [client.post(url, data=form)] if "POST" in (rule.methods or ()) else []
        if rule.endpoint == "cohorts.figures":
            answers.append(client.get(url, query_string={**form, "x": ""} if len(written) < 1000 else {}))
        # Nothing is signed in this installation, and a bundle says so with 503.
        unsigned = rule.endpoint == "evidence.bundle"
        failed += [(rule.rule, answer.status_code) for answer in answers if answer.status_code >= 500 and not unsigned]
        for answer in answers:
            answer.close()
    assert failed == []
