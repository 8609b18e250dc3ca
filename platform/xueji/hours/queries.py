"""The one ledger: every screen, export and bundle gets an enrolment's hours here, from its trace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji import rulebook as rulebook_part
from xueji.hours import rules as hours_rules
from xueji.hours.errors import AccountUnreadable
from xueji.hours.models import HoursAccount
from xueji.hours.rules import MalformedTrace, Statement, assess, bears_on_hours, evidence
from xueji.kernel import clock
from xueji.rulebook import rules as rulebook
from xueji.rulebook.rules import NoSuchRulebook
from xueji.trace import queries as trace

log = structlog.get_logger(__name__)


def statement_of(session: Session, enrolment_id: UUID, as_of: datetime | None = None) -> Statement:
    """One enrolment's hours as of an instant, now unless it is given. Raises AccountUnreadable."""
    found = statements_of(session, [enrolment_id], as_of)[enrolment_id]
    if found is None:
        raise AccountUnreadable
    return found


def statements_of(
    session: Session, enrolment_ids: Iterable[UUID], as_of: datetime | None = None
) -> dict[UUID, Statement | None]:
    """The hours of a page of enrolments; None for an account that cannot be read.

    Two queries, and for each account whose chain has grown since it was kept, the reading of what is new.
    """
    as_of_ms = clock.to_ms(as_of or clock.now())
    ids = list(enrolment_ids)
    lengths = trace.chain_lengths(session, map(str, ids))
    chosen = select(HoursAccount).where(HoursAccount.enrolment_id.in_(ids))
    kept = {account.enrolment_id: account for account in session.scalars(chosen)}
    return {
        enrolment_id: _statement(
            session, enrolment_id, lengths.get(str(enrolment_id), 0), kept.get(enrolment_id), as_of_ms
        )
        for enrolment_id in ids
    }


def _statement(
    session: Session, enrolment_id: UUID, length: int, kept: HoursAccount | None, as_of_ms: int
) -> Statement | None:
    if kept is not None and kept.statement is not None and _still_holds(session, kept, as_of_ms):
        return replace(Statement.from_dict(kept.statement), as_of_ms=as_of_ms, leaves=length)
    try:
        return worked_out(session, enrolment_id, as_of_ms).statement
    except (MalformedTrace, NoSuchRulebook):
        log.exception("account.unreadable", enrolment=str(enrolment_id))
        return None


def _still_holds(session: Session, kept: HoursAccount, as_of_ms: int) -> bool:
    """Whether assessing anew would give the same figures: same rules, and nothing since that bears on hours."""
    if kept.rules != rules_digest() or kept.settled != (as_of_ms >= kept.settles_ms):
        return False
    new = trace.chain(session, str(kept.enrolment_id), start=kept.leaves)
    return not any(bears_on_hours(leaf["event"]) for leaf in new)


@dataclass(frozen=True)
class WorkedOut:
    statement: Statement
    settles_ms: int


def worked_out(session: Session, enrolment_id: UUID, as_of_ms: int) -> WorkedOut:
    """The statement from the whole chain. Raises MalformedTrace, NoSuchRulebook."""
    found = evidence(trace.chain(session, str(enrolment_id)))
    book = rulebook.load(found.enrolment.rulebook)
    return WorkedOut(assess(book, found, as_of_ms), found.enrolment.settles_ms)


@cache
def rules_digest() -> str:
    """SHA-256 over the source of everything that turns leaves into figures: other rules, other accounts."""
    digest = hashlib.sha256()
    for part in (hours_rules, rulebook_part):
        for file in sorted(Path(str(part.__file__)).parent.glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()
