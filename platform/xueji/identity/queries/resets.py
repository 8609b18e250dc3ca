"""Requests to reset an account: whose they are, and who may be their second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from xueji.identity import rules, vault
from xueji.identity.models import Account, AccountAct, Membership, Organisation, Person, ResetRequest
from xueji.identity.queries.people import memberships
from xueji.identity.rules import RESET_LASTS, RESTS_AFTER, Capacity, ResetKind, in_jurisdiction
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.trace.rules import Event

MOST_WAITING = 200


def account_to_reset(session: Session, person_id: UUID) -> rules.ResetSubject:
    """What decides who may reset it; of somebody known."""
    row = session.execute(select(Account.staff, Account.activated_at).where(Account.person_id == person_id)).one()
    held = tuple(
        Capacity(each.role, each.organisation_id, each.region, each.since) for each in memberships(session, person_id)
    )
    return rules.ResetSubject(person_id, row.staff, row.activated_at is not None, held)


def may_confirm(session: Session, request: ResetRequest, actor: Actor) -> bool:
    account = account_to_reset(session, request.person_id)
    if account.staff and _lost_a_role(session, request.person_id):
        return False
    return rules.may_confirm_reset(
        account,
        request.asked_by,
        actor,
        since(session, actor),
        clock.now(),
        alone=account.regulator and not _other_regulators(session, account),
    )


def _lost_a_role(session: Session, person_id: UUID) -> bool:
    taken = exists().where(
        AccountAct.person_id == person_id,
        AccountAct.event == Event.ROLE_TAKE,
        AccountAct.happened_at > clock.now() - RESTS_AFTER,
    )
    return bool(session.scalar(select(taken)))


def since(session: Session, actor: Actor) -> datetime | None:
    """When she was given the latest of the roles she acts in."""
    beginnings = select(Membership.since).where(
        Membership.person_id == actor.person_id,
        Membership.organisation_id == actor.organisation_id,
        Membership.role.in_(actor.roles),
    )
    return max(session.scalars(beginnings), default=None)


def _other_regulators(session: Session, account: rules.ResetSubject) -> bool:
    rows = session.execute(
        select(Organisation.region)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.role == Role.REGULATOR, Membership.person_id != account.person_id)
    )
    return any(in_jurisdiction(region, each) for (region,) in rows for each in account.regions)


@dataclass(frozen=True)
class WaitingReset:
    """A request that nobody has decided on."""

    request_id: UUID
    person_id: UUID
    name_masked: str
    account: str
    kind: ResetKind
    asked_at: datetime
    lapses_at: datetime
    asker_masked: str
    reason: str
    mine: bool
    """Asked for by whoever looks."""
    may_confirm: bool


def waiting_resets(session: Session, keyring: Keyring, actor: Actor, *, of: UUID | None = None) -> list[WaitingReset]:
    """Those somebody may confirm, asked for, or whose account it is; the oldest first. ``of``: of one person only."""
    asker = aliased(Person)
    chosen = (
        select(ResetRequest, Person, Account.account, asker.name_masked)
        .join(Person, Person.id == ResetRequest.person_id)
        .join(Account, Account.person_id == Person.id)
        .join(asker, asker.id == ResetRequest.asked_by)
        .where(ResetRequest.decided_at.is_(None), ResetRequest.asked_at > clock.now() - RESET_LASTS)
        .order_by(ResetRequest.asked_at, ResetRequest.id)
        .limit(MOST_WAITING)
    )
    if of is not None:
        chosen = chosen.where(ResetRequest.person_id == of)
    found = []
    for request, person, account, asked_by in session.execute(chosen):
        mine, confirms = request.asked_by == actor.person_id, may_confirm(session, request, actor)
        if mine or confirms or request.person_id == actor.person_id:
            key = vault.opened_key(keyring, person.id, person.wrapped_key)
            field = vault.reset_field(request.id, "reason")
            reason = vault.unseal(key, person.id, field, request.reason_cipher).decode()
            found.append(
                WaitingReset(
                    request.id,
                    person.id,
                    person.name_masked,
                    account,
                    request.kind,
                    request.asked_at,
                    request.asked_at + RESET_LASTS,
                    asked_by,
                    reason,
                    mine,
                    confirms,
                )
            )
    return found
