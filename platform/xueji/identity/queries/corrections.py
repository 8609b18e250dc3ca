"""Names and numbers that are to be put right: what waits, who may decide it, and what was put right before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from xueji.identity import rules, vault
from xueji.identity.access import in_jurisdiction
from xueji.identity.models import Person, PersonCorrection
from xueji.identity.queries.resets import account_to_reset, since
from xueji.identity.rules import CORRECTION_LASTS
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring

MOST_SHOWN = 200


class Slip(NamedTuple):
    """What a file says, and what it is to say."""

    old_name: str
    old_number: str
    name: str
    number: str
    reason: str


def slip_of(key: bytes, correction: PersonCorrection) -> Slip:
    """What is to be put right, opened with her key."""

    def opened(part: str, sealed: bytes) -> str:
        field = vault.correction_field(correction.id, part)
        return vault.unseal(key, correction.person_id, field, sealed).decode()

    return Slip(
        opened("old_name", correction.old_name_cipher),
        opened("old_number", correction.old_number_cipher),
        opened("name", correction.name_cipher),
        opened("number", correction.number_cipher),
        opened("reason", correction.reason_cipher),
    )


def may_decide_correction(session: Session, correction: PersonCorrection, actor: Actor) -> bool:
    account = account_to_reset(session, correction.person_id)
    return rules.may_decide_correction(
        account, correction.asked_by, actor, since(session, actor), clock.now(), slip=correction.slip
    )


@dataclass(frozen=True)
class Correction:
    correction_id: UUID
    person_id: UUID
    slip: Slip
    small: bool
    asked_at: datetime
    lapses_at: datetime
    asker_masked: str
    decided_at: datetime | None
    decider_masked: str
    confirmed: bool | None
    may_decide: bool
    may_refuse: bool

    @property
    def waits(self) -> bool:
        return self.decided_at is None and clock.now() < self.lapses_at


def corrections(session: Session, keyring: Keyring, actor: Actor, *, of: UUID | None = None) -> list[Correction]:
    """Those somebody may decide, asked for, or is concerned by, the newest first; also what was decided of hers."""
    asker, decider = aliased(Person), aliased(Person)
    chosen = (
        select(PersonCorrection, Person, asker.name_masked, decider.name_masked)
        .join(Person, Person.id == PersonCorrection.person_id)
        .join(asker, asker.id == PersonCorrection.asked_by)
        .outerjoin(decider, decider.id == PersonCorrection.decided_by)
        .order_by(PersonCorrection.asked_at.desc(), PersonCorrection.id)
        .limit(MOST_SHOWN)
    )
    if of is not None:
        chosen = chosen.where(PersonCorrection.person_id == of)
    found = []
    for correction, person, asked_by, decided_by in session.execute(chosen):
        concerned = actor.person_id in (correction.asked_by, correction.person_id)
        decides = may_decide_correction(session, correction, actor)
        if person.wrapped_key is None or not (concerned or decides or _oversees(session, correction, actor)):
            continue
        key = vault.opened_key(keyring, person.id, person.wrapped_key)
        waits = correction.decided_at is None and clock.now() < correction.asked_at + CORRECTION_LASTS
        found.append(
            Correction(
                correction.id,
                person.id,
                slip_of(key, correction),
                correction.slip,
                correction.asked_at,
                correction.asked_at + CORRECTION_LASTS,
                asked_by,
                correction.decided_at,
                decided_by or "",
                correction.confirmed,
                waits and decides,
                waits and (concerned or decides),
            )
        )
    return found


def _oversees(session: Session, correction: PersonCorrection, actor: Actor) -> bool:
    account = account_to_reset(session, correction.person_id)
    over = actor.is_(Role.REGULATOR) and any(in_jurisdiction(actor.region or "", each) for each in account.regions)
    return over or actor.is_(Role.ADMINISTRATOR)
