"""The one ledger: every screen, export and bundle gets an enrolment's hours here, from its trace."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji import rulebook as rulebook_part
from xueji.enrolment.chain_binding import misplaced
from xueji.hours import rules as hours_rules
from xueji.hours.errors import AccountOfAnother, AccountUnreadable
from xueji.hours.models import HoursAccount
from xueji.hours.rules import (
    Ahead,
    Evidence,
    MalformedTrace,
    Media,
    Statement,
    Status,
    ahead,
    assess_media,
    bears_on_hours,
    evidence,
)
from xueji.kernel import clock
from xueji.kernel.prefetch import Prefetched
from xueji.rulebook import rules as rulebook
from xueji.rulebook.rules import NoSuchRulebook
from xueji.rulebook.vocabulary import Method
from xueji.trace import queries as trace

log = structlog.get_logger(__name__)


def statement_of(session: Session, enrolment_id: UUID, as_of: datetime | None = None) -> Statement:
    """One enrolment's hours as of an instant, now unless it is given. Raises AccountUnreadable, AccountOfAnother."""
    found = statements_of(session, [enrolment_id], as_of)[enrolment_id]
    if found is None:
        raise AccountOfAnother if misplaced(session, [enrolment_id]) else AccountUnreadable
    return found


def statements_of(
    session: Session, enrolment_ids: Iterable[UUID], as_of: datetime | None = None
) -> dict[UUID, Statement | None]:
    """The hours of a page of enrolments; None for an account that cannot be read.

    A few queries, and for each account whose chain has grown since it was kept, the reading of what is new.
    """
    as_of_ms = clock.to_ms(as_of or clock.now())
    ids = list(enrolment_ids)
    lengths = trace.chain_lengths(session, map(str, ids))
    chosen = select(HoursAccount).where(HoursAccount.enrolment_id.in_(ids))
    kept = {account.enrolment_id: account for account in session.scalars(chosen)}
    others = misplaced(session, ids)
    for enrolment_id in others:
        log.error("account.of_another", enrolment=str(enrolment_id))
    return {
        enrolment_id: None
        if enrolment_id in others
        else _statement(session, enrolment_id, lengths.get(str(enrolment_id), 0), kept.get(enrolment_id), as_of_ms)
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


_kept: Prefetched[UUID, tuple[HoursAccount | None]] = Prefetched("kept accounts")


def accounts_ahead(session: Session, enrolment_ids: Collection[UUID]) -> None:
    """Read at once what is kept of these accounts, each of which `account_of` will be asked for."""
    if enrolment_ids:
        chosen = select(HoursAccount).where(HoursAccount.enrolment_id.in_(enrolment_ids))
        found = {account.enrolment_id: account for account in session.scalars(chosen)}
        _kept.keep(session, {enrolment_id: (found.get(enrolment_id),) for enrolment_id in enrolment_ids})


def account_of(session: Session, enrolment_id: UUID, as_of_ms: int, *, studied: bool = True) -> tuple[Statement, Worth]:
    """Her statement, and what study is worth from now on; from what is kept where that still holds.

    Who has not ``studied`` has a short chain, which is read sooner than what is kept. Raises AccountUnreadable.
    """
    kept = None
    if studied:
        (kept,) = _kept.take(session, enrolment_id) or (session.get(HoursAccount, enrolment_id),)
    if kept is not None and kept.statement is not None and kept.worth and _still_holds(session, kept, as_of_ms):
        length = trace.chain_length(session, str(enrolment_id))
        statement = replace(Statement.from_dict(kept.statement), as_of_ms=as_of_ms, leaves=length)
        return statement, Worth.from_dict(kept.worth)
    try:
        found = worked_out(session, enrolment_id, as_of_ms)
    except (MalformedTrace, NoSuchRulebook) as error:
        log.exception("account.unreadable", enrolment=str(enrolment_id))
        raise AccountUnreadable from error
    return found.statement, found.worth


def _still_holds(session: Session, kept: HoursAccount, as_of_ms: int) -> bool:
    """Whether assessing anew would give the same figures: same rules, and nothing since that bears on hours."""
    if kept.rules != rules_digest() or kept.settled != (as_of_ms >= kept.settles_ms):
        return False
    new = trace.chain(session, str(kept.enrolment_id), start=kept.leaves)
    return not any(bears_on_hours(leaf["event"]) for leaf in new)


@dataclass(frozen=True)
class Worth:
    """What a line needs besides the statement to be carried on while she studies."""

    face: Ahead
    """of study in a sitting with face checks, after everything the statement rests on"""
    supervised: Ahead
    """of study in a sitting that staff vouch for"""
    media: Mapping[str, Media]
    """by lesson: the stretches that the statement's sums are made of"""

    def ahead(self, method: str) -> Ahead:
        return self.face if method == Method.FACE else self.supervised

    def to_dict(self) -> dict[str, Any]:
        return {
            "face": self.face.spans,
            "unseen_after_ms": self.face.unseen_after_ms,
            "supervised": self.supervised.spans,
            "media": self.media,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        face, supervised = (
            [(start, end, Status(status)) for start, end, status in values[method]] for method in ("face", "supervised")
        )
        media = {
            lesson: tuple([(first, last) for first, last in pieces] for pieces in found)
            for lesson, found in values["media"].items()
        }
        return cls(Ahead(face, values["unseen_after_ms"]), Ahead(supervised, None), media)


@dataclass(frozen=True)
class WorkedOut:
    statement: Statement
    settles_ms: int
    evidence: Evidence
    media: Mapping[str, Media]

    @property
    def worth(self) -> Worth:
        found, now_ms = self.evidence, self.statement.as_of_ms
        face, supervised = (ahead(found, method, now_ms) for method in (Method.FACE, Method.SUPERVISED))
        return Worth(face, supervised, self.media)


def worked_out(session: Session, enrolment_id: UUID, as_of_ms: int) -> WorkedOut:
    """The statement from the whole chain. Raises MalformedTrace, NoSuchRulebook."""
    found = evidence(trace.chain(session, str(enrolment_id)))
    book = rulebook.load(found.enrolment.rulebook)
    statement, media = assess_media(book, found, as_of_ms)
    return WorkedOut(statement, found.enrolment.settles_ms, found, media)


@cache
def rules_digest() -> str:
    """SHA-256 over the source of everything that turns leaves into figures: other rules, other accounts."""
    digest = hashlib.sha256()
    for part in (hours_rules, rulebook_part):
        for file in sorted(Path(str(part.__file__)).parent.glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()
