"""The way out of a flag: a person looks into an impossible sum and says why it need not hold the account back.

A regulator may; of the institution, which profits, it takes two people. Nothing counts because of it, it can be taken
back, and the account itself (`hours.rules`) knows no other way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.errors import ReasonNeeded
from xueji.enrolment.access import access_enrolment
from xueji.enrolment.errors import NotForOneself
from xueji.enrolment.models import Enrolment
from xueji.hours.errors import NoSuchFlag, SecondClearanceNeeded
from xueji.hours.leaves import ClearingProposed, FlagCleared, FlagRestored, OfFlag
from xueji.hours.models import FlagClearance
from xueji.hours.queries import statement_of
from xueji.hours.rules import Flag
from xueji.identity.queries import is_herself
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Clearer
from xueji.trace import services as trace
from xueji.trace.leaf import OfStaff

LONGEST_REASON = 500


def clear_flag(
    session: Session, keyring: Keyring, *, actor: Actor, enrolment_id: UUID, code: str, reason: str
) -> FlagClearance:
    """Clear a flag, or, as the first of two people of the institution, propose it.

    Raises NotFound, NotForOneself, ReasonNeeded, NoSuchFlag, SecondPersonNeeded (she proposed it herself).
    """
    enrolment, by = _to_decide(session, actor, enrolment_id)
    words = _reason(reason)
    flag = next((flag for flag in statement_of(session, enrolment_id).flags if flag.code == code), None)
    if flag is None:
        raise NoSuchFlag
    proposed = _open(session, enrolment_id, flag)
    now = clock.now()
    leaf: type[OfFlag]
    if by is Clearer.REGULATOR or (proposed is not None and proposed.proposed_by != actor.person_id):
        row = proposed or FlagClearance(
            enrolment_id=enrolment_id, code=code, ids=list(flag.ids), ms=flag.ms, proposed_at=now, reason=words
        )
        row.decided_by, row.decided_at, row.by, row.decision = actor.person_id, now, by.value, words
        leaf, proposer = FlagCleared, row.proposed_by
    elif proposed is not None:
        raise SecondClearanceNeeded
    else:
        row = FlagClearance(
            enrolment_id=enrolment_id,
            code=code,
            ids=list(flag.ids),
            ms=flag.ms,
            proposed_by=actor.person_id,
            proposed_at=now,
            reason=words,
        )
        leaf, proposer = ClearingProposed, actor.person_id
    session.add(row)
    session.flush()
    said = leaf(
        code=flag.code,
        ids=list(flag.ids),
        ms=flag.ms,
        by=by.value,
        proposed_by="" if proposer is None else keyring.pseudonym(proposer, enrolment.id),
        reason=_committed(session, enrolment, words),
    )
    _record(session, keyring, actor, enrolment, said)
    return row


def restore_flag(
    session: Session, keyring: Keyring, *, actor: Actor, enrolment_id: UUID, code: str, reason: str
) -> None:
    """Take a clearance back: the flag stands again. Raises NotFound, NotForOneself, ReasonNeeded, NoSuchFlag."""
    enrolment, _by = _to_decide(session, actor, enrolment_id)
    words = _reason(reason)
    if all(cleared.code != code for cleared in statement_of(session, enrolment_id).cleared):
        raise NoSuchFlag
    standing = select(FlagClearance).where(
        FlagClearance.enrolment_id == enrolment_id,
        FlagClearance.code == code,
        FlagClearance.decided_at.is_not(None),
        FlagClearance.restored_at.is_(None),
    )
    for row in session.scalars(standing):
        row.restored_by, row.restored_at = actor.person_id, clock.now()
    restored = FlagRestored(code=code, reason=_committed(session, enrolment, words))
    _record(session, keyring, actor, enrolment, restored)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A clearance that waits for a second person of the institution, or for the regulator."""

    code: str
    reason: str
    own: bool
    """whether the reader proposed it herself, so that it is another's to confirm"""


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a reader may do about the flags of an account."""

    enrolment_id: UUID
    regulator: bool
    proposed: dict[str, Proposed]


def clearing_for(session: Session, actor: Actor, enrolment: Enrolment, flags: Iterable[Flag]) -> Clearing | None:
    """For somebody who already sees the enrolment; None when its flags are not hers to clear."""
    if is_herself(session, enrolment.person_id, actor.person_id) or not (
        actor.is_(Role.REGULATOR) or actor.is_(Role.INSTITUTION)
    ):
        return None
    proposed: dict[str, Proposed] = {}
    for flag in flags:
        row = _open(session, enrolment.id, flag)
        if row is not None:
            proposed[flag.code] = Proposed(flag.code, row.reason, row.proposed_by == actor.person_id)
    return Clearing(enrolment.id, actor.is_(Role.REGULATOR), proposed)


def _to_decide(session: Session, actor: Actor, enrolment_id: UUID) -> tuple[Enrolment, Clearer]:
    """Raises NotFound, NotForOneself."""
    enrolment = access_enrolment(session, actor, enrolment_id)
    if is_herself(session, enrolment.person_id, actor.person_id):
        raise NotForOneself
    if actor.is_(Role.REGULATOR):
        by = Clearer.REGULATOR
    elif actor.is_(Role.INSTITUTION):
        by = Clearer.INSTITUTION
    else:
        raise NotFound
    # One decision at a time, so that two people who press at once are first and second.
    session.get_one(Enrolment, enrolment_id, with_for_update=True, populate_existing=True)
    return enrolment, by


def _reason(reason: str) -> str:
    """Raises ReasonNeeded."""
    words = reason.strip()[:LONGEST_REASON]
    if not words:
        raise ReasonNeeded
    return words


def _open(session: Session, enrolment_id: UUID, flag: Flag) -> FlagClearance | None:
    """What was proposed of this very sum and is not decided."""
    waiting = select(FlagClearance).where(
        FlagClearance.enrolment_id == enrolment_id,
        FlagClearance.code == flag.code,
        FlagClearance.ms == flag.ms,
        FlagClearance.decided_at.is_(None),
    )
    return next((row for row in session.scalars(waiting) if tuple(row.ids) == flag.ids), None)


def _committed(session: Session, enrolment: Enrolment, words: str) -> str:
    return trace.commit(session, words, chain=enrolment.chain, field="reason", person=str(enrolment.person_id))


def _record(session: Session, keyring: Keyring, actor: Actor, enrolment: Enrolment, leaf: OfStaff) -> None:
    record_in_enrolment(session, keyring, leaf, actor=actor, enrolment_id=enrolment.id, person_id=enrolment.person_id)
