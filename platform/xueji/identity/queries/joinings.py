"""Two files of one person: what waits for a second person, who may be it, and which files are joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from xueji.identity import rules, vault
from xueji.identity.models import Account, DuplicateFlag, FileJoining, Membership, Organisation, Person, ReferencePhoto
from xueji.identity.queries.people import masked_names
from xueji.identity.queries.resets import since
from xueji.identity.regions import within
from xueji.identity.rules import JOINING_LASTS, File, PhotoStanding, in_jurisdiction
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound

MOST_WAITING = 200
MOST_JOINED = 200
REFUSED_PER_PAGE = 20


def file_of(session: Session, person_id: UUID) -> File:
    """What decides which of two files stands. Raises NotFound."""
    row = session.execute(
        select(Person.registered_at, Account.staff, Account.activated_at)
        .join(Account, Account.person_id == Person.id)
        .where(Person.id == person_id)
    ).first()
    if row is None:
        raise NotFound
    joined = exists().where(Person.joined_to == person_id)
    confirmed = exists().where(
        ReferencePhoto.person_id == person_id, ReferencePhoto.standing == PhotoStanding.CONFIRMED
    )
    return File(
        person_id,
        bool(session.scalar(select(joined))),
        row.staff,
        row.activated_at is not None,
        bool(session.scalar(select(confirmed))),
        row.registered_at,
    )


def regions_of(session: Session, person_ids: Iterable[UUID]) -> set[str]:
    """Where the organisations are that these belong to."""
    chosen = (
        select(Organisation.region)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id.in_(list(person_ids)))
    )
    return set(session.scalars(chosen))


def may_decide(session: Session, joining: FileJoining, actor: Actor) -> bool:
    files = (joining.person_id, joining.joined_id)
    holder = joining.person_id if joining.same_number else None
    return rules.may_decide_joining(
        files, regions_of(session, files), joining.asked_by, actor, since(session, actor), clock.now(), holder=holder
    )


def _waits() -> ColumnElement[bool]:
    lasts = or_(FileJoining.same_number, FileJoining.asked_at > clock.now() - JOINING_LASTS)
    return and_(FileJoining.decided_at.is_(None), lasts)


def joinings_to_confirm(session: Session, person_id: UUID) -> int:
    """How many organisations have registered her number without knowing that she has an account."""
    asked = select(func.count(FileJoining.id)).where(FileJoining.person_id == person_id, FileJoining.same_number)
    return session.scalar(asked.where(_waits())) or 0


@dataclass(frozen=True)
class JoinedFile:
    person_id: UUID
    name_masked: str
    id_number_masked: str
    account: str


@dataclass(frozen=True)
class WaitingJoining:
    """That two files are to be joined or put apart, and nobody has decided on."""

    joining_id: UUID
    parts: bool
    stands: JoinedFile
    joined: JoinedFile
    asked_at: datetime
    lapses_at: datetime
    asker_masked: str
    reason: str
    flag_id: UUID | None
    photos: tuple[UUID, ...]
    """The two that were found alike, where that led to it."""
    organisation: str
    """Of a number that was held elsewhere: which organisation has registered it."""
    same_number: bool
    mine: bool
    may_decide: bool


def waiting_joinings(session: Session, keyring: Keyring, actor: Actor) -> list[WaitingJoining]:
    """Those that somebody may decide on or has asked for; the oldest first."""
    chosen = select(FileJoining).where(_waits()).order_by(FileJoining.asked_at, FileJoining.id).limit(MOST_WAITING)
    # An organisation is not told that a number it registered was held elsewhere.
    office = actor.is_(Role.ADMINISTRATOR, Role.REGULATOR)
    if not office:
        chosen = chosen.where(FileJoining.person_id == actor.person_id, FileJoining.same_number)
    seen = [
        (each, office and each.asked_by == actor.person_id, may_decide(session, each, actor))
        for each in session.scalars(chosen)
    ]
    shown = [each for each in seen if each[1] or each[2]]
    ids = {person for each, _mine, _may in shown for person in (each.person_id, each.joined_id)}
    files = _files(session, ids)
    askers = {each.asked_by for each, _mine, _may in shown}
    names = masked_names(session, askers)
    return [
        WaitingJoining(
            each.id,
            each.parts,
            files[each.person_id],
            files[each.joined_id],
            each.asked_at,
            each.asked_at + JOINING_LASTS,
            names.get(each.asked_by, ""),
            reason_of(session, keyring, each),
            each.flag_id,
            _photos(session, each),
            _registered_by(session, each),
            each.same_number,
            mine,
            may,
        )
        for each, mine, may in shown
    ]


def reason_of(session: Session, keyring: Keyring, joining: FileJoining) -> str:
    key = vault.person_key(session, keyring, joining.person_id)
    return vault.unseal(key, joining.person_id, vault.joining_field(joining.id), joining.reason_cipher).decode()


def _registered_by(session: Session, joining: FileJoining) -> str:
    chosen = (
        select(Organisation.name)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id == joining.joined_id)
        .order_by(Membership.since)
        .limit(1)
    )
    return (session.scalar(chosen) or "") if joining.same_number else ""


def _photos(session: Session, joining: FileJoining) -> tuple[UUID, ...]:
    flag = session.get(DuplicateFlag, joining.flag_id) if joining.flag_id is not None else None
    return () if flag is None else (flag.photo_id, flag.other_photo_id)


def _files(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, JoinedFile]:
    rows = session.execute(
        select(Person.id, Person.name_masked, Person.id_number_masked, Account.account)
        .join(Account, Account.person_id == Person.id)
        .where(Person.id.in_(list(person_ids)))
    )
    return {row[0]: JoinedFile(*row) for row in rows}


@dataclass(frozen=True)
class RefusedNumber:
    """An account that an organisation opened under a number held elsewhere, and that was said not to be hers."""

    joining_id: UUID
    account: JoinedFile
    organisation: str
    registered_at: datetime
    refused_at: datetime
    by_herself: bool
    """Whether whoever holds the number said so; else somebody in office did."""
    suspended: bool


def refused_numbers(session: Session, actor: Actor, page: int) -> tuple[list[RefusedNumber], int]:
    """A page of those a regulator has jurisdiction over, all for an administrator; the latest first, and how many.

    A number under which somebody was registered without her says something of whoever registered it.
    """
    if not actor.is_(Role.ADMINISTRATOR, Role.REGULATOR):
        return [], 0
    refused = select(FileJoining).where(
        FileJoining.same_number, FileJoining.decided_at.is_not(None), FileJoining.confirmed.is_(False)
    )
    if not actor.is_(Role.ADMINISTRATOR):
        among_own = exists().where(
            Membership.person_id == FileJoining.joined_id,
            Membership.organisation_id == Organisation.id,
            within(actor.region, Organisation.region),
        )
        refused = refused.where(among_own)
    total = session.scalar(select(func.count()).select_from(refused.subquery())) or 0
    latest = refused.order_by(FileJoining.decided_at.desc(), FileJoining.id)
    rows = session.scalars(latest.limit(REFUSED_PER_PAGE).offset((page - 1) * REFUSED_PER_PAGE)).all()
    ids = [each.joined_id for each in rows]
    files = _files(session, ids)
    stopped = select(Account.person_id).where(Account.person_id.in_(ids), Account.suspended_at.is_not(None))
    suspended = set(session.scalars(stopped))
    return [
        RefusedNumber(
            each.id,
            files[each.joined_id],
            _registered_by(session, each),
            each.asked_at,
            each.decided_at or each.asked_at,
            each.decided_by == each.person_id,
            each.joined_id in suspended,
        )
        for each in rows
    ], total


@dataclass(frozen=True)
class JoinedFiles:
    """Two files that are joined."""

    stands: JoinedFile
    joined: JoinedFile
    asked: bool
    """Whether somebody has asked that they be put apart."""


def joined_files(session: Session, actor: Actor) -> list[JoinedFiles]:
    """Those that somebody may ask to have put apart, by account."""
    if not actor.is_(Role.ADMINISTRATOR, Role.REGULATOR):
        return []
    other = aliased(Person)
    pairs = [
        (row[0], row[1])
        for row in session.execute(
            select(other.id, Person.id).join(other, other.id == Person.joined_to).order_by(other.id).limit(MOST_JOINED)
        )
    ]
    if not actor.is_(Role.ADMINISTRATOR):
        pairs = [
            pair
            for pair in pairs
            if any(in_jurisdiction(actor.region or "", region) for region in regions_of(session, pair))
        ]
    files = _files(session, {person for pair in pairs for person in pair})
    asked = set(
        session.scalars(
            select(FileJoining.joined_id).where(
                FileJoining.parts,
                _waits(),
                FileJoining.joined_id.in_([joined for _stands, joined in pairs]),
            )
        )
    )
    return [JoinedFiles(files[one], files[two], two in asked) for one, two in pairs]
