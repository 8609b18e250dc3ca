"""Codes for the first sign-in of many, issued at once to be printed, and again when they are lost or have lapsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.identity import rules
from xueji.identity.access import access_person
from xueji.identity.leaves import PasswordReset
from xueji.identity.queries.people import display_names
from xueji.identity.queries.resets import account_to_reset
from xueji.identity.services.passwords import account_of, hash_code
from xueji.identity.services.recording import record_power
from xueji.identity.services.resets import first_code, set_code
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.errors import Forbidden, Invalid

MOST_CODES = 200
"""Issued at once: as many slips as somebody hands out in an afternoon."""
_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What is shown once, to be handed to her."""

    person_id: UUID
    name: str
    account: str
    code: str
    lapses_at: datetime


def issue_codes(context: Context, *, person_ids: Sequence[UUID], actor: Actor) -> list[IssuedCode]:
    """A code for each who has not used one yet; it replaces the one before. Whoever has is left out.

    Opens its own sessions, a portion of people at a time. Raises NotFound, Forbidden, and Invalid beyond `MOST_CODES`.
    """
    if len(person_ids) > MOST_CODES:
        raise Invalid
    issued: list[IssuedCode] = []
    for start in range(0, len(person_ids), _AT_ONCE):
        with context.database.writing() as session:
            for person_id in person_ids[start : start + _AT_ONCE]:
                issued += _issue(session, context, person_id, actor)
    return issued


def _issue(session: Session, context: Context, person_id: UUID, actor: Actor) -> list[IssuedCode]:
    access_person(session, actor, person_id)
    account = account_to_reset(session, person_id)
    if not rules.may_ask_reset(account, actor):
        raise Forbidden
    if not rules.one_person_will_do(account):
        return []
    code = first_code()
    set_code(session, context.events, person_id, hash_code(context.keyring, code))
    record_power(session, context.keyring, PasswordReset(), actor=actor.person_id, subject=person_id)
    row = account_of(session, person_id)
    name = display_names(session, context.keyring, [person_id])[person_id]
    assert row.code_lapses_at is not None
    return [IssuedCode(person_id, name, row.account, code, row.code_lapses_at)]
