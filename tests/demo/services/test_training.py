"""The demonstration: made by the services, complete, and made once."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, update
from stdnum.cn import ric

from courses.models import Lesson
from courses.services.editing import add_lesson, change_lesson
from xueji import demo
from xueji.attendance.models import Attendance
from xueji.cohorts.models import Cohort
from xueji.cohorts.services.closing import close_cohort
from xueji.demo import course, training
from xueji.demo.accounts import Accounts, Placed
from xueji.demo.cast import CAST, another_trainee
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services.trainees import withdraw
from xueji.identity import consent_text
from xueji.identity.models import Account, Membership, Person
from xueji.identity.rules import ConsentKind
from xueji.identity.services import (
    begin_totp,
    change_password,
    confirm_totp,
    give_consent,
    hash_password,
    remove_membership,
    suspend,
    withdraw_consent,
)
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.proctoring.models import CheckIn
from xueji.proctoring.services import check_out
from xueji.rulebook.vocabulary import Part

SHORT = (("甲", 2), ("乙", 1))


@pytest.fixture
def made(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The whole of it, with films of a second or two."""
    monkeypatch.setattr(course, "LESSONS", SHORT)
    yield demo.make(context)


def counts(context: Context) -> tuple[int, int]:
    with context.database.reading() as session:
        return session.query(Attendance).count(), session.query(CheckIn).count()


def test_it_is_whole_and_made_once(made: dict[str, Any], context: Context) -> None:
    roles = [account["role"] for account in made["accounts"]]
    assert set(roles) == set(Role)
    assert roles[0] == Role.TRAINEE and roles.count(Role.TRAINEE) >= 2
    assert {account["route"] for account in made["accounts"]} == {"supervised", "face", None}
    assert made["accounts"][0]["route"] == "supervised"
    regions = [account["region"] for account in made["accounts"] if account["role"] == Role.REGULATOR]
    institution = next(account for account in made["accounts"] if account["role"] == Role.INSTITUTION)
    assert regions[0][:4] == institution["region"][:4] != regions[1][:4]
    assert [lesson["duration_ms"] for lesson in made["enrolments"][0]["lessons"]] == [2000, 1000]
    before = counts(context)
    assert demo.make(context) == made
    assert counts(context) == before


def open_a_sitting(app: Flask, made: dict[str, Any]) -> int:
    """Everybody signs in with the password as printed, then the first opens a sitting; the status of that."""
    tokens = {}
    for account in made["accounts"]:
        words = {"account": account["account"], "password": account["password"]}
        response = app.test_client().post("/api/v1/tokens", json=words)
        assert response.status_code == 201, response.text
        tokens[account["account"]] = response.get_json()["token"]
    enrolment = made["enrolments"][0]
    assert enrolment["account"] == made["accounts"][0]["account"]
    opening = {
        "sitting_id": str(uuid4()),
        "enrolment_id": enrolment["enrolment_id"],
        "lesson_id": enrolment["lessons"][0]["lesson_id"],
        "device": "tests",
    }
    bearer = {"Authorization": f"Bearer {tokens[enrolment['account']]}"}
    return app.test_client().post("/api/v1/sittings", json=opening, headers=bearer).status_code


def works(app: Flask, made: dict[str, Any]) -> bool:
    """Whether it keeps its word: all sign in, two trainees at least, and the first studies without a camera."""
    accounts = made["accounts"]
    trainees = [account for account in accounts if account["role"] == Role.TRAINEE]
    return (
        open_a_sitting(app, made) == 201
        and {account["role"] for account in accounts} == set(Role)
        and len(trainees) >= 2
        and len(made["enrolments"]) >= 2
        and accounts[0]["role"] == Role.TRAINEE
        and accounts[0]["route"] == "supervised"
        and accounts[0]["checked_in_until"] is not None
    )


def people(context: Context) -> dict[str, Placed]:
    """Opens a transaction of its own."""
    return Accounts.open_or_create(context.settings).register(context)


def test_everybody_can_sign_in_and_the_first_trainee_can_study_at_once(made: dict[str, Any], app: Flask) -> None:
    assert works(app, made)


def test_after_its_cohort_was_closed_there_is_another(made: dict[str, Any], context: Context, app: Flask) -> None:
    actor = people(context)["institution"].actor
    for _ in range(2):
        # Two minutes later nobody is heard of any more.
        with clock.fixed(clock.now() + timedelta(minutes=2)), context.database.writing() as session:
            cohort_id = session.get_one(Enrolment, UUID(made["enrolments"][0]["enrolment_id"])).cohort_id
            close_cohort(session, context.events, actor=actor, cohort_id=cohort_id)
        before, made = made, demo.make(context)
        assert works(app, made)
        assert made["enrolments"][0]["enrolment_id"] != before["enrolments"][0]["enrolment_id"]
        assert made["enrolments"][0]["lessons"] == before["enrolments"][0]["lessons"]


@pytest.mark.parametrize("days", [1, 3, 40, 61, 400])
def test_it_works_on_any_later_day(made: dict[str, Any], context: Context, app: Flask, days: int) -> None:
    with clock.fixed(clock.now() + timedelta(days=days)):
        assert works(app, demo.make(context))


def test_who_changed_her_route_keeps_it_and_another_comes_first(
    made: dict[str, Any], context: Context, app: Flask
) -> None:
    kind = ConsentKind.FACE
    for expected in ("trainee3", "trainee4", "trainee5"):
        first = made["accounts"][0]["account"]
        person_id = people(context)[first].person_id
        with context.database.writing() as session:
            person = session.get_one(Person, person_id)
            version = consent_text.CURRENT[kind]
            give_consent(session, context.keyring, person=person, kind=kind, text_version=version)
        made = demo.make(context)
        assert works(app, made)
        assert made["accounts"][0]["account"] == expected
        assert {"account": first, "route": "face"}.items() <= next(
            each for each in made["accounts"] if each["account"] == first
        ).items()


def test_who_withdrew_her_consent_is_on_the_other_route(made: dict[str, Any], context: Context, app: Flask) -> None:
    person_id = people(context)["trainee2"].person_id
    with context.database.writing() as session:
        person = session.get_one(Person, person_id)
        withdraw_consent(session, context.keyring, context.store, context.events, person=person, kind=ConsentKind.FACE)
    made = demo.make(context)
    assert works(app, made)
    assert {account["route"] for account in made["accounts"]} == {"supervised", None}


def test_who_was_let_out_of_the_cohort_is_not_named_as_enrolled(
    made: dict[str, Any], context: Context, app: Flask
) -> None:
    actor = people(context)["institution"].actor
    for enrolment in made["enrolments"]:
        with context.database.writing() as session:
            withdraw(
                session,
                context.keyring,
                context.events,
                enrolment_id=UUID(enrolment["enrolment_id"]),
                reason="调岗",
                actor=actor,
            )
    made = demo.make(context)
    assert works(app, made)
    assert [each["account"] for each in made["enrolments"]] == ["trainee4", "trainee5"]


def test_an_account_that_was_changed_can_be_entered_as_printed_again(
    made: dict[str, Any], context: Context, app: Flask
) -> None:
    everybody = people(context)
    operator, other = everybody["admin"].actor, hash_password("another-one-77")
    with context.database.writing() as session:
        person_ids = {account: each.person_id for account, each in everybody.items()}
        change_password(
            session, context.keyring, context.events, person_id=person_ids["trainee3"], password=other, keep=None
        )
        session.execute(
            update(Account)
            .where(Account.person_id == person_ids["trainee1"])
            .values(password_hash=other, password_is_temporary=True)
        )
        suspend(session, context.keyring, context.events, person_id=person_ids["regulator"], actor=operator)
        moved = session.scalars(select(Membership).filter_by(person_id=person_ids["trainee2"])).one()
        remove_membership(session, context.keyring, context.events, membership_id=moved.id, actor=operator)
        secret = begin_totp(session, context.keyring, person_id=person_ids["institution"]).secret
        code = pyotp.TOTP(secret).at(clock.now())
        confirm_totp(
            session, context.keyring, context.events, person_id=person_ids["institution"], code=code, keep=None
        )
    again = demo.make(context)
    assert works(app, again)
    assert again["accounts"] == made["accounts"]
    assert {note.split()[0] for note in again["notes"]} == {
        "trainee1",
        "trainee2",
        "trainee3",
        "regulator",
        "institution",
    }
    assert demo.make(context)["notes"] == []


def test_a_check_in_that_was_ended_or_ends_soon_is_replaced(made: dict[str, Any], context: Context, app: Flask) -> None:
    actor = people(context)["institution"].actor
    with context.database.writing() as session:
        here = session.scalars(select(CheckIn)).one()
        check_out(session, context.keyring, actor=actor, check_in_id=here.id)
    assert works(app, demo.make(context))
    with clock.fixed(clock.now() + timedelta(hours=4, minutes=59)):
        renewed = demo.make(context)
        assert works(app, renewed)
        left = datetime.fromisoformat(renewed["accounts"][0]["checked_in_until"]) - clock.now()
        assert left > timedelta(hours=4, minutes=58)
        # Whoever is studying is not sent away.
        with clock.fixed(clock.now() + timedelta(seconds=30)):
            assert demo.make(context)["accounts"] == renewed["accounts"]


def test_a_check_in_is_not_ended_under_somebody_who_studies(made: dict[str, Any], context: Context, app: Flask) -> None:
    with clock.fixed(clock.now() + timedelta(hours=4, minutes=59)) as time:
        assert open_a_sitting(app, made) == 201
        assert demo.make(context)["accounts"] == made["accounts"]
        time.advance(timedelta(minutes=2))
        assert works(app, demo.make(context))


def test_lessons_that_were_renamed_do_not_stop_the_next_cohort(
    made: dict[str, Any], context: Context, app: Flask
) -> None:
    lesson_id = UUID(made["enrolments"][0]["lessons"][0]["lesson_id"])
    actor = people(context)["institution"].actor
    with context.database.writing() as session:
        lesson = session.get_one(Lesson, lesson_id)
        change_lesson(
            session,
            actor=actor,
            events=context.events,
            lesson_id=lesson_id,
            title="改名",
            part=lesson.part,
            film_id=lesson.film_id,
        )
        add_lesson(session, actor=actor, course_id=lesson.course_id, title="实操", part=Part.PRACTICAL)
        cohort = session.scalars(select(Cohort)).one()
        close_cohort(session, context.events, actor=actor, cohort_id=cohort.id)
    made = demo.make(context)
    assert works(app, made)
    assert [lesson["title"] for lesson in made["enrolments"][0]["lessons"]] == [title for title, _seconds in SHORT]


def test_what_the_rules_refuse_is_said_in_a_sentence(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "LESSONS", SHORT)
    monkeypatch.setattr(training, "PRACTICAL_MS", training.CLASS_HOUR_MS)
    with pytest.raises(demo.NotMade, match="cohort"):
        demo.make(context)


def test_passwords_are_this_installations_own_and_only_its_owner_reads_them(settings: Settings) -> None:
    accounts = Accounts.open_or_create(settings)
    assert len(set(accounts.passwords.values())) == len(CAST)
    assert stat.S_IMODE((settings.data / "demo.json").stat().st_mode) == 0o600
    assert Accounts.open_or_create(settings) == accounts


def test_what_the_operator_has_set_stays(settings: Settings) -> None:
    (settings.data / "settings.toml").write_text('staff_second_factor = "required"\n')
    Accounts.open_or_create(settings)
    written = Settings.load({"XUEJI_DATA": str(settings.data)})
    assert written.demo is True and written.staff_second_factor == "required"


@pytest.mark.parametrize("member", [*CAST, another_trainee(4), another_trainee(31)], ids=lambda member: member.account)
def test_identity_numbers_are_well_formed_and_nobodys(member: Any) -> None:
    assert ric.is_valid(member.id_number)
    assert member.id_number.startswith("220000") and member.id_number[14:17] == "996"


def test_the_welcome_names_one_account_for_each_role_and_until_when_study_is_possible(
    context: Context, made: dict[str, Any]
) -> None:
    said = demo.welcome(context)
    assert all(role in said for role in Role) and all(each["password"] in said for each in made["accounts"])
    assert made["accounts"][0]["checked_in_until"] in said
    with clock.fixed(clock.now() + timedelta(hours=6)):
        assert "Nobody is checked in" in demo.welcome(context)


def test_the_welcome_of_an_installation_that_is_no_demonstration_names_nobody(context: Context) -> None:
    said = demo.welcome(context)
    assert "http" in said and not any(member.account in said for member in CAST)
