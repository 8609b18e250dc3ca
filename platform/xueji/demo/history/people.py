"""The invented people of the demonstration's weeks: staff of three institutions, and trainees with drawn faces."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.demo.cast import House, with_check_digit
from xueji.demo.history.faces import portrait
from xueji.identity import consent_text
from xueji.identity.models import Organisation, Person, ReferencePhoto
from xueji.identity.rules import ConsentKind, ProofRoute
from xueji.identity.services import (
    HashedPassword,
    choose_route,
    create_organisation,
    decide_photo,
    enrol_photo,
    give_consent,
    hash_password,
    register_person,
)
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context

_SURNAMES = "陈林黄何高罗梁宋唐许韩冯邓曹彭曾肖田董袁"
_WORDS = ("虚构", "演示", "样例", "假设", "举例", "示范", "模拟", "试拟")


def invented_name(number: int) -> str:
    """A name that says that it is invented; no two numbers below 160 have the same."""
    return _SURNAMES[number % len(_SURNAMES)] + _WORDS[(number // len(_SURNAMES) + number) % len(_WORDS)]


def invented_id_number(number: int) -> str:
    """Of a whole province, with a serial number set aside for people over a hundred; not one of the cast's."""
    birth = date(1966, 1, 3) + timedelta(days=number * 83)
    return with_check_digit(f"220000{birth:%Y%m%d}998")


@dataclass
class Crowd:
    """Makes people one after the other."""

    context: Context
    _hashed: HashedPassword = field(default_factory=lambda: hash_password(secrets.token_urlsafe(24) + "7a"))
    """Nobody knows the password: nobody signs in as them by it."""
    _count: int = 0

    def staff(self, house: House, role: Role = Role.INSTITUTION) -> Actor:
        with self.context.database.writing() as session:
            at = self._organisation(session, house)
            person = self._register(session, at, role)
            return Actor(person.id, uuid4(), frozenset({role}), at.id, at.region)

    def trainee(self, house: House, route: ProofRoute, confirmed_by: Actor) -> tuple[int, UUID, UUID]:
        """The number of her drawn face, her person and her organisation. On the face route she has consented, and
        staff have held her photo against her identity document."""
        context = self.context
        with context.database.writing() as session:
            at = self._organisation(session, house)
            person = self._register(session, at, Role.TRAINEE)
            if route is ProofRoute.FACE:
                kind = ConsentKind.FACE
                version = consent_text.CURRENT[kind]
                give_consent(session, context.keyring, person=person, kind=kind, text_version=version)
            choose_route(session, context.events, person=person, route=route)
            number, person_id, organisation_id = self._count, person.id, at.id
        if route is ProofRoute.FACE:
            self.photograph(number, person_id, confirmed_by)
        return number, person_id, organisation_id

    def photograph(self, number: int, person_id: UUID, confirmed_by: Actor) -> None:
        context = self.context
        photo_id = enrol_photo(context, person_id=person_id, photo=portrait(number))
        with context.database.writing() as session:
            photo = session.get_one(ReferencePhoto, photo_id)
            decide_photo(session, context.keyring, context.events, photo=photo, confirmed=True, actor=confirmed_by)

    def _register(self, session: Session, at: Organisation, role: Role) -> Person:
        self._count += 1
        return register_person(
            session,
            self.context.keyring,
            name=invented_name(self._count),
            id_number=invented_id_number(self._count),
            account=f"invented{self._count:03d}",
            password=self._hashed,
            role=role,
            organisation_id=at.id,
            actor=None,
        )

    def _organisation(self, session: Session, house: House) -> Organisation:
        found = session.scalar(select(Organisation).where(Organisation.name == house.name))
        return found or create_organisation(
            session, self.context.keyring, name=house.name, kind=house.kind, region=house.region, uscc=None, actor=None
        )
