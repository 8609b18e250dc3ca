"""The demonstration's organisations, people and passwords."""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.demo.cast import CAST, House, Member
from xueji.identity import consent_text
from xueji.identity.models import Account, Organisation, Person
from xueji.identity.rules import ConsentKind, ProofRoute
from xueji.identity.services import (
    HashedPassword,
    choose_route,
    create_organisation,
    give_consent,
    hash_password,
    register_person,
)
from xueji.kernel.actor import Actor
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

    member: Member
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
        if found is None:
            found = cls({member.account: _password() for member in CAST})
            write_secret(_file(settings), json.dumps({"accounts": found._listed()}, indent=1).encode())
        _set(settings.data / "settings.toml")
        return found

    def _listed(self) -> list[dict[str, str]]:
        """As the sign-in page names them."""
        return [
            {"account": member.account, "password": self.passwords[member.account], "role": member.role.value}
            for member in CAST
        ]

    def register(self, context: Context) -> dict[str, Placed]:
        """Everybody, in the order of the cast."""
        with context.database.reading() as session:
            known = set(session.scalars(select(Account.account)))
        # Hashed before the transaction is opened: it is on purpose a slow thing to do.
        hashed = {account: hash_password(word) for account, word in self.passwords.items() if account not in known}
        with context.database.writing() as session:
            return {member.account: _place(context, session, member, hashed.get(member.account)) for member in CAST}


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


def _place(context: Context, session: Session, member: Member, password: HashedPassword | None) -> Placed:
    """``password`` None for somebody who has an account already."""
    house = _house(session, member.house)
    if password is None:
        person = session.scalars(select(Person).join(Account).where(Account.account == member.account)).one()
    else:
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
            choose_route(session, person=person, route=member.route)
    actor = Actor(person.id, uuid4(), frozenset({member.role}), house.id, house.region)
    return Placed(member, person.id, actor)


def _house(session: Session, house: House) -> Organisation:
    found = session.scalar(select(Organisation).where(Organisation.name == house.name))
    return found or create_organisation(
        session, name=house.name, kind=house.kind, region=house.region, uscc=None, actor=None
    )
