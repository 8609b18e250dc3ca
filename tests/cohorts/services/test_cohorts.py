"""Planning and opening cohorts, who may see them, and what their trainees' chains begin with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event
from support.school import HOUR, REGION, School, cohort_plan, new_member, new_organisation, new_school

from courses.events import FilmAsked
from courses.models import Film, Lesson
from courses.services import editing
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import CohortFrozen, CohortNotOpen, CohortRefused, ReasonNeeded, TooManyLessons
from xueji.cohorts.models import Cohort, CohortState
from xueji.cohorts.rules import Ground
from xueji.cohorts.services import closing
from xueji.cohorts.services import planning as cohorts
from xueji.enrolment import queries
from xueji.enrolment.access import access_cohort, access_enrolment, allow_film
from xueji.enrolment.errors import AlreadyEnrolled, AlreadyWithdrawn
from xueji.enrolment.models import EnrolmentState
from xueji.enrolment.services import trainees
from xueji.hours.queries import statement_of
from xueji.hours.rules import evidence
from xueji.hours.rules.reading import TERMS
from xueji.identity.models import Membership
from xueji.identity.rules import OrganisationKind
from xueji.identity.services.passwords import HashedPassword
from xueji.identity.services.people import register_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Invalid, NotFound
from xueji.rulebook.plan import FIELDS
from xueji.rulebook.vocabulary import RULES, Category, Part
from xueji.trace import canonical, sealing
from xueji.trace import queries as trace
from xueji.trace.rules import ABOUT, DECLARED, LARGEST_LEAF, STAFF_NAME, STAFF_ORGANISATION

NOT_OF_HOURS: frozenset[str] = frozenset({ABOUT, DECLARED, STAFF_NAME, STAFF_ORGANISATION})
"""What the opening leaf says besides, for those who ask whose it is and what was declared."""


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


def chain(school: School, enrolment_id: object) -> list[dict[str, Any]]:
    with school.context.database.reading() as session:
        return list(trace.chain(session, str(enrolment_id)))


def open_(school: School, cohort: Cohort, actor: Actor | None = None) -> Cohort:
    with school.context.database.writing() as session:
        return cohorts.open_cohort(session, school.context.keyring, cohort=cohort, actor=actor or school.staff)


def test_opening_freezes_lessons_plan_and_rulebook(school: School) -> None:
    lesson = school.lesson(600_000)
    cohort = school.cohort(lesson)
    assert cohort.state is CohortState.OPEN
    assert cohort.rulebook.startswith("cn-safety-training@")
    with school.context.database.writing() as session, pytest.raises(CohortFrozen):
        cohorts.change_cohort(session, actor=school.staff, cohort_id=cohort.id, plan=cohort_plan())
    with school.context.database.writing() as session, pytest.raises(CohortFrozen):
        cohorts.choose_lessons(session, actor=school.staff, cohort_id=cohort.id, lesson_ids=[])
    with school.context.database.writing() as session, pytest.raises(CohortFrozen):
        cohorts.discard_cohort(session, actor=school.staff, cohort_id=cohort.id)
    with pytest.raises(CohortFrozen):
        open_(school, cohort)


def test_a_refused_opening_names_every_fault_with_its_article_and_changes_nothing(school: School) -> None:
    draft = school.draft(online_ms=48 * HOUR, in_person_ms=0)
    with pytest.raises(CohortRefused) as refused:
        open_(school, draft)
    whys = {found.why for found in refused.value.findings}
    assert whys == {
        Ground.ALL_ONLINE,
        Ground.OVER_SHARE,
        Ground.OVER_THEORY,
        Ground.LESSONS_SHORT,
    }
    assert "第八条" in refused.value.extra["refusals"][0]["source"]
    with school.context.database.reading() as session:
        assert session.get_one(Cohort, draft.id).state is CohortState.DRAFT


def test_a_plan_that_cannot_be_run_is_refused_by_its_field(school: School) -> None:
    with school.context.database.writing() as session, pytest.raises(Invalid) as refused:
        cohorts.create_cohort(session, actor=school.staff, plan=cohort_plan(proctoring={"answer_ms": 1}))
    assert refused.value.extra == {"field": "answer_ms", "problem": "too_small"}


def test_only_own_lessons_can_be_chosen(school: School) -> None:
    theirs = new_school(school.context).lesson()
    with pytest.raises(NotFound):
        school.draft(theirs)


def test_the_chain_begins_with_what_was_settled(school: School) -> None:
    lesson = school.lesson(600_000)
    cohort = school.cohort(lesson)
    member, enrolment = school.trainee(cohort)
    (leaf,) = chain(school, enrolment.id)
    assert leaf["event"] == "enrolment.open"
    assert leaf["who"] == school.context.keyring.pseudonym(member.person.id, enrolment.id)
    values = leaf["values"]
    with school.context.database.reading() as session:
        film = session.get_one(Film, lesson.film_id)
    assert len(film.sha256) == 64
    assert values["lessons"] == [
        {"lesson": str(lesson.id), "part": "theory", "duration_ms": 600_000, "film": film.sha256}
    ]
    assert (values["jurisdiction"], values["online_ms"], values["total_ms"]) == (REGION, 600_000, 48 * HOUR)
    read = evidence([leaf]).enrolment
    assert (read.cohort, read.plan.to_dict()) == (str(cohort.id), cohort.plan)


def test_the_opening_says_exactly_what_the_account_takes_and_what_others_ask_for(school: School) -> None:
    _member, enrolment = school.trainee(school.cohort())
    (leaf,) = chain(school, enrolment.id)
    written = set(leaf["values"])
    assert written - NOT_OF_HOURS == TERMS
    assert set(leaf["values"]["plan"]) == FIELDS
    read = evidence([leaf]).enrolment
    assert (read.rules, read.industry, read.subject) == (RULES, "metal_smelting", None)


def test_the_subject_reaches_the_account(school: School) -> None:
    hours = {"total_ms": 108, "theory_ms": 68, "practical_ms": 40, "online_ms": 0, "in_person_ms": 108}
    welders = {"category": Category.SPECIAL_OPERATOR, "subject": "welding", "region": "220102"}
    draft = school.draft(**welders, **{name: n * HOUR for name, n in hours.items()})
    _member, enrolment = school.trainee(open_(school, draft))
    with school.context.database.reading() as session:
        statement = statement_of(session, enrolment.id)
    statutory = statement.statutory
    assert (statutory.total_ms, statutory.theory_ms, statutory.practical_ms) == (108 * HOUR, 68 * HOUR, 40 * HOUR)
    assert statutory.met


def test_a_subject_names_its_industry_and_opening_freezes_what_follows(school: School) -> None:
    draft = school.draft(subject="metal_smelting", industry="unknown")
    assert (draft.industry, draft.high_risk) == ("metal_smelting", True)
    calm = school.draft(industry="crowded_places")
    assert (calm.industry, calm.high_risk) == ("crowded_places", False)
    assert open_(school, calm).high_risk is False


def test_the_same_file_uploaded_twice_is_the_same_film(school: School) -> None:
    lessons = [school.lesson(600_000, title=title) for title in ("通风", "检测")]
    with school.context.database.writing() as session:
        films = [session.get_one(Film, lesson.film_id) for lesson in lessons]
        films[1].sha256 = films[0].sha256
    with pytest.raises(CohortRefused) as refused:
        school.cohort(*lessons)
    assert [found.why for found in refused.value.findings] == [Ground.SAME_FILM]


def test_a_begun_lesson_plays_the_film_it_began_with(school: School) -> None:
    """Even where another transaction slipped in a change that nobody refused."""
    lesson = school.lesson(600_000)
    cohort = school.cohort(lesson)
    member, enrolment = school.trainee(cohort)
    other = school.film(60_000)
    with school.context.database.writing() as session:
        session.get_one(Lesson, lesson.id).film_id = other
    with school.context.database.reading() as session:
        facts = queries.enrolment_facts(session, enrolment.id)
        assert facts is not None
        assert facts.lessons[0].film_id == lesson.film_id
        for film_id, allowed in ((lesson.film_id, True), (other, False)):
            assert film_id is not None
            asked = FilmAsked(session, member.actor, film_id)
            allow_film(asked)
            assert asked.allowed is allowed


def test_facts_of_an_enrolment_take_one_query(school: School) -> None:
    lessons = [school.lesson(n * 60_000, title=f"第{n}课") for n in (3, 1, 2)]
    cohort = school.cohort(*lessons)
    member, enrolment = school.trainee(cohort)
    asked: list[str] = []
    event.listen(school.context.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    with school.context.database.reading() as session:
        facts = queries.enrolment_facts(session, enrolment.id)
    assert facts is not None
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1
    assert [(lesson.title, lesson.duration_ms) for lesson in facts.lessons] == [
        ("第3课", 180_000),
        ("第1课", 60_000),
        ("第2课", 120_000),
    ]
    assert facts.lesson(lessons[1].id) == facts.lessons[1]
    assert facts.lesson(uuid4()) is None
    assert facts.cohort.plan.beat_ms == 10_000
    with school.context.database.reading() as session:
        assert queries.enrolments_of(session, member.person.id) == [facts]
        assert queries.enrolment_facts(session, uuid4()) is None


def test_nobody_is_enrolled_twice_late_or_into_a_draft(school: School) -> None:
    cohort = school.cohort()
    member, _enrolment = school.trainee(cohort)

    def enrol(into: Cohort) -> None:
        with school.context.database.writing() as session:
            trainees.enrol(session, school.context.keyring, cohort=into, person=member.person, actor=school.staff)

    with pytest.raises(AlreadyEnrolled):
        enrol(cohort)
    with pytest.raises(CohortNotOpen):
        enrol(school.draft())
    other = school.cohort()
    with clock.fixed(clock.now() + timedelta(days=1000)), pytest.raises(CohortNotOpen):
        enrol(other)
    with school.context.database.writing() as session:
        closing.close_cohort(session, school.context.events, actor=school.staff, cohort_id=other.id)
    with pytest.raises(CohortNotOpen):
        enrol(other)


def test_withdrawing_is_recorded_with_a_reason_nobody_reads_in_the_log(school: School) -> None:
    _member, enrolment = school.trainee(school.cohort())

    def withdraw(reason: str) -> None:
        with school.context.database.writing() as session:
            trainees.withdraw(
                session,
                school.context.keyring,
                school.context.events,
                enrolment_id=enrolment.id,
                reason=reason,
                actor=school.staff,
            )

    with pytest.raises(ReasonNeeded):
        withdraw("  ")
    withdraw("王小明报错了班")
    with pytest.raises(AlreadyWithdrawn):
        withdraw("again")
    last = chain(school, enrolment.id)[-1]
    assert last["event"] == "enrolment.withdraw"
    assert "王小明" not in str(last)
    with school.context.database.reading() as session:
        facts = queries.enrolment_facts(session, enrolment.id)
        opening = trace.openings(session, str(enrolment.id))[last["values"]["reason"]]
        opened = sealing.unseal(session, opening)
    assert facts is not None
    assert facts.state is EnrolmentState.WITHDRAWN
    assert opened.value.decode() == "王小明报错了班"


def test_who_may_see_an_enrolment(school: School) -> None:
    context = school.context
    cohort = school.cohort()
    member, enrolment = school.trainee(cohort)
    other, _ = school.trainee(cohort)
    employer = new_organisation(context, OrganisationKind.ENTERPRISE)
    stranger = new_organisation(context, OrganisationKind.ENTERPRISE)
    with context.database.writing() as session:
        session.add(
            Membership(person_id=member.person.id, organisation_id=employer.id, role=Role.TRAINEE, since=clock.now())
        )
    province, city, elsewhere = (
        new_organisation(context, OrganisationKind.AUTHORITY, region) for region in ("620000", "620100", "621000")
    )
    regulator = {
        office.region: new_member(context, office, Role.REGULATOR).actor for office in (province, city, elsewhere)
    }
    may = [
        member.actor,
        school.staff,
        new_member(context, employer, Role.ENTERPRISE).actor,
        regulator["620000"],
        regulator["620100"],
    ]
    may_not = [
        other.actor,
        new_school(context).staff,
        new_member(context, stranger, Role.ENTERPRISE).actor,
        regulator["621000"],
        Actor(uuid4(), uuid4(), frozenset({Role.ADMINISTRATOR}), None, None),
        Actor(uuid4(), uuid4(), frozenset(), school.organisation.id, "620000"),
        Actor(uuid4(), uuid4(), frozenset({Role.ENTERPRISE}), None, None),
    ]
    with context.database.reading() as session:
        for actor in may:
            assert access_enrolment(session, actor, enrolment.id).id == enrolment.id
            assert access_cohort(session, actor, cohort.id).id == cohort.id
        for actor in may_not:
            with pytest.raises(NotFound):
                access_enrolment(session, actor, enrolment.id)
        for actor in may_not[1:]:
            with pytest.raises(NotFound):
                access_cohort(session, actor, cohort.id)
        for actor in [*may, *may_not]:
            if actor is not school.staff:
                with pytest.raises(NotFound):
                    access_own_cohort(session, actor, cohort.id)
        with pytest.raises(NotFound):
            access_enrolment(session, school.staff, uuid4())


def test_a_draft_is_the_institutions_own_business(school: School) -> None:
    draft = school.draft()
    office = new_organisation(school.context, OrganisationKind.AUTHORITY, "620000")
    regulator = new_member(school.context, office, Role.REGULATOR).actor
    with school.context.database.reading() as session:
        assert access_cohort(session, school.staff, draft.id)
        with pytest.raises(NotFound):
            access_cohort(session, regulator, draft.id)


def test_another_institution_opens_enrols_and_withdraws_nothing(school: School) -> None:
    stranger = new_school(school.context)
    draft, cohort = school.draft(), school.cohort()
    member, enrolment = school.trainee(cohort)
    with pytest.raises(NotFound):
        open_(school, draft, stranger.staff)
    keyring = school.context.keyring
    with school.context.database.writing() as session, pytest.raises(NotFound):
        trainees.enrol(session, keyring, cohort=cohort, person=member.person, actor=stranger.staff)
    with school.context.database.writing() as session, pytest.raises(NotFound):
        trainees.withdraw(
            session, keyring, school.context.events, enrolment_id=enrolment.id, reason="x", actor=stranger.staff
        )
    assert len(chain(school, enrolment.id)) == 1


def test_registering_is_not_enrolling(school: School) -> None:
    cohort = school.cohort()
    with school.context.database.writing() as session:
        person = register_person(
            session,
            school.context.keyring,
            name="李四",
            id_number="11010119900307109X",
            account="lisi",
            password=HashedPassword("none"),
            role=Role.TRAINEE,
            organisation_id=school.organisation.id,
            actor=None,
        )
    actor = Actor(person.id, uuid4(), frozenset({Role.TRAINEE}), school.organisation.id, REGION)
    with school.context.database.reading() as session, pytest.raises(NotFound):
        access_cohort(session, actor, cohort.id)


def test_a_cohort_has_no_more_lessons_than_its_first_leaf_can_name(school: School) -> None:
    draft = school.draft()
    with school.context.database.writing() as session:
        course = editing.create_course(session, actor=school.staff, title="很长的课程")
        lessons = [
            editing.add_lesson(session, actor=school.staff, course_id=course.id, title=f"第{n}课", part=Part.THEORY).id
            for n in range(cohorts.MOST_LESSONS + 1)
        ]
        with pytest.raises(TooManyLessons):
            cohorts.choose_lessons(session, actor=school.staff, cohort_id=draft.id, lesson_ids=lessons)
        cohorts.choose_lessons(session, actor=school.staff, cohort_id=draft.id, lesson_ids=lessons[:-1])
    named = {"lesson": str(lessons[0]), "part": Part.PRACTICAL.value, "duration_ms": 86_400_000}
    assert len(canonical.encode([named] * cohorts.MOST_LESSONS)) < LARGEST_LEAF / 2
