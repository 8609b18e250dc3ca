"""Which media a sitting may earn again; and the keeping of statements for lists."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from xueji.attendance.events import StudiedOnline, StudyAsked
from xueji.enrolment.events import EarlierTraining
from xueji.enrolment.models import Enrolment
from xueji.hours.check_effect import check_effect
from xueji.hours.errors import AccountUnreadable
from xueji.hours.figures import Kept, glance_of
from xueji.hours.models import HoursAccount, HoursReading, PersonAccount
from xueji.hours.queries import account_of, accounts_ahead, rules_digest, statements_of, worked_out
from xueji.hours.rules import MalformedTrace, ahead, evidence, person_flags
from xueji.hours.running_line import OtherFormat, RunningLine, carried_on
from xueji.identity.queries import same_person, standing_files
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.database import Database
from xueji.kernel.events import Events
from xueji.proctoring.events import CheckDecided
from xueji.progress.access import access_sitting
from xueji.progress.events import LedgerShown, LineWanted, OpeningsCome, SittingOpens, StudyCredited
from xueji.progress.models import Sitting
from xueji.progress.queries import enrolments_studied
from xueji.progress.services import renew_make_up
from xueji.rulebook.intervals import intersect, union
from xueji.rulebook.rules import NoSuchRulebook
from xueji.trace import queries as trace

log = structlog.get_logger(__name__)

QUIET_MS = 120_000
"""An account is worked out once its chain has rested this long: not with every beat of a sitting."""
MOST_LEAVES_READ = 20_000
MOST_WORKED_OUT = 100


def openings_come(come: OpeningsCome) -> None:
    """Who has not studied has a short chain, and all of it is read; of the others, what is kept."""
    trace.read_ahead(come.session, map(str, come.beginners))
    accounts_ahead(come.session, come.others)


def sitting_opens_make_up(opens: SittingOpens) -> None:
    """Say what may be made up, before the sitting's checks are drawn for it. Raises AccountUnreadable."""
    statement, worth = account_of(opens.session, opens.facts.enrolment_id, opens.now_ms, studied=opens.studied)
    lesson = str(opens.lesson.lesson_id)
    for line in statement.lessons:
        if line.lesson == lesson:
            opens.make_up, opens.waiting_ms = list(line.make_up), line.provisional_ms
            opens.account = statement, worth


def line_wanted(wanted: LineWanted) -> None:
    """The lesson's line to begin with, once it is said how she will be known."""
    opens = wanted.opens
    if opens.account is not None:
        statement, worth = opens.account
        lesson = str(opens.lesson.lesson_id)
        opens.ledger = carried_on(statement, lesson, worth.media, worth.ahead(opens.method)).write()


def study_credited(credited: StudyCredited) -> None:
    """Add to the line what its beats have earned."""
    if credited.ledger is None:
        return
    try:
        running = RunningLine.read(credited.ledger)
    except OtherFormat:
        credited.ledger = None
        return
    running.add(credited.results, credited.handed_out)
    if credited.owes_from_ms is not None:
        running.owe(credited.owes_from_ms)
    credited.ledger, credited.line = running.write(), running.as_values()


def ledger_shown(shown: LedgerShown) -> None:
    with suppress(OtherFormat):
        shown.line = RunningLine.read(shown.ledger).as_values()


def reckon(
    database: Database, events: Events, *, actor: Actor, sitting_id: UUID, check_id: UUID | None = None
) -> dict[str, Any]:
    """The sitting's lesson as the statement has it now, and the line that its beats add to from here on.

    What is to be made up by now earns in this sitting from here on. With ``check_id`` also what that check did. The
    chain is read outside any write transaction; when it has grown meanwhile, once more within one. Raises NotFound,
    AccountUnreadable.
    """
    did = None
    with database.reading() as session:
        sitting = access_sitting(session, actor, sitting_id)
        length, text, line = _reckoned(session, sitting)
        if check_id is not None:
            did = _did(session, sitting.enrolment_id, check_id)
    with database.writing() as session:
        sitting = access_sitting(session, actor, sitting_id, lock=True)
        if trace.chain_length(session, str(sitting.enrolment_id)) != length:
            length, text, line = _reckoned(session, sitting)
        length += renew_make_up(session, events, sitting, line["make_up"])
        sitting.ledger, sitting.ledger_leaves = text, length
    return {**line, "check": did}


def check_decided(database: Database, decided: CheckDecided) -> None:
    """Add what the check did to her hours to what her page is told."""
    with database.reading() as session:
        decided.did = _did(session, decided.enrolment_id, decided.check_id)


def _did(session: Session, enrolment_id: UUID, check_id: UUID) -> dict[str, Any] | None:
    try:
        did = check_effect(trace.chain(session, str(enrolment_id)), str(check_id), clock.to_ms(clock.now()))
    except (MalformedTrace, NoSuchRulebook) as error:
        raise AccountUnreadable from error
    return None if did is None else did.as_values()


def _reckoned(session: Session, sitting: Sitting) -> tuple[int, str, dict[str, Any]]:
    """On how many leaves it rests, the line to carry on, and the line itself."""
    try:
        found = worked_out(session, sitting.enrolment_id, clock.to_ms(clock.now()))
    except (MalformedTrace, NoSuchRulebook) as error:
        log.exception("account.unreadable", enrolment=str(sitting.enrolment_id))
        raise AccountUnreadable from error
    lesson = str(sitting.lesson_id)
    try:
        running = carried_on(
            found.statement,
            lesson,
            found.media,
            ahead(found.evidence, sitting.method, sitting.used_until_ms),
        )
    except KeyError as error:
        raise AccountUnreadable from error
    return found.statement.leaves, running.write(), running.as_values()


def study_asked(asked: StudyAsked) -> None:
    """Say what each person studied online meanwhile, in whichever enrolment, from what was credited in its chain.

    Raises AccountUnreadable: what cannot be read is no proof that she was not studying.
    """
    for person_id, (from_ms, to_ms) in asked.stays.items():
        for enrolment_id in sorted(enrolments_studied(asked.session, person_id, from_ms, to_ms)):
            try:
                found = evidence(trace.chain(asked.session, str(enrolment_id)))
            except MalformedTrace as error:
                raise AccountUnreadable from error
            studied = union((each.server_ms, each.server_ms + each.to_ms - each.from_ms) for each in found.segments)
            for first, last in intersect(studied, [(from_ms, to_ms)]):
                asked.found.setdefault(person_id, []).append(StudiedOnline(first, last, enrolment_id))


def earlier_training(asked: EarlierTraining) -> None:
    """Say whether any of the accounts is complete; one that cannot be read is not."""
    found = statements_of(asked.session, asked.enrolment_ids).values()
    asked.complete = any(statement is not None and statement.complete for statement in found)


def notice_growth(session: Session) -> int:
    """Read the log on from where it was left, and set a time for every account whose chain has grown; how many."""
    reading = session.get(HoursReading, 1, with_for_update=True)
    if reading is None:
        reading = HoursReading(id=1, position=-1)
        session.add(reading)
    reading.position, chains = trace.chains_after(session, reading.position, MOST_LEAVES_READ)
    grown = sorted(filter(None, map(_enrolment, chains)))
    due_ms = clock.to_ms(clock.now()) + QUIET_MS
    chosen = select(HoursAccount).where(HoursAccount.enrolment_id.in_(grown))
    kept = {account.enrolment_id: account for account in session.scalars(chosen)}
    for enrolment_id in grown:
        if enrolment_id in kept:
            kept[enrolment_id].due_ms = due_ms
        else:
            session.add(HoursAccount(enrolment_id=enrolment_id, due_ms=due_ms))
    return len(grown)


def _enrolment(chain: str) -> UUID | None:
    """Whose chain it is; None for the platform's and the log's own."""
    try:
        return UUID(chain)
    except ValueError:
        return None


def accounts_due(session: Session) -> list[UUID]:
    """The accounts to be worked out now, the longest waiting first; also those that older rules worked out."""
    digest = rules_digest()
    due = or_(HoursAccount.due_ms <= clock.to_ms(clock.now()), HoursAccount.rules < digest, HoursAccount.rules > digest)
    return list(
        session.scalars(
            select(HoursAccount.enrolment_id).where(due).order_by(HoursAccount.due_ms).limit(MOST_WORKED_OUT)
        )
    )


def keep_account(database: Database, enrolment_id: UUID) -> None:
    """Work an account out and keep it for lists; only the keeping holds a write transaction.

    One that cannot be read is kept without figures, and the log says why.
    """
    with database.reading() as session:
        before = session.get_one(HoursAccount, enrolment_id)
        try:
            found = worked_out(session, enrolment_id, clock.to_ms(clock.now()))
        except (MalformedTrace, NoSuchRulebook):
            log.exception("account.unreadable", enrolment=str(enrolment_id))
            found = None
    with database.writing() as session:
        account = session.get_one(HoursAccount, enrolment_id, with_for_update=True)
        account.rules = rules_digest()
        unchanged = account.due_ms == before.due_ms
        if found is None:
            account.statement, account.worth, account.leaves, account.flags = None, None, 0, 0
            _set(account, None)
            account.due_ms = None if unchanged else account.due_ms
            return
        statement = found.statement
        account.statement, account.leaves = statement.to_dict(), statement.leaves
        account.worth = found.worth.to_dict()
        _set(account, glance_of(statement))
        account.settles_ms, account.settled = found.settles_ms, statement.settled
        account.flags = len(statement.flags)
        if unchanged:
            # Else the chain has grown meanwhile, and the account stays due.
            account.due_ms = None if statement.settled else found.settles_ms


def _set(account: HoursAccount, kept: Kept | None) -> None:
    for name in Kept.__annotations__:
        setattr(account, name, None if kept is None else kept[name])  # type: ignore[literal-required]


def keep_people(database: Database, enrolment_ids: Iterable[UUID]) -> None:
    """Look at the persons of these enrolments over all their enrolments, and keep what cannot be."""
    with database.reading() as session:
        of = select(Enrolment.person_id).where(Enrolment.id.in_(list(enrolment_ids)))
        stands = standing_files(session, session.scalars(of))
        found = {person_id: _flags_of(session, person_id) for person_id in sorted(set(stands.values()))}
        # A file that was joined has nothing of its own: what is kept of the person is kept under the one that stands.
        found |= {person_id: [] for person_id in stands if person_id not in found}
    with database.writing() as session:
        for person_id, flags in found.items():
            kept = session.get(PersonAccount, person_id, with_for_update=True)
            if kept is None and flags:
                session.add(PersonAccount(person_id=person_id, count=len(flags), flags=flags))
            elif kept is not None:
                kept.count, kept.flags = len(flags), flags


def _flags_of(session: Session, person_id: UUID) -> list[dict[str, Any]]:
    chains = session.scalars(
        select(Enrolment.id).where(same_person(Enrolment.person_id, person_id)).order_by(Enrolment.id)
    ).all()
    if len(chains) < 2:
        return []
    accounts = {}
    for enrolment_id in chains:
        try:
            accounts[str(enrolment_id)] = evidence(trace.chain(session, str(enrolment_id)))
        except MalformedTrace:
            log.exception("account.unreadable", enrolment=str(enrolment_id))
    return [{"code": flag.code, "ids": list(flag.ids), "ms": flag.ms} for flag in person_flags(accounts)]
