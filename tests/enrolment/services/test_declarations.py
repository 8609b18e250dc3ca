"""What is declared of a trainee must fit her cohort, or a reason is given that the regulator reads."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from support.people import Browser, someone
from support.school import HOUR, Member, School, new_member, new_organisation, new_school

from xueji.cohorts.models import Cohort
from xueji.desks.queries import exceptions
from xueji.enrolment.declarations import Declaration, Misfit
from xueji.enrolment.errors import DeclarationRefused
from xueji.enrolment.events import EarlierTraining
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration
from xueji.enrolment.services import trainees
from xueji.identity.models import Organisation
from xueji.identity.rules import OrganisationKind
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.events import Events
from xueji.rulebook.vocabulary import Category, Training
from xueji.trace import queries as trace


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


def declaration(**changes: Any) -> Declaration:
    values: dict[str, Any] = {"post": Category.SAFETY_MANAGER, "employer": "某冶炼厂", "industry": "metal_smelting"}
    return Declaration(**{**values, **changes})


def enrol(
    school: School,
    cohort: Cohort,
    declared: Declaration | None,
    *,
    member: Member | None = None,
    events: Events | None = None,
) -> Enrolment:
    who = member or new_member(school.context, school.organisation, Role.TRAINEE)
    with school.context.database.writing() as session:
        return trainees.enrol(
            session,
            school.context.keyring,
            cohort=cohort,
            person=who.person,
            actor=school.staff,
            declared=declared,
            events=events,
        )


def refresher(school: School) -> Cohort:
    hours = {"total_ms": 16, "theory_ms": 16, "practical_ms": 0, "online_ms": 0, "in_person_ms": 16}
    lesson = school.lesson()
    online = 10 * 60_000
    values = {name: n * HOUR for name, n in hours.items()}
    values |= {"online_ms": online, "in_person_ms": 16 * HOUR - online}
    return school.cohort(lesson, training=Training.REFRESHER, **values)


def looked_at(school: School) -> list[tuple[tuple[str, ...], str, str]]:
    regulator = someone(school.context, Role.REGULATOR, region="620100").actor(Role.REGULATOR, region="620100")
    with school.context.database.reading() as session:
        found, total = exceptions(session, regulator)
    assert total == len(found)
    return [(tuple(line.declared.misfits), line.declared.earlier, line.declared.reason) for line in found]


def test_what_fits_is_committed_to_in_the_first_leaf_and_nobody_is_asked_to_look(school: School) -> None:
    enrolment = enrol(school, school.cohort(), declaration())
    with school.context.database.reading() as session:
        (leaf,) = trace.chain(session, enrolment.chain)
        assert session.get_one(EnrolmentDeclaration, enrolment.id).employer == "某冶炼厂"
    said = leaf["values"]["declared"]
    assert (said["post"], said["industry"], said["misfits"]) == ("safety_manager", "metal_smelting", [])
    assert len(said["employer"]) == 64
    assert said["reason"] is None
    assert looked_at(school) == []


@pytest.mark.parametrize(
    ("changes", "misfit"),
    [
        ({"post": Category.OTHER}, Misfit.POST),
        ({"industry": "construction"}, Misfit.INDUSTRY),
        ({"industry": "unknown"}, Misfit.INDUSTRY),
    ],
)
def test_what_does_not_fit_needs_a_reason_that_the_regulator_reads(
    school: School, changes: dict[str, Any], misfit: Misfit
) -> None:
    cohort = school.cohort()
    with pytest.raises(DeclarationRefused) as refused:
        enrol(school, cohort, declaration(**changes))
    assert refused.value.misfits == (misfit,)
    with school.context.database.reading() as session:
        assert session.scalars(select(Enrolment)).all() == []
    enrol(school, cohort, declaration(**changes, reason="刚调任，任命文件已附。"))
    assert looked_at(school) == [((misfit.value,), "", "刚调任，任命文件已附。")]


def test_a_registered_employer_says_itself_what_its_industry_is(school: School) -> None:
    factory = new_organisation(school.context, OrganisationKind.ENTERPRISE)
    with school.context.database.writing() as session:
        session.get_one(Organisation, factory.id).industry = "construction"
    with pytest.raises(DeclarationRefused) as refused:
        enrol(school, school.cohort(), declaration(employer=factory.name))
    assert refused.value.misfits == (Misfit.INDUSTRY,)


def test_a_cohort_of_unknown_industry_was_held_to_the_strictest_and_fits_everybody(school: School) -> None:
    enrol(school, school.cohort(industry="unknown"), declaration(industry="construction"))
    assert looked_at(school) == []


def test_a_refresher_needs_something_before_it(school: School) -> None:
    cohort = refresher(school)
    for declared in (None, declaration()):
        with pytest.raises(DeclarationRefused) as refused:
            enrol(school, cohort, declared)
        assert refused.value.misfits == (Misfit.NOTHING_EARLIER,)
    enrol(school, cohort, declaration(earlier="合格证 甘A-2023-0417"))
    enrol(school, cohort, declaration(reason="证书遗失，发证机关正在补办。"))
    assert sorted(looked_at(school)) == [
        ((), "合格证 甘A-2023-0417", ""),
        (("nothing_earlier",), "", "证书遗失，发证机关正在补办。"),
    ]


@pytest.mark.parametrize("complete", [True, False])
def test_an_earlier_training_counts_when_its_account_is_complete(school: School, complete: bool) -> None:
    member, first = school.trainee(school.cohort())
    asked: list[EarlierTraining] = []

    def answer(earlier: EarlierTraining) -> None:
        asked.append(earlier)
        earlier.complete = complete

    events = Events()
    events.subscribe(EarlierTraining, answer)
    cohort = refresher(school)
    if complete:
        enrol(school, cohort, declaration(), member=member, events=events)
        assert looked_at(school) == []
    else:
        with pytest.raises(DeclarationRefused):
            enrol(school, cohort, declaration(), member=member, events=events)
    assert [each.enrolment_ids for each in asked] == [(first.id,)]


def test_the_regulator_reads_the_list_on_a_page(school: School, app: Any) -> None:
    enrol(school, school.cohort(), declaration(post=Category.OTHER, reason="班组长兼任安全员。"))
    browser = Browser(app)
    browser.sign_in(someone(school.context, Role.REGULATOR, region="620100"))
    page = browser.get("/oversight/exceptions").text
    assert "班组长兼任安全员。" in page
    assert "申报的岗位与本班培训对象不同" in page
    elsewhere = Browser(app)
    elsewhere.sign_in(someone(school.context, Role.REGULATOR, region="110100"))
    assert "班组长兼任安全员。" not in elsewhere.get("/oversight/exceptions").text
