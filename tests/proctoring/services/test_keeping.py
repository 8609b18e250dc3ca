"""Pictures of checks are deleted when the years the law asks for are over, and not before; what is left says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from support.bundles import fallen, judged, unpacked
from support.evidence import Case, new_case
from support.growing_log import growing_log
from support.people import Browser
from support.scenario import Scenario, Student, playing

from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import EnrolmentDeclaration
from xueji.evidence import services as evidence_services
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.storage import StoreDown
from xueji.proctoring.models import Attempt, Check, Picture, PicturesEnd
from xueji.proctoring.queries import checks_of
from xueji.proctoring.services import end_pictures
from xueji.rulebook.retention import years_after
from xueji.rulebook.rules import load
from xueji.rulebook.vocabulary import Category
from xueji.trace.models import Pending, SealedOpening
from xueji.trace.rules import Event

SECONDS = 60.0


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


@pytest.fixture
def student(scenario: Scenario) -> Student:
    made = scenario.student()
    made.study(scenario.lessons[0])
    assert made.checks
    return made


def _pictures(scenario: Scenario, student: Student) -> list[Picture]:
    with scenario.context.database.reading() as session:
        mine = Check.enrolment_id == student.enrolment.id
        hers = select(Picture).join(Attempt).join(Check).where(mine).order_by(Picture.id)
        return list(session.scalars(hers))


def _first_day(cohort: Cohort, years: int) -> datetime:
    """Noon of the first day on which the pictures of a cohort's trainees are kept no more."""
    day = years_after(cohort.ends_on, years) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, 12, tzinfo=clock.SHANGHAI)


def _go(scenario: Scenario, to: datetime) -> None:
    scenario.time.advance(to - clock.now())


def _erasures(scenario: Scenario, student: Student) -> list[str]:
    with scenario.context.database.reading() as session:
        leaves = session.scalars(select(Pending.leaf).where(Pending.chain == student.enrolment.chain))
        return [leaf.decode() for leaf in leaves if f'"event":"{Event.ERASE}"'.encode() in leaf]


def test_pictures_end_on_the_first_day_after_three_years_and_the_chain_says_why(
    scenario: Scenario, student: Student
) -> None:
    kept = _pictures(scenario, student)
    paths = [each.path for each in kept]
    assert kept and all(scenario.context.store.exists(path) for path in paths)
    _go(scenario, _first_day(scenario.cohort, 3) - timedelta(days=1))
    assert end_pictures(scenario.context, SECONDS) == 0
    assert all(scenario.context.store.exists(path) for path in paths)
    scenario.time.advance(timedelta(days=1))
    assert end_pictures(scenario.context, SECONDS) == 1
    assert not any(scenario.context.store.exists(path) for path in paths)
    now_ms = clock.to_ms(clock.now())
    for each in _pictures(scenario, student):
        assert (each.path, each.deleted_ms, each.mark, each.likeness_mark, each.likeness) == ("", now_ms, *[None] * 3)
    (leaf,) = _erasures(scenario, student)
    law = f'"law":{{"figure":"gansu.file_years","since":"{scenario.cohort.ends_on}","years":3}}'
    assert law in leaf and f'"count":{len(kept)}' in leaf and '"who":"system"' in leaf
    with scenario.context.database.reading() as session:
        assert not session.scalars(select(SealedOpening).where(SealedOpening.field == "picture")).all()
        row = session.get_one(PicturesEnd, student.enrolment.id)
        assert (row.look_on, row.ended_ms, row.pictures, row.years) == (None, now_ms, len(kept), 3)
        (line, *_others) = checks_of(session, student.enrolment.id)
        assert line.attempts[0].pictures == () and line.attempts[0].deleted_ms == now_ms
    scenario.time.advance(timedelta(days=400))
    assert end_pictures(scenario.context, SECONDS) == 0
    assert len(_erasures(scenario, student)) == 1


@pytest.mark.parametrize("where", ["cohort", "post"])
def test_special_operators_pictures_stay_six_years(scenario: Scenario, student: Student, where: str) -> None:
    """Whoever is one counts as one: by what the cohort teaches, or by the post that was declared."""
    with scenario.context.database.writing() as session:
        if where == "cohort":
            session.get_one(Cohort, scenario.cohort.id).category = Category.SPECIAL_OPERATOR
        else:
            session.get_one(EnrolmentDeclaration, student.enrolment.id).post = Category.SPECIAL_OPERATOR
    _go(scenario, _first_day(scenario.cohort, 6) - timedelta(days=1))
    assert end_pictures(scenario.context, SECONDS) == 0
    scenario.time.advance(timedelta(days=1))
    assert end_pictures(scenario.context, SECONDS) == 1


def test_what_somebody_has_to_decide_about_stays_until_it_is_decided(scenario: Scenario, student: Student) -> None:
    held = True

    def hold(asked: HeldAsked) -> None:
        asked.held = asked.held or (held and student.enrolment.id in asked.enrolment_ids)

    scenario.context.events.subscribe(HeldAsked, hold)
    _go(scenario, _first_day(scenario.cohort, 3))
    assert end_pictures(scenario.context, SECONDS) == 0
    held = False
    assert end_pictures(scenario.context, SECONDS) == 0, "asked about once a day"
    scenario.time.advance(timedelta(days=1))
    assert end_pictures(scenario.context, SECONDS) == 1


def test_a_check_that_waits_for_a_second_person_keeps_its_pictures_however_long(
    scenario: Scenario, student: Student
) -> None:
    with scenario.context.database.writing() as session:
        session.execute(update(Check).where(Check.id == student.checks[0]).values(second_awaited=True))
    _go(scenario, _first_day(scenario.cohort, 9))
    assert end_pictures(scenario.context, SECONDS) == 0
    assert all(each.deleted_ms is None for each in _pictures(scenario, student))


def test_a_turn_that_dies_before_the_files_are_gone_is_gone_on_with(
    scenario: Scenario, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [each.path for each in _pictures(scenario, student)]
    _go(scenario, _first_day(scenario.cohort, 3))

    def down(_path: str) -> None:
        raise StoreDown

    with monkeypatch.context() as patch:
        patch.setattr(scenario.context.store, "delete", down)
        with pytest.raises(StoreDown):
            end_pictures(scenario.context, SECONDS)
    assert all(scenario.context.store.exists(path) for path in paths)
    assert [each.path for each in _pictures(scenario, student)] == paths
    assert end_pictures(scenario.context, SECONDS) == 0
    assert not any(scenario.context.store.exists(path) for path in paths)
    assert {each.path for each in _pictures(scenario, student)} == {""}
    assert len(_erasures(scenario, student)) == 1


def test_a_turn_without_time_leaves_the_rest_to_the_next(scenario: Scenario, student: Student) -> None:
    _go(scenario, _first_day(scenario.cohort, 3))
    assert end_pictures(scenario.context, 0.0) == 0
    assert end_pictures(scenario.context, SECONDS) == 1


def test_where_the_authority_has_to_agree_first_nothing_is_deleted(scenario: Scenario, student: Student) -> None:
    _go(scenario, _first_day(scenario.cohort, 3))
    settings = replace(scenario.context.settings, keep_check_pictures=True)
    assert end_pictures(replace(scenario.context, settings=settings), SECONDS) == 0
    assert end_pictures(scenario.context, SECONDS) == 1


def test_every_page_says_that_the_law_had_the_pictures_deleted(
    app: Flask, scenario: Scenario, student: Student
) -> None:
    picture = _pictures(scenario, student)[0].id
    _go(scenario, _first_day(scenario.cohort, 3))
    end_pictures(scenario.context, SECONDS)
    browser = Browser(app)
    browser.sign_in(scenario.regulator)
    page = browser.get(f"/review/{student.checks[0]}").text
    assert "按法定期限删除" in page and "没有照片。" not in page
    gone = browser.get(f"/api/v1/pictures/{picture}", headers={"Accept": "application/json"})
    assert gone.status_code == 410 and gone.json is not None and gone.json["type"].endswith("picture-over")
    assert "按法定期限删除" in str(browser.get(f"/oversight/sittings/{student.sitting_id}/timeline").json)
    said = browser.get(f"/api/v1/enrolments/{student.enrolment.id}/checks").json
    assert said is not None
    attempt = said["checks"][0]["attempts"][0]
    assert attempt["pictures"] == [] and attempt["pictures_deleted_at"] is not None


# ---- the bundle


def _with_pictures(context: Context, log: Any) -> Case:
    log.settle()
    case = new_case(context, log)
    case.check(case.study())
    log.settle()
    return case


def _ended(case: Case) -> int:
    with case.context.database.reading() as session:
        cohort = session.get_one(Cohort, case.enrolment.cohort_id)
    case.log.time.advance(_first_day(cohort, 3) - clock.now())
    ended = end_pictures(case.context, SECONDS)
    case.log.settle()
    return ended


def test_a_bundle_made_afterwards_says_that_the_law_had_them_deleted(context: Context, tmp_path: Path) -> None:
    with growing_log(context) as log:
        case = _with_pictures(context, log)
        assert _ended(case) == 1
        verdicts = judged(tmp_path / "bundle", unpacked(case.bundle()))
    assert fallen(verdicts) == {}
    said = verdicts["openings"][1]
    assert "2 deleted on" in said and "as the law asks 依法到期删除, 3 years after" in said


def test_a_bundle_made_before_still_proves_its_pictures(context: Context, tmp_path: Path) -> None:
    with growing_log(context) as log:
        case = _with_pictures(context, log)
        before = unpacked(case.bundle())
        assert _ended(case) == 1
        verdicts = judged(tmp_path / "bundle", before)
    assert fallen(verdicts) == {} and "2 pictures" in verdicts["pictures"][1]


def test_pictures_that_are_deleted_while_a_bundle_is_made_are_withheld_and_not_missing(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with growing_log(context) as log:
        case = _with_pictures(context, log)
        ended: list[int] = []
        before = evidence_services._unsealed

        def unsealed(*arguments: Any) -> Any:
            found = before(*arguments)
            with context.database.reading() as session:
                cohort = session.get_one(Cohort, case.enrolment.cohort_id)
            over = _first_day(cohort, 3)
            case.log.time.advance(max(over - clock.now(), timedelta()))
            ended.append(end_pictures(context, SECONDS))
            return found

        monkeypatch.setattr(evidence_services, "_unsealed", unsealed)
        made = unpacked(case.bundle())
    assert ended == [1]
    verdicts = judged(tmp_path / "bundle", made)
    assert fallen(verdicts) == {} and "withheld" in verdicts["openings"][1]


@pytest.mark.parametrize(
    "law",
    [
        {"years": 0, "since": "2026-11-21", "figure": "x"},
        {"years": 3, "since": "2000-01-01", "figure": "x"},
        {"years": 3, "since": "21.11.2026", "figure": "x"},
        {"years": 3, "since": "9999-12-31", "figure": "x"},
        {"years": 3},
        [],
    ],
)
def test_an_early_deletion_is_never_what_the_law_asks(context: Context, tmp_path: Path, law: Any) -> None:
    """Whoever runs the platform may call it so: the leaves tell when the pictures were taken."""
    with growing_log(context) as log:
        case = _with_pictures(context, log)
        with context.database.writing() as session:
            (opening, *_others) = session.scalars(
                select(SealedOpening.commitment).where(SealedOpening.field == "picture")
            )
            session.execute(delete(SealedOpening).where(SealedOpening.commitment == opening))
        case.record(Event.ERASE, what="picture", count=1, commitments=[opening], law=law)
        log.settle()
        assert list(fallen(judged(tmp_path / "bundle", unpacked(case.bundle())))) == ["openings"]


def test_the_years_are_those_of_the_rulebook() -> None:
    in_force = load().in_force("620102", date(2026, 11, 28))
    figures = {figure.id: figure.value for figure in in_force.figures if figure.key == "file_years"}
    assert figures == {
        "gansu.file_years": 3,
        "gansu.file_years.special_operator": 6,
        "presets.file_years": 3,
        "presets.file_years.special_operator": 6,
    }
    assert years_after(date(2024, 2, 29), 3) == date(2027, 3, 1)
    assert years_after(date(9990, 1, 1), 30) == date.max
