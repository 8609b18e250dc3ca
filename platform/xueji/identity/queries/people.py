"""Who somebody is and where she belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from xueji.identity import rules, spelling, vault
from xueji.identity.models import Account, DuplicateFlag, LockOut, Membership, Organisation, Person
from xueji.identity.queries.files import files_of_each, standing_files
from xueji.identity.rules import ActingRoles, Capacity, OrganisationKind, ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound

ERASED_NAME = "—"
MOST_FOUND = 50
_AT_ONCE = 500


def display_names(session: Session, keyring: Keyring, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Whole real names in one query; ``—`` for the erased, and nothing for the unknown."""
    rows = session.execute(
        select(Person.id, Person.name_cipher, Person.wrapped_key).where(Person.id.in_(list(person_ids)))
    )
    return {row.id: _name(keyring, row.id, row.name_cipher, row.wrapped_key) for row in rows}


def _name(keyring: Keyring, person_id: UUID, sealed: bytes, wrapped: bytes | None) -> str:
    if wrapped is None:
        return ERASED_NAME
    key = vault.opened_key(keyring, person_id, wrapped)
    return vault.unseal(key, person_id, vault.NAME, sealed).decode()


def is_named(session: Session, keyring: Keyring, person: Person, name: str) -> bool:
    """Whether the person bears the name, as `spelling.person_name` gives it, however it was spelled when stored."""
    if person.name_hash == keyring.keyed_hash("name", name):
        return True
    return spelling.person_name(display_names(session, keyring, [person.id])[person.id]) == name


def masked_names(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Person.id, Person.name_masked).where(Person.id.in_(list(person_ids))))
    return {row.id: row.name_masked for row in rows}


def person_by_number(session: Session, keyring: Keyring, id_number: str) -> UUID | None:
    """``id_number`` as `numbers.identity_number` gives it; the file that stands."""
    found = known_to(session, keyring, None, [id_number]).get(id_number)
    return None if found is None else found.id


def known_to(
    session: Session, keyring: Keyring, organisation_id: UUID | None, numbers: Iterable[str]
) -> dict[str, Person]:
    """Whom an organisation may find by identity number, by number; None is the installation, which finds everybody.

    A number that is held elsewhere only is unknown to it, so that nobody learns from an import who is registered where.
    What the organisation registered under such a number before is found again. ``numbers`` as
    `numbers.identity_number` gives them; a number of a file that was joined finds the file that stands.
    """
    asked = list(dict.fromkeys(numbers))
    found = _by_hash(session, {keyring.keyed_hash("id_number", number): number for number in asked})
    if organisation_id is not None:
        files = files_of_each(session, [person.id for person in found.values()])
        own = _members(session, organisation_id, sorted({file for each in files.values() for file in each}))
        found = {number: person for number, person in found.items() if not own.isdisjoint(files[person.id])}
        left = {held_elsewhere(keyring, number, organisation_id): number for number in asked if number not in found}
        found |= _by_hash(session, left)
    stands = standing_files(session, [person.id for person in found.values()])
    return {number: session.get_one(Person, stands[person.id]) for number, person in found.items()}


def held_elsewhere(keyring: Keyring, number: str, organisation_id: UUID) -> bytes:
    """Under which hash an organisation's own file of a number is kept that was held elsewhere before."""
    return keyring.keyed_hash("id_number", f"{number}@{organisation_id}")


def _by_hash(session: Session, numbers: Mapping[bytes, str]) -> dict[str, Person]:
    found, hashes = {}, list(numbers)
    for start in range(0, len(hashes), _AT_ONCE):
        some = hashes[start : start + _AT_ONCE]
        for person in session.scalars(select(Person).where(Person.id_number_hash.in_(some))):
            found[numbers[person.id_number_hash]] = person
    return found


def _members(session: Session, organisation_id: UUID, person_ids: Sequence[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for start in range(0, len(person_ids), _AT_ONCE):
        some = Membership.person_id.in_(person_ids[start : start + _AT_ONCE])
        chosen = select(Membership.person_id).where(Membership.organisation_id == organisation_id, some)
        found.update(session.scalars(chosen))
    return found


@dataclass(frozen=True)
class FoundPerson:
    person_id: UUID
    name_masked: str
    id_number_masked: str
    account: str
    suspended: bool
    organisations: tuple[str, ...]


def find_people(session: Session, keyring: Keyring, sought: str) -> list[FoundPerson]:
    """By exact name, whole identity number or the beginning of an account; at most `MOST_FOUND`.

    Names and numbers are encrypted, so a part of one finds nothing.
    """
    text = sought.strip()
    account = rules.account_name(text)
    if not account:
        return []
    name = keyring.keyed_hash("name", spelling.person_name(text))
    number = keyring.keyed_hash("id_number", spelling.number(text))
    rows = session.execute(
        select(Person.id, Person.name_masked, Person.id_number_masked, Account.account, Account.suspended_at)
        .join(Account, Account.person_id == Person.id)
        .where(
            or_(
                Person.name_hash == name,
                Person.id_number_hash == number,
                Account.account.startswith(account, autoescape=True),
            )
        )
        .order_by(Account.account)
        .limit(MOST_FOUND)
    ).all()
    where: dict[UUID, list[str]] = {row.id: [] for row in rows}
    for person_id, organisation in session.execute(
        select(Membership.person_id, Organisation.name)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.person_id.in_(list(where)))
        .distinct()
    ):
        where[person_id].append(organisation)
    return [
        FoundPerson(
            row.id,
            row.name_masked,
            row.id_number_masked,
            row.account,
            row.suspended_at is not None,
            tuple(sorted(where[row.id])),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Member:
    membership_id: UUID
    role: Role
    organisation_id: UUID
    organisation: str
    kind: OrganisationKind
    region: str
    since: datetime


def memberships(session: Session, person_id: UUID) -> list[Member]:
    rows = session.execute(
        select(
            Membership.id,
            Membership.role,
            Organisation.id,
            Organisation.name,
            Organisation.kind,
            Organisation.region,
            Membership.since,
        )
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.since, Membership.id)
    )
    return [Member(*row) for row in rows]


def standing(session: Session, person_id: UUID, organisation_id: UUID | None = None) -> ActingRoles:
    """As what she may act, for the organisation she chose; see `rules.standing`."""
    capacities = [
        Capacity(member.role, member.organisation_id, member.region, member.since)
        for member in memberships(session, person_id)
    ]
    return rules.standing(capacities, organisation_id)


@dataclass(frozen=True)
class Profile:
    """What a person's own pages, and an administrator's, say of her."""

    person_id: UUID
    name_masked: str
    id_number_masked: str
    proof_route: ProofRoute
    route_chosen: bool
    account: str
    password_is_temporary: bool
    password_changed_at: datetime
    suspended_at: datetime | None
    joined_to: UUID | None
    """The file that stands, where this one was joined to another."""
    second_factor: bool
    locked_until: datetime | None
    registered_at: datetime
    memberships: tuple[Member, ...]


def profile(session: Session, keyring: Keyring, person_id: UUID) -> Profile:
    """Of somebody known; look through `access.access_person` first."""
    person, account = session.execute(
        select(Person, Account).join(Account, Account.person_id == Person.id).where(Person.id == person_id)
    ).one()
    locked_until = session.scalar(
        select(func.max(LockOut.locked_until)).where(
            LockOut.account_hash == keyring.keyed_hash("account", account.account)
        )
    )
    tries = rules.Tries(0, locked_until)
    return Profile(
        person_id=person.id,
        name_masked=person.name_masked,
        id_number_masked=person.id_number_masked,
        proof_route=person.proof_route,
        route_chosen=person.route_chosen_at is not None,
        account=account.account,
        password_is_temporary=account.password_is_temporary,
        password_changed_at=account.password_changed_at,
        suspended_at=account.suspended_at,
        joined_to=person.joined_to,
        second_factor=account.totp_confirmed_at is not None,
        locked_until=tries.locked_until if tries.locked(clock.now()) else None,
        registered_at=person.registered_at,
        memberships=tuple(memberships(session, person_id)),
    )


@dataclass(frozen=True)
class InstallationCounts:
    people: int
    organisations: int
    undecided_duplicates: int


def counts(session: Session) -> InstallationCounts:
    """For the administrator's page."""
    undecided = select(func.count()).select_from(DuplicateFlag).where(DuplicateFlag.decided_at.is_(None))
    return InstallationCounts(
        session.scalar(select(func.count()).select_from(Person)) or 0,
        session.scalar(select(func.count()).select_from(Organisation)) or 0,
        session.scalar(undecided) or 0,
    )


def account_name(session: Session, account_id: UUID) -> str:
    """What she signs in with; nothing for an account that is gone."""
    return session.scalar(select(Account.account).where(Account.id == account_id)) or ""


def person_of_account(session: Session, account: str) -> UUID:
    """Whose account it is, by the name she signs in with. Raises NotFound."""
    found = session.scalar(select(Account.person_id).where(Account.account == rules.account_name(account)))
    if found is None:
        raise NotFound
    return found


def account_of(session: Session, person_id: UUID) -> Account:
    """How somebody known signs in."""
    return session.scalars(select(Account).where(Account.person_id == person_id)).one()


def organisations(session: Session, sought: str = "") -> list[Organisation]:
    """Those whose name contains what is sought, or whose region begins with it; at most 200."""
    chosen = select(Organisation).order_by(Organisation.region, Organisation.name).limit(200)
    if text := sought.strip():
        chosen = chosen.where(
            or_(
                Organisation.name.contains(text, autoescape=True), Organisation.region.startswith(text, autoescape=True)
            )
        )
    return list(session.scalars(chosen))
