"""People and what they are in organisations."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity import queries, rules, spelling, vault, wording
from xueji.identity.errors import AlreadyTaken, AnotherName, JoinedAccount
from xueji.identity.leaves import AccountOpened, AccountRestored, AccountSuspended, RoleGiven, RoleTaken
from xueji.identity.models import Account, Membership, Organisation, Person
from xueji.identity.numbers import identity_number
from xueji.identity.rules import FIRST_CODE_LASTS, ProofRoute, SessionEnd
from xueji.identity.services.joining import ask_for_number
from xueji.identity.services.passwords import HashedPassword
from xueji.identity.services.recording import record_power
from xueji.identity.services.sessions import end_sessions
from xueji.kernel import clock, crypto
from xueji.kernel.actor import STAFF, Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from xueji.kernel.events import Events


def register_person(
    session: Session,
    keyring: Keyring,
    *,
    name: str,
    id_number: str,
    account: str,
    password: HashedPassword,
    role: Role,
    organisation_id: UUID,
    actor: Actor | None,
    temporary: bool = False,
) -> Person:
    """Register somebody, or find her again by her identity number: one person, one account for life.

    Somebody known keeps her account and password and becomes a member of one more organisation. ``actor`` None is
    the installation itself, at set-up; an institution or enterprise registers trainees of its own. To these a number
    that is held elsewhere only is a new one: she gets a file and an account like anybody new, and until she confirms
    it in the account she had, or a second person does, the two stand apart (`joining`). ``temporary`` asks
    for a new password at the first sign-in. Raises Invalid, AlreadyTaken, AnotherName, Forbidden, NotFound.
    """
    _may_register(actor, role, organisation_id)
    spelled, number = _spelled(name), identity_number(id_number, clock.shanghai_day(clock.now()))
    asks = None if actor is None or actor.is_(Role.ADMINISTRATOR) else organisation_id
    found = queries.known_to(session, keyring, asks, [number]).get(number)
    known = found is not None
    if found is not None:
        if not queries.is_named(session, keyring, found, spelled):
            raise AnotherName(_("该身份证号码已用另一姓名登记，请核对。"))
    else:
        elsewhere = queries.person_by_number(session, keyring, number)
        found = _new_person(session, keyring, name=spelled, number=number, at=organisation_id, elsewhere=elsewhere)
        _open_account(session, found.id, account=account, password=password, temporary=temporary)
        by = actor.person_id if actor is not None else None
        record_power(session, keyring, AccountOpened(), actor=by, subject=found.id)
        if elsewhere is not None and actor is not None:
            ask_for_number(session, keyring, stands=elsewhere, joined=found.id, actor=actor)
    _join(session, keyring, found.id, organisation_id, role, actor, news=known)
    return found


def add_membership(
    session: Session,
    keyring: Keyring,
    events: Events,
    *,
    person_id: UUID,
    organisation_id: UUID,
    role: Role,
    actor: Actor,
) -> None:
    """Raises Forbidden, Invalid, NotFound. Her sessions end, so that none lives on with the rights of before."""
    _administrator(actor)
    if session.get(Person, person_id) is None:
        raise NotFound
    if _join(session, keyring, person_id, organisation_id, role, actor):
        end_sessions(session, events, person_id=person_id, reason=SessionEnd.RIGHTS_CHANGED)


def remove_membership(session: Session, keyring: Keyring, events: Events, *, membership_id: UUID, actor: Actor) -> UUID:
    """Returns whose it was. Raises Forbidden, NotFound, and Conflict when nobody would administer any more."""
    _administrator(actor)
    found = session.get(Membership, membership_id)
    if found is None:
        raise NotFound
    if found.person_id == actor.person_id and found.role is Role.ADMINISTRATOR:
        raise Conflict(_("不能取消自己的管理员身份。"))
    session.delete(found)
    end_sessions(session, events, person_id=found.person_id, reason=SessionEnd.RIGHTS_CHANGED)
    taken = RoleTaken(role=found.role.value, organisation=str(found.organisation_id))
    record_power(session, keyring, taken, actor=actor.person_id, subject=found.person_id)
    return found.person_id


def suspend(session: Session, keyring: Keyring, events: Events, *, person_id: UUID, actor: Actor) -> None:
    """Lock somebody out until `restore`. Raises Forbidden, NotFound, Conflict for oneself."""
    _administrator(actor)
    if person_id == actor.person_id:
        raise Conflict(_("不能停用自己的账号。"))
    account = _account_of(session, person_id)
    account.suspended_at = account.suspended_at or clock.now()
    end_sessions(session, events, person_id=person_id, reason=SessionEnd.SUSPENDED)
    record_power(session, keyring, AccountSuspended(), actor=actor.person_id, subject=person_id)


def restore(session: Session, keyring: Keyring, *, person_id: UUID, actor: Actor) -> None:
    """Raises Forbidden, NotFound, JoinedAccount for a file that was joined to another."""
    _administrator(actor)
    account = _account_of(session, person_id)
    if session.get_one(Person, person_id).joined_to is not None:
        raise JoinedAccount
    account.suspended_at = None
    record_power(session, keyring, AccountRestored(), actor=actor.person_id, subject=person_id)


def display_name(session: Session, keyring: Keyring, person_id: UUID) -> str:
    """The whole real name, for those who may read it; for many at once see `queries.display_names`."""
    return queries.display_names(session, keyring, [person_id])[person_id]


def _may_register(actor: Actor | None, role: Role, organisation_id: UUID) -> None:
    if actor is None or actor.is_(Role.ADMINISTRATOR):
        return
    own_trainee = role is Role.TRAINEE and actor.organisation_id == organisation_id
    if not (own_trainee and actor.is_(Role.INSTITUTION, Role.ENTERPRISE)):
        raise Forbidden


def _administrator(actor: Actor) -> None:
    if not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden


def _spelled(name: str) -> str:
    spelled = spelling.person_name(name)
    if not rules.is_person_name(spelled):
        raise Invalid(_("姓名须为2至40个字，不含数字和符号，也不是单位名称。"))
    return spelled


def _new_person(
    session: Session, keyring: Keyring, *, name: str, number: str, at: UUID, elsewhere: UUID | None
) -> Person:
    person_id, key = uuid4(), crypto.new_key()
    number_hash = keyring.keyed_hash("id_number", number)
    made = Person(
        id=person_id,
        name_cipher=vault.seal(key, person_id, vault.NAME, name.encode()),
        name_masked=rules.masked_name(name),
        name_hash=keyring.keyed_hash("name", name),
        id_number_cipher=vault.seal(key, person_id, vault.ID_NUMBER, number.encode()),
        id_number_masked=rules.masked_number(number),
        id_number_hash=number_hash if elsewhere is None else queries.held_elsewhere(keyring, number, at),
        same_number_as=elsewhere,
        wrapped_key=keyring.wrap(key, str(person_id)),
        proof_route=ProofRoute.SUPERVISED,
        registered_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def _open_account(
    session: Session, person_id: UUID, *, account: str, password: HashedPassword, temporary: bool
) -> None:
    name = rules.account_name(account)
    if (problem := rules.account_problem(name)) is not None:
        raise Invalid(wording.ACCOUNT_PROBLEM[problem])
    if session.scalar(select(Account.id).where(Account.account == name)) is not None:
        raise AlreadyTaken(_("该账号已有人使用，请换一个。"))
    now = clock.now()
    session.add(
        Account(
            person_id=person_id,
            account=name,
            password_hash=password,
            password_is_temporary=temporary,
            password_changed_at=now,
            activated_at=None if temporary else now,
            code_lapses_at=now + FIRST_CODE_LASTS if temporary else None,
        )
    )
    session.flush()


def _join(
    session: Session,
    keyring: Keyring,
    person_id: UUID,
    organisation_id: UUID,
    role: Role,
    actor: Actor | None,
    *,
    news: bool = True,
) -> bool:
    """Whether this is new. Raises NotFound, and Invalid for a role the organisation does not have."""
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound
    if role not in rules.ROLES_OF[organisation.kind]:
        raise Invalid(_("这类单位没有这种角色。"))
    same = select(Membership.id).where(
        Membership.person_id == person_id, Membership.organisation_id == organisation_id, Membership.role == role
    )
    if session.scalar(same) is not None:
        return False
    session.add(Membership(person_id=person_id, organisation_id=organisation_id, role=role, since=clock.now()))
    if role in STAFF:
        _account_of(session, person_id).staff = True
    session.flush()
    by = actor.person_id if actor is not None else None
    given = RoleGiven(role=role.value, organisation=str(organisation_id))
    record_power(session, keyring, given, actor=by, subject=person_id, news=news)
    return True


def _account_of(session: Session, person_id: UUID) -> Account:
    found = session.scalar(select(Account).where(Account.person_id == person_id))
    if found is None:
        raise NotFound
    return found
