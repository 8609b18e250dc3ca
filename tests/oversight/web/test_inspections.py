"""An inspector reads one cohort for a time: nothing else, nobody's face, and each look stands in the trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from support.people import Browser, Someone, organisation, someone
from support.scenario import Scenario, Student, playing

from xueji.enrolment.access import access_cohort, access_enrolment
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.oversight.access import access_inspection
from xueji.oversight.errors import AlreadyInspecting, InspectionTooLong, NotAnInspector
from xueji.oversight.inspecting import LONGEST, end_inspection, give_inspection, inspections
from xueji.oversight.models import Inspection
from xueji.trace.models import Pending
from xueji.trace.rules import COHORT, STAFF_NAME, STAFF_ORGANISATION, Event


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


@pytest.fixture
def inspector(scenario: Scenario) -> Someone:
    bureau = organisation(scenario.context, OrganisationKind.AUTHORITY, "620000")
    return someone(scenario.context, Role.INSPECTOR, at=bureau, name="冯检查")


def _regulator(scenario: Scenario, region: str = "620100") -> Actor:
    return scenario.regulator.actor(Role.REGULATOR, region=region)


def _give(scenario: Scenario, inspector: Someone, days: int = 7, actor: Actor | None = None) -> UUID:
    with scenario.context.database.writing() as session:
        return give_inspection(
            session,
            scenario.context.keyring,
            actor=actor or _regulator(scenario),
            account=inspector.account,
            cohort_id=scenario.cohort.id,
            last_day=clock.shanghai_day(clock.now()) + timedelta(days=days),
            reason="核查线上学时",
        ).id


def _leaves(scenario: Scenario, chain: str, *events: Event) -> list[dict[str, object]]:
    with scenario.context.database.reading() as session:
        found = session.scalars(select(Pending.leaf).where(Pending.chain == chain).order_by(Pending.id))
        leaves = [json.loads(leaf) for leaf in found]
    return [leaf for leaf in leaves if leaf["event"] in events]


def test_she_reads_the_cohort_and_its_trainees_and_each_look_is_recorded(
    app: Flask, scenario: Scenario, inspector: Someone
) -> None:
    student = scenario.student("沈若男")
    student.study(scenario.lessons[0])
    inspection = _give(scenario, inspector)
    (opened,) = _leaves(scenario, f"{COHORT}{scenario.cohort.id}", Event.INSPECTION_OPEN)
    assert isinstance(opened["values"], dict) and "核查" not in json.dumps(opened["values"], ensure_ascii=False)
    browser = Browser(app)
    browser.sign_in(inspector)
    assert browser.get("/").location == "/inspections"
    assert scenario.cohort.title in browser.get("/inspections").text
    roster = browser.get(f"/inspections/{inspection}").text
    assert "沈**" in roster and "沈若男" not in roster
    page = browser.get(f"/inspections/{inspection}/trainees/{student.enrolment.id}").text
    assert "比对详情" in page and "/api/v1/pictures/" not in page and "沈若男" not in page
    (of_cohort,) = _leaves(scenario, f"{COHORT}{scenario.cohort.id}", Event.INSPECTION_LOOK)
    (of_trainee,) = _leaves(scenario, student.enrolment.chain, Event.INSPECTION_LOOK)
    for leaf in (of_cohort, of_trainee):
        values = leaf["values"]
        assert isinstance(values, dict) and values["inspection"] == str(inspection)
        assert {STAFF_NAME, STAFF_ORGANISATION} <= values.keys()


def test_it_reaches_nothing_else(
    app: Flask,
    scenario: Scenario,
    inspector: Someone,
) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0])
    inspection = _give(scenario, inspector)
    actor = inspector.actor(Role.INSPECTOR, region="620000")
    with scenario.context.database.reading() as session:
        for denied in (
            lambda: access_enrolment(session, actor, student.enrolment.id),
            lambda: access_cohort(session, actor, scenario.cohort.id),
            lambda: access_inspection(session, actor, uuid4()),
            lambda: access_inspection(session, _regulator(scenario), inspection),
        ):
            with pytest.raises(NotFound):
                denied()
    browser = Browser(app)
    browser.sign_in(inspector)
    enrolment = student.enrolment.id
    for path in (
        f"/enrolments/{enrolment}/hours",
        f"/enrolments/{enrolment}/checks",
        f"/oversight/trainees/{enrolment}",
        f"/oversight/sittings/{student.sitting_id}",
        f"/cohorts/{scenario.cohort.id}/hours",
        f"/api/v1/enrolments/{enrolment}/statement",
        f"/inspections/{inspection}/trainees/{uuid4()}",
        f"/inspections/{uuid4()}",
    ):
        assert browser.get(path).status_code in (403, 404), path


def test_it_ends_by_itself_and_by_a_regulator_s_word(app: Flask, scenario: Scenario, inspector: Someone) -> None:
    inspection, actor = _give(scenario, inspector, days=0), inspector.actor(Role.INSPECTOR)
    browser = Browser(app)
    browser.sign_in(inspector)
    assert browser.get(f"/inspections/{inspection}").status_code == 200
    with scenario.context.database.reading() as session:
        until = session.get_one(Inspection, inspection).until
    scenario.time.advance(until - clock.now() - timedelta(milliseconds=1))
    with scenario.context.database.reading() as session:
        assert access_inspection(session, actor, inspection)
    scenario.time.advance(timedelta(milliseconds=1))
    with scenario.context.database.reading() as session:
        assert inspections(session, actor, 1) == ([], 0)
        with pytest.raises(NotFound):
            access_inspection(session, actor, inspection)
    again = _give(scenario, inspector)
    with scenario.context.database.writing() as session:
        end_inspection(session, scenario.context.keyring, actor=_regulator(scenario), inspection_id=again)
    with scenario.context.database.reading() as session, pytest.raises(NotFound):
        access_inspection(session, actor, again)
    assert len(_leaves(scenario, f"{COHORT}{scenario.cohort.id}", Event.INSPECTION_END)) == 1


def test_only_a_regulator_above_the_cohort_gives_it_to_an_inspector_and_not_for_long(
    scenario: Scenario, inspector: Someone
) -> None:
    for actor in (_regulator(scenario, "110000"), scenario.school.staff, inspector.actor(Role.INSPECTOR)):
        with pytest.raises(NotFound):
            _give(scenario, inspector, actor=actor)
    student: Student = scenario.student()
    with pytest.raises(NotAnInspector):
        _give(scenario, student.who)
    for days in (-1, LONGEST.days + 1):
        with pytest.raises(InspectionTooLong):
            _give(scenario, inspector, days=days)
    inspection = _give(scenario, inspector, days=LONGEST.days)
    with pytest.raises(AlreadyInspecting):
        _give(scenario, inspector)
    with pytest.raises(NotFound), scenario.context.database.writing() as session:
        far = _regulator(scenario, "110000")
        end_inspection(session, scenario.context.keyring, actor=far, inspection_id=inspection)


def test_a_regulator_gives_and_ends_it_on_the_page(app: Flask, scenario: Scenario, inspector: Someone) -> None:
    browser = Browser(app)
    browser.sign_in(scenario.regulator)
    today = clock.shanghai_day(clock.now())
    form = {
        "account": inspector.account,
        "cohort": str(scenario.cohort.id),
        "last_day": (today + timedelta(days=3)).isoformat(),
        "reason": "核查线上学时",
    }
    for wrong in ({"reason": "x"}, {"last_day": "soon"}, {"cohort": ""}, {"last_day": "2099-01-01"}):
        assert browser.post("/inspections", {**form, **wrong}, look="/inspections").status_code == 422
    assert browser.post("/inspections", form, look="/inspections").status_code == 302
    page = browser.get("/inspections").text
    assert "冯**" in page and "核查线上学时" in page
    end = page.split('action="/inspections/')[1].split('"')[0]
    assert browser.post(f"/inspections/{end}", look="/inspections").status_code == 302
    assert "已结束" in browser.get("/inspections").text
