"""Nobody chooses the regulator that sees a cohort: place and seat both decide, by one function."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from support.school import School, new_school

from xueji.cohorts.access import seen_cohorts
from xueji.cohorts.models import Cohort
from xueji.cohorts.rules import Ground
from xueji.cohorts.services.planning import judge_cohort
from xueji.enrolment.access import access_cohort
from xueji.identity.rules import OrganisationKind, in_jurisdiction
from xueji.identity.services import create_organisation
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Invalid, NotFound
from xueji.rulebook.divisions import divisions

CODES = sorted(divisions())


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context, "230103")


def _regulator(region: str) -> Actor:
    return Actor(uuid4(), uuid4(), frozenset({Role.REGULATOR}), None, region)


def _sees(context: Context, actor: Actor, cohort: Cohort) -> bool:
    with context.database.reading() as session:
        listed = session.scalar(select(Cohort.id).where(Cohort.id == cohort.id, seen_cohorts(actor))) is not None
        try:
            access_cohort(session, actor, cohort.id)
        except NotFound:
            assert not listed
            return False
        assert listed
        return True


def test_the_regulators_of_place_and_seat_see_a_cohort(school: School) -> None:
    cohort = school.cohort(region="620100")
    seeing = {code: _sees(school.context, _regulator(code), cohort) for code in (
        "230103", "230100", "230000", "620100", "620000", "620102", "230102", "650100", "110000",
    )}  # fmt: skip
    assert [code for code, sees in seeing.items() if sees] == ["230103", "230100", "230000", "620100", "620000"]


def test_a_code_that_does_not_exist_is_refused(school: School) -> None:
    with pytest.raises(Invalid):
        school.draft(region="999999")
    context = school.context
    with context.database.writing() as session, pytest.raises(Invalid):
        create_organisation(
            session, context.keyring,
            name="虚构机构", kind=OrganisationKind.INSTITUTION, region="999999", uscc=None, actor=None,
        )  # fmt: skip


def test_a_place_outside_the_own_region_is_remarked_and_both_laws_apply(school: School) -> None:
    away, home = school.draft(region="620100"), school.draft(region="230100")
    with school.context.database.reading() as session:
        found = judge_cohort(session, session.get_one(Cohort, away.id))
        assert Ground.HELD_ELSEWHERE in {notice.why for notice in found.notices}
        found = judge_cohort(session, session.get_one(Cohort, home.id))
        assert Ground.HELD_ELSEWHERE not in {notice.why for notice in found.notices}
    assert away.jurisdiction == "620100+230103"
    assert home.jurisdiction == "230103"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CODES), st.sampled_from(CODES), st.sampled_from(CODES))
def test_list_and_page_agree_on_who_sees_a_cohort(context: Context, place: str, home: str, region: str) -> None:
    cohort = _cohort(context)
    with context.database.writing() as session:
        session.execute(update(Cohort).where(Cohort.id == cohort.id).values(region=place, home=home))
    expected = in_jurisdiction(region, place) or in_jurisdiction(region, home)
    assert _sees(context, _regulator(region), cohort) is expected


_made: dict[int, Cohort] = {}


def _cohort(context: Context) -> Cohort:
    if id(context) not in _made:
        _made[id(context)] = new_school(context, "230103").cohort()
    return _made[id(context)]
