"""Administrators at the machine's command line: the first one is made there, one who is locked out begins anew, and
whoever has faces measured there answers for it.

The first two stand in the log as the installation's own acts.
"""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity.errors import AdministratorThere, WrongPassword
from xueji.identity.leaves import AccountRecovered
from xueji.identity.models import Account, Membership, Organisation, Person
from xueji.identity.rules import FIRST_CODE_LASTS, OrganisationKind, SessionEnd, account_name
from xueji.identity.services.organisations import create_organisation
from xueji.identity.services.passwords import HashedPassword, right
from xueji.identity.services.people import register_person
from xueji.identity.services.recording import record_power
from xueji.identity.services.second_factor import forget_factor
from xueji.identity.services.sessions import end_sessions
from xueji.identity.services.sign_in import lift_locks
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.kernel.events import Events


def create_administrator(
    session: Session,
    keyring: Keyring,
    *,
    name: str,
    id_number: str,
    account: str,
    code: HashedPassword,
    operator: str,
    region: str,
) -> Person:
    """The first administrator, of the organisation that runs the platform; it is made when there is none.

    At her first sign-in she chooses a password and sets up a second factor. Raises AdministratorThere, Invalid,
    AlreadyTaken, AnotherName.
    """
    if session.scalar(select(Membership.id).where(Membership.role == Role.ADMINISTRATOR).limit(1)) is not None:
        raise AdministratorThere
    organisation = session.scalar(select(Organisation).where(Organisation.kind == OrganisationKind.OPERATOR).limit(1))
    if organisation is None:
        organisation = create_organisation(
            session, keyring, name=operator, kind=OrganisationKind.OPERATOR, region=region, uscc=None, actor=None
        )
    return register_person(
        session,
        keyring,
        name=name,
        id_number=id_number,
        account=account,
        password=code,
        role=Role.ADMINISTRATOR,
        organisation_id=organisation.id,
        actor=None,
        temporary=True,
    )


def administrator_at_the_machine(context: Context, *, account: str, password: str) -> Actor:
    """Who answers for what is done from the command line: an administrator who types her password there.

    Raises WrongPassword, also for an account that is no administrator's or suspended.
    """
    chosen = (
        select(Account.person_id, Account.password_hash, Membership.organisation_id)
        .join(Membership, Membership.person_id == Account.person_id)
        .where(
            Account.account == account_name(account),
            Account.suspended_at.is_(None),
            Membership.role == Role.ADMINISTRATOR,
        )
    )
    with context.database.reading() as session:
        found = session.execute(chosen.limit(1)).first()
    if not right(context.keyring, password, found.password_hash if found is not None else None) or found is None:
        raise WrongPassword
    return Actor(found.person_id, UUID(int=0), frozenset({Role.ADMINISTRATOR}), found.organisation_id)


def recover_administrator(
    session: Session, keyring: Keyring, events: Events, *, account: str, code: HashedPassword
) -> None:
    """A new beginning for an administrator who cannot sign in: new code, no second factor, no lock, no session.

    Raises NotFound when the account is not an administrator's.
    """
    found = session.scalar(
        select(Account)
        .join(Membership, Membership.person_id == Account.person_id)
        .where(Account.account == account_name(account), Membership.role == Role.ADMINISTRATOR)
    )
    if found is None:
        raise NotFound(_("没有使用这个账号的平台管理员。"))
    found.password_hash, found.password_is_temporary, found.password_changed_at = code, True, clock.now()
    found.code_lapses_at = clock.now() + FIRST_CODE_LASTS
    found.suspended_at = None
    forget_factor(session, found)
    lift_locks(session, keyring, found.account)
    end_sessions(session, events, person_id=found.person_id, reason=SessionEnd.PASSWORD_CHANGED)
    record_power(session, keyring, AccountRecovered(), actor=None, subject=found.person_id)
