"""People: one account for life, encrypted under a key of their own, seen only by those who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, select
from support.people import identity_number, organisation, signed_in, someone

from xueji.identity import models, queries, services, vault
from xueji.identity.access import access_organisation, access_person
from xueji.identity.errors import AlreadyTaken, AnotherName, Erased
from xueji.identity.models import Account, Membership, Organisation, Person
from xueji.identity.rules import OrganisationKind
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.database import Base
from xueji.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from xueji.trace.models import Pending

HASHED = services.hash_password("another-horse-8")


def _register(context: Context, **changes: object) -> Person:
    values = {
        "name": "李雷",
        "id_number": identity_number(901),
        "account": "lilei",
        "password": HASHED,
        "role": Role.TRAINEE,
        "actor": None,
    } | changes
    with context.database.writing() as session:
        return services.register_person(session, context.keyring, **values)  # type: ignore[arg-type]


def test_every_column_says_whether_it_is_personal() -> None:
    ours = [mapper for mapper in Base.registry.mappers if mapper.class_.__module__ == models.__name__]
    assert len(ours) == 16
    for mapper in ours:
        table = mapper.local_table
        assert isinstance(table, Table)
        for column in table.c:
            assert "personal" in column.info, f"{table.name}.{column.name} does not say what it holds"
            hidden = column.name.endswith(("_cipher", "_hash", "_masked", "person_id")) or column.name == "user_agent"
            if hidden:
                assert column.info["personal"], f"{table.name}.{column.name} is personal"


def test_nothing_of_a_name_or_number_can_be_read_in_the_database(context: Context) -> None:
    who = someone(context, name="欧阳娜娜")
    with context.database.reading() as session:
        connection = session.connection().connection
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM person")
        row = cursor.fetchone()
        assert row is not None
        stored = b"|".join(bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode() for each in row)
        assert "欧阳娜娜".encode() not in stored
        assert who.id_number.encode() not in stored
        assert services.display_name(session, context.keyring, who.id) == "欧阳娜娜"
        profile = queries.profile(session, context.keyring, who.id)
        assert profile.name_masked == "欧***"
        assert profile.id_number_masked == who.id_number[:4] + "*" * 10 + who.id_number[-4:]


def test_the_same_identity_number_is_the_same_person_for_life(context: Context) -> None:
    first = someone(context, name="李雷")
    elsewhere = organisation(context, OrganisationKind.ENTERPRISE)
    again = _register(
        context, id_number=first.id_number, account="second", organisation_id=elsewhere.id, role=Role.ENTERPRISE
    )
    assert again.id == first.id
    with context.database.reading() as session:
        assert session.scalars(select(Account.account).where(Account.person_id == first.id)).all() == [first.account]
        assert {each.organisation_id for each in queries.memberships(session, first.id)} == {
            first.organisation_id,
            elsewhere.id,
        }
    assert signed_in(context, first).claims.organisation_id == elsewhere.id  # the old password still holds


def test_a_known_number_under_another_name_is_for_a_person_to_settle(context: Context) -> None:
    first = someone(context, name="李雷")
    with pytest.raises(AnotherName):
        _register(context, id_number=first.id_number, name="韩梅梅", organisation_id=first.organisation_id)


@pytest.mark.parametrize(
    "number",
    [
        "62010219900307283",
        "620102199003072838",
        "620102199013072834",
        "620102203003072839",
        "620102900307283",
        "6.20102E+17",
        "620102199003070000",
        "not a number at all",
    ],
)
def test_an_identity_number_is_checked_digit_by_digit(context: Context, number: str) -> None:
    where = organisation(context, OrganisationKind.INSTITUTION)
    with pytest.raises(Invalid):
        _register(context, id_number=number, organisation_id=where.id)


@pytest.mark.parametrize(
    "number",
    [
        "220102197006151231",  # the county has had its code since 1983
        "810000199408230021",
        "830000199201300022",
        "911124198108030024",
        "９１１１２４１９８１０８０３００２４",
        '="220102197006151231"',
        "'220102 1970-0615 1231​",
    ],
)
def test_real_numbers_are_taken_however_they_come(context: Context, number: str) -> None:
    where = organisation(context, OrganisationKind.INSTITUTION)
    assert _register(context, id_number=number, organisation_id=where.id).id


def test_somebody_stored_under_an_older_spelling_of_her_name_is_still_she(context: Context) -> None:
    first = someone(context, name="买买提·吐尔逊")
    with context.database.writing() as session:
        person = session.get_one(Person, first.id)
        key = vault.opened_key(context.keyring, person.id, person.wrapped_key or b"")
        person.name_cipher = vault.seal(key, person.id, vault.NAME, "买买提•吐尔逊".encode())
        person.name_hash = context.keyring.keyed_hash("name", "买买提•吐尔逊")
    again = _register(context, id_number=first.id_number, name="买买提 · 吐尔逊", organisation_id=first.organisation_id)
    assert again.id == first.id


def test_an_account_name_belongs_to_one_person_however_it_is_spelled(context: Context) -> None:
    where = organisation(context, OrganisationKind.INSTITUTION)
    _register(context, account="138 0013 8000", organisation_id=where.id)
    with pytest.raises(AlreadyTaken):
        _register(context, account="+86-13800138000", id_number=identity_number(902), organisation_id=where.id)


def test_an_organisation_has_only_the_roles_of_its_kind(context: Context) -> None:
    where = organisation(context, OrganisationKind.INSTITUTION)
    with pytest.raises(Invalid):
        _register(context, role=Role.REGULATOR, organisation_id=where.id)
    with pytest.raises(NotFound):
        _register(context, organisation_id=uuid4())


def test_an_institution_registers_trainees_of_its_own_and_nobody_else(context: Context) -> None:
    staff = someone(context, Role.INSTITUTION)
    actor = staff.actor(Role.INSTITUTION)
    other = organisation(context, OrganisationKind.INSTITUTION)
    made = _register(context, organisation_id=staff.organisation_id, actor=actor)
    assert made.name_masked == "李*"
    for refused in (
        {"organisation_id": other.id},
        {"organisation_id": staff.organisation_id, "role": Role.INSTITUTION},
    ):
        with pytest.raises(Forbidden):
            _register(context, actor=actor, id_number=identity_number(903), account="third", **refused)
    with pytest.raises(Forbidden):
        _register(context, organisation_id=staff.organisation_id, actor=replace(actor, roles=frozenset()))


def test_a_credit_code_is_checked_and_belongs_to_one_organisation(context: Context) -> None:
    def create(name: str, uscc: str) -> object:
        with context.database.writing() as session:
            return services.create_organisation(
                session,
                context.keyring,
                name=name,
                kind=OrganisationKind.ENTERPRISE,
                region="620100",
                uscc=uscc,
                actor=None,
            )

    create("兰州某化工厂", "91110000600037341L")
    with pytest.raises(AlreadyTaken):
        create("另一家", "91110000600037341L")
    with pytest.raises(Invalid):
        create("第三家", "91110000600037341A")


def test_without_her_key_nothing_of_a_person_can_be_read(context: Context) -> None:
    who = someone(context)
    with context.database.writing() as session:
        session.get_one(Person, who.id).wrapped_key = None
    with context.database.reading() as session:
        with pytest.raises(Erased):
            services.person_key(session, context.keyring, who.id)
        assert queries.display_names(session, context.keyring, [who.id]) == {who.id: "—"}


def test_people_are_found_by_the_whole_name_or_number_and_by_nothing_less(context: Context) -> None:
    who = someone(context, name="司马光")
    someone(context, name="司马迁")

    def found(sought: str) -> list[object]:
        with context.database.reading() as session:
            return [each.person_id for each in queries.find_people(session, context.keyring, sought)]

    assert found("司马光") == found(who.id_number) == found(who.account) == [who.id]
    assert found("司马") == found(who.id_number[:10]) == found("") == found("%") == []


def test_who_may_see_whom(context: Context) -> None:
    trainee = someone(context)
    stranger, colleague = someone(context), someone(context, Role.INSTITUTION)
    city = someone(context, Role.REGULATOR, region="620100").actor(Role.REGULATOR, region="620100")
    with context.database.reading() as session:
        own = session.get_one(models.Organisation, trainee.organisation_id)
        staff = replace(colleague.actor(Role.INSTITUTION), organisation_id=own.id)
        allowed = (
            trainee.actor(Role.TRAINEE),
            staff,
            city,
            replace(city, region="620000"),
            stranger.actor(Role.ADMINISTRATOR),
        )
        for actor in allowed:
            assert access_person(session, actor, trainee.id).id == trainee.id
        refused = (
            stranger.actor(Role.TRAINEE),
            colleague.actor(Role.INSTITUTION),
            replace(staff, roles=frozenset()),
            replace(staff, roles=frozenset({Role.TRAINEE})),
            replace(staff, organisation_id=None),
            replace(city, region="630000"),
            replace(city, region=None),
        )
        for actor in refused:
            with pytest.raises(NotFound):
                access_person(session, actor, trainee.id)
        with pytest.raises(NotFound):
            access_person(session, stranger.actor(Role.ADMINISTRATOR), uuid4())
        assert access_organisation(session, city, own.id).id == own.id
        with pytest.raises(NotFound):
            access_organisation(session, replace(city, region="630100"), own.id)


def test_an_administrator_cannot_lock_herself_out(context: Context) -> None:
    admin = someone(context, Role.ADMINISTRATOR)
    actor = admin.actor(Role.ADMINISTRATOR)
    with context.database.writing() as session:
        membership = session.scalars(select(Membership).where(Membership.person_id == admin.id)).one()
        with pytest.raises(Conflict):
            services.suspend(session, context.keyring, context.events, person_id=admin.id, actor=actor)
        with pytest.raises(Conflict):
            services.remove_membership(
                session, context.keyring, context.events, membership_id=membership.id, actor=actor
            )


def test_only_an_administrator_suspends_resets_and_gives_roles(context: Context) -> None:
    who, staff = someone(context), someone(context, Role.INSTITUTION)
    actor = staff.actor(Role.INSTITUTION)
    with context.database.writing() as session:
        attempts: list[Callable[[], object]] = [
            lambda: services.suspend(session, context.keyring, context.events, person_id=who.id, actor=actor),
            lambda: services.restore(session, context.keyring, person_id=who.id, actor=actor),
            lambda: services.drop_totp(session, context.keyring, person_id=who.id, actor=actor),
            lambda: services.forget_failures(session, context.keyring, person_id=who.id, actor=actor),
            lambda: services.add_membership(
                session,
                context.keyring,
                context.events,
                person_id=staff.id,
                organisation_id=staff.organisation_id,
                role=Role.ADMINISTRATOR,
                actor=actor,
            ),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                attempt()


def test_a_new_role_ends_the_sessions_that_do_not_have_it(context: Context) -> None:
    who = someone(context)
    elsewhere = organisation(context, OrganisationKind.ENTERPRISE)
    admin = someone(context, Role.ADMINISTRATOR).actor(Role.ADMINISTRATOR)
    before = signed_in(context, who)
    with context.database.writing() as session:
        services.add_membership(
            session,
            context.keyring,
            context.events,
            person_id=who.id,
            organisation_id=elsewhere.id,
            role=Role.ENTERPRISE,
            actor=admin,
        )
    with context.database.reading() as session:
        login = session.get_one(models.LoginSession, before.claims.login_session_id)
        assert login.ended_reason == "rights_changed"
    assert signed_in(context, who).claims.roles == {Role.TRAINEE, Role.ENTERPRISE}


def test_the_industry_of_an_enterprise_is_put_right_and_recorded(context: Context) -> None:
    admin = someone(context, Role.ADMINISTRATOR).actor(Role.ADMINISTRATOR)
    works, school = (
        organisation(context, kind) for kind in (OrganisationKind.ENTERPRISE, OrganisationKind.INSTITUTION)
    )

    def name(where: UUID, industry: str, actor: Actor = admin) -> None:
        with context.database.writing() as session:
            services.name_industry(session, context.keyring, organisation_id=where, industry=industry, actor=actor)

    for where, industry in ((school.id, "fireworks"), (works.id, "no-such-industry")):
        with pytest.raises(Invalid):
            name(where, industry)
    with pytest.raises(NotFound):
        name(uuid4(), "fireworks")
    with pytest.raises(Forbidden):
        name(works.id, "fireworks", replace(admin, roles=frozenset({Role.ENTERPRISE})))
    name(works.id, "fireworks")
    with context.database.reading() as session:
        assert session.get_one(Organisation, works.id).industry == "fireworks"
        leaf = session.scalars(select(Pending.leaf).order_by(Pending.id.desc())).first()
    said = json.loads(leaf or b"")
    assert (said["event"], said["values"]["before"], said["values"]["industry"]) == (
        "organisation.change", "", "fireworks",
    )  # fmt: skip
