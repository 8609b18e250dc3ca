"""A chain in which two people put something right proves itself as any other; what is forged into it later does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from support.bundles import edited, fallen, judged, unpacked
from support.evidence import Case, new_case
from support.growing_log import growing_log
from support.people import someone
from support.school import new_member

from xueji.cohorts.models import Cohort
from xueji.cohorts.services import amending
from xueji.evidence import bundle as parts
from xueji.identity import services
from xueji.identity.models import Membership
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.wiring import connect


@pytest.fixture
def case(context: Context) -> Iterator[Case]:
    connect(context)
    with growing_log(context) as log:
        log.settle()
        made = new_case(context, log)
        made.study()
        yield made


def _long_in_office(case: Case) -> None:
    with case.context.database.writing() as session:
        session.execute(update(Membership).values(since=clock.now() - timedelta(days=30)))


def test_an_amended_chain_proves_itself_under_its_new_title_and_day(case: Case, tmp_path: Path) -> None:
    colleague = new_member(case.context, case.school.organisation, Role.INSTITUTION, "周老师").actor
    _long_in_office(case)
    with case.context.database.writing() as session:
        ends = session.get_one(Cohort, case.enrolment.cohort_id).ends_on
        changes = {"title": "更正后的名称", "ends_on": ends + timedelta(days=5)}
        asked = amending.ask_amendment(
            session, actor=case.school.staff, cohort_id=case.enrolment.cohort_id, changes=changes, reason="名称填错"
        )
        amending.decide_amendment(session, case.context, actor=colleague, amendment_id=asked.id, confirmed=True)
    content = unpacked(case.bundle())
    assert not fallen(judged(tmp_path / "whole", content))
    assert json.loads(content[parts.SUBJECT])["cohort_title"] == "更正后的名称"
    events = content[parts.EVENTS].decode()
    forged = events.replace((ends + timedelta(days=5)).isoformat(), (ends + timedelta(days=25)).isoformat())
    assert forged != events
    assert fallen(judged(tmp_path / "forged", {**content, parts.EVENTS: forged.encode()}))
    edited(content, parts.SUBJECT, lambda subject: subject.update(cohort_title="另一个名称"))
    assert "subject" in fallen(judged(tmp_path / "other", content))


def test_a_joined_chain_proves_itself(case: Case, tmp_path: Path) -> None:
    other = someone(case.context)
    first, second = (someone(case.context, Role.ADMINISTRATOR) for _ in range(2))
    _long_in_office(case)
    context = case.context
    with context.database.writing() as session:
        asked = services.ask_joining(
            session,
            context.keyring,
            one=case.enrolment.person_id,
            other=other.id,
            stands=other.id,
            reason="登记了两次",
            actor=first.actor(Role.ADMINISTRATOR),
        )
        services.confirm_joining(
            session,
            context.keyring,
            context.events,
            joining_id=asked.id,
            actor=second.actor(Role.ADMINISTRATOR),
        )
    # Taken away by herself, in the account that stands: her own words are opened to her.
    for number, actor in enumerate((None, other.actor(Role.TRAINEE))):
        assert not fallen(judged(tmp_path / str(number), unpacked(case.bundle(actor))))
