"""The demonstration's organisations, people and passwords."""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.demo.cast import CAST, CastMember, House, another_trainee
from xueji.identity import consent_text
from xueji.identity.models import Account, Membership, Organisation, Person
from xueji.identity.rules import ConsentKind, ProofRoute
from xueji.identity.services import (
    HashedPassword,
    add_membership,
    change_password,
    choose_route,
    create_organisation,
    drop_totp,
    forget_failures,
    give_consent,
    hash_password,
    register_person,
    restore,
)
from xueji.identity.services.passwords import fits
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import write_secret
from xueji.kernel.settings import PREFIX, Settings

_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"
# A visitor signs in as everybody at once and has no telephone for each.
_SETTINGS = {"demo": "true", "staff_second_factor": '"offered"'}


@dataclass(frozen=True)
class Placed:
    """Somebody of the cast as the services know her."""

    member: CastMember
    person_id: UUID
    actor: Actor


@dataclass(frozen=True)
class Accounts:
    """Passwords by account: random for each installation, kept where only its owner can read them."""

    passwords: dict[str, str]

    @classmethod
    def there(cls, settings: Settings) -> Accounts | None:
        """None when this installation is no demonstration."""
        file = _file(settings)
        if not file.exists():
            return None
        return cls({each["account"]: each["password"] for each in json.loads(file.read_text("utf-8"))["accounts"]})

    @classmethod
    def open_or_create(cls, settings: Settings) -> Accounts:
        found = cls.there(settings)
        kept = found.passwords if found is not None else {}
        accounts = cls({**{member.account: _password() for member in CAST}, **kept})
        if accounts != found:
            accounts._write(settings)
        _set(settings.data / "settings.toml")
        return accounts

    def with_another_trainee(self, settings: Settings) -> Accounts:
        """These and one more, on the route without a camera."""
        number = next(number for number in count(1) if f"trainee{number}" not in self.passwords)
        accounts = Accounts({**self.passwords, f"trainee{number}": _password()})
        accounts._write(settings)
        return accounts

    @property
    def members(self) -> list[CastMember]:
        """The cast, and behind it the trainees that joined later."""
        cast = {member.account for member in CAST}
        later = [account for account in self.passwords if account not in cast]
        return [*CAST, *(another_trainee(int(account.removeprefix("trainee"))) for account in later)]

    def _write(self, settings: Settings) -> None:
        """As the sign-in page names them."""
        listed = [
            {"account": member.account, "password": self.passwords[member.account], "role": member.role.value}
            for member in self.members
        ]
        file = _file(settings)
        aside = file.with_suffix(".new")
        aside.unlink(missing_ok=True)
        write_secret(aside, json.dumps({"accounts": listed}, indent=1).encode())
        aside.replace(file)

    def register(self, context: Context) -> dict[str, Placed]:
        """Everybody, in order; who is there already stays as she is."""
        with context.database.reading() as session:
            known = set(session.scalars(select(Account.account)))
        # Hashed before the transaction is opened: it is on purpose a slow thing to do.
        hashed = {account: hash_password(word) for account, word in self.passwords.items() if account not in known}
        with context.database.writing() as session:
            return {
                member.account: _place(context, session, member, hashed.get(member.account)) for member in self.members
            }

    def put_right(self, context: Context, people: Mapping[str, Placed]) -> list[str]:
        """Let everybody sign in as listed again; a sentence for each account that somebody had changed."""
        with context.database.reading() as session:
            kept = {account.account: account for account in session.scalars(select(Account))}
        hashed = {
            account: hash_password(word)
            for account, word in self.passwords.items()
            if kept[account].password_is_temporary or not fits(word, kept[account].password_hash)
        }
        operator = next(each.actor for each in people.values() if each.member.role is Role.ADMINISTRATOR)
        with context.database.writing() as session:
            return [
                f"{account} {' and '.join(wrong)}: put right"
                for account, each in people.items()
                if (wrong := _put_right(context, session, each, hashed.get(account), operator))
            ]


def _file(settings: Settings) -> Path:
    return settings.data / "demo.json"


def _password() -> str:
    words = ["".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)]
    return "-".join([*words, "".join(secrets.choice(_DIGITS) for _ in range(4))])


def _set(file: Path) -> None:
    """What makes an installation a demonstration, for the processes that start later; a setting made stays."""
    written = file.read_text("utf-8") if file.exists() else ""
    given = tomllib.loads(written)
    lines = [
        f"{name} = {value}\n"
        for name, value in _SETTINGS.items()
        if name not in given and PREFIX + name.upper() not in os.environ
    ]
    if lines:
        file.write_text(written + "".join(lines), "utf-8")


def _place(context: Context, session: Session, member: CastMember, password: HashedPassword | None) -> Placed:
    """``password`` is looked at only for somebody who has no account yet."""
    house = _house(context, session, member.house)
    person = session.scalar(select(Person).join(Account).where(Account.account == member.account))
    if person is None:
        assert password is not None
        person = _register(context, session, member, house, password)
    actor = Actor(person.id, uuid4(), frozenset({member.role}), house.id, house.region)
    return Placed(member, person.id, actor)


def _register(
    context: Context, session: Session, member: CastMember, house: Organisation, password: HashedPassword
) -> Person:
    person = register_person(
        session,
        context.keyring,
        name=member.name,
        id_number=member.id_number,
        account=member.account,
        password=password,
        role=member.role,
        organisation_id=house.id,
        actor=None,
    )
    if member.route is ProofRoute.FACE:
        kind = ConsentKind.FACE
        version = consent_text.CURRENT[kind]
        give_consent(session, context.keyring, person=person, kind=kind, text_version=version)
    if member.route is not None:
        choose_route(session, context.events, person=person, route=member.route)
    return person


def _put_right(
    context: Context, session: Session, each: Placed, password: HashedPassword | None, operator: Actor
) -> list[str]:
    """Undo what keeps somebody from signing in as the list says, whoever did it; returns what that was.

    ``password`` is the listed one when it is no longer hers. Route, consent and enrolments are her own and stay.
    """
    person_id, wrong = each.person_id, []
    account = session.scalars(select(Account).where(Account.person_id == person_id)).one()
    if password is not None:
        change_password(session, context.keyring, context.events, person_id=person_id, password=password, keep=None)
        wrong.append("had another password")
    if account.suspended_at is not None:
        restore(session, context.keyring, person_id=person_id, actor=operator)
        wrong.append("was suspended")
    if account.totp_confirmed_at is not None:
        drop_totp(session, context.keyring, person_id=person_id, actor=each.actor)
        wrong.append("had a second factor")
    forget_failures(session, context.keyring, person_id=person_id, actor=operator)
    house = _house(context, session, each.member.house)
    member = select(Membership.id).filter_by(person_id=person_id, organisation_id=house.id, role=each.member.role)
    if session.scalar(member) is None:
        add_membership(
            session,
            context.keyring,
            context.events,
            person_id=person_id,
            organisation_id=house.id,
            role=each.member.role,
            actor=operator,
        )
        wrong.append(f"was no longer with {house.name}")
    return wrong


def _house(context: Context, session: Session, house: House) -> Organisation:
    found = session.scalar(select(Organisation).where(Organisation.name == house.name))
    return found or create_organisation(
        session, context.keyring, name=house.name, kind=house.kind, region=house.region, uscc=None, actor=None
    )
