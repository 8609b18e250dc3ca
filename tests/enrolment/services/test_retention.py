"""Photos and templates end when their clock has run, held files excepted; chains and bundles stay whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from support.bundles import fallen, judged, unpacked
from support.evidence import new_case
from support.growing_log import growing_log
from support.scenario import Scenario, Student, playing

from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.rules import photos_end_at
from xueji.enrolment.services.retention import REFERENCE, end_photos
from xueji.identity.models import ReferencePhoto
from xueji.identity.rules import PhotoState
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.rulebook.plan import ProctoringPlan
from xueji.trace import services as trace
from xueji.trace.models import Pending, SealedOpening
from xueji.trace.rules import SYSTEM, Event


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


@pytest.fixture
def student(scenario: Scenario) -> Student:
    return scenario.student()


def _photos(scenario: Scenario) -> list[ReferencePhoto]:
    with scenario.context.database.reading() as session:
        return list(session.scalars(select(ReferencePhoto)))


def _until_over(scenario: Scenario) -> None:
    cohort: Cohort = scenario.cohort
    over = photos_end_at(cohort.ends_on, ProctoringPlan.from_dict(cohort.plan))
    scenario.time.advance(over - clock.now())


def test_photos_end_when_training_and_appeals_are_over_and_the_chain_says_so(
    scenario: Scenario, student: Student
) -> None:
    before = _photos(scenario)
    assert before and all(photo.state is PhotoState.STORED for photo in before)
    assert end_photos(scenario.context) == 0
    _until_over(scenario)
    assert end_photos(scenario.context) == 1
    for photo in _photos(scenario):
        assert photo.state is PhotoState.DELETED
        assert photo.descriptor_cipher is None
        assert not scenario.context.store.exists(f"faces/reference/{photo.id}")
    chain = str(student.enrolment.id)
    with scenario.context.database.reading() as session:
        left = session.scalars(
            select(SealedOpening).where(SealedOpening.chain == chain, SealedOpening.field == "reference")
        ).all()
        leaves = list(session.scalars(select(Pending.leaf).where(Pending.chain == chain)))
    assert left == []
    assert any(f'"event":"{Event.ERASE}"'.encode() in leaf for leaf in leaves)
    assert end_photos(scenario.context) == 0


def test_a_file_that_somebody_has_to_decide_about_is_held(scenario: Scenario, student: Student) -> None:
    held = True

    def hold(asked: HeldAsked) -> None:
        asked.held = asked.held or (held and student.enrolment.id in asked.enrolment_ids)

    scenario.context.events.subscribe(HeldAsked, hold)
    _until_over(scenario)
    scenario.time.advance(timedelta(days=30))
    assert end_photos(scenario.context) == 0
    held = False
    assert end_photos(scenario.context) == 1


def test_a_bundle_made_afterwards_verifies_and_says_what_was_erased(context: Context, tmp_path: Path) -> None:
    with growing_log(context) as log:
        log.settle()
        case = new_case(context, log)
        commitment = case.commit("11" * 32, "reference")
        case.record(Event.REFERENCE_STAND, references=[{"reference": commitment, "model": "m", "confirmed": True}])
        case.study()
        with context.database.writing() as session:
            erased = trace.erase(session, chain=case.chain, who=SYSTEM, what=REFERENCE, field=REFERENCE)
        assert erased == 1
        log.settle()
        assert fallen(judged(tmp_path / "bundle", unpacked(case.bundle()))) == {}
