"""The beat path: what many trainees' players report in the same moment becomes one durable transaction.

An ordinary beat costs its share of two reads (sittings with their leases, sign-ins) and four writes (beats, sittings,
leaves, chain heads), whatever the number of beats in the batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import structlog
from sqlalchemy.orm import Session

from xueji.identity.queries import is_herself
from xueji.identity.services import keep_alive
from xueji.kernel import clock
from xueji.kernel.database import after_commit
from xueji.kernel.driver_sql import Cursor
from xueji.kernel.errors import NotFound, Problem, TooMany, Unavailable
from xueji.kernel.events import Announcement, Events
from xueji.occasions.answers import check_message
from xueji.occasions.events import CheckFallsDue, ContactDuringCheck
from xueji.occasions.open_check import OpenCheck, read_open_check, write_open_check
from xueji.progress.errors import BeatClash, LeaseLost, SessionEndedStudying, SittingEnded
from xueji.progress.events import LedgerShown, StudyCredited
from xueji.progress.leaves import BeatConflicted, BeatsRefused, beat_leaf
from xueji.progress.models import SITTING
from xueji.progress.rules import (
    BeatResult,
    PlayedSpan,
    SittingState,
    asks_presence,
    check_asked,
    check_due,
    check_overdue,
    complete,
    credit,
    most_reports,
    overdue_check_asked,
    owe_check,
    person_seen,
    presence_asked,
)
from xueji.progress.served_media import HandedOut
from xueji.progress.terms import state_columns, state_of
from xueji.rulebook.intervals import Interval
from xueji.rulebook.vocabulary import CheckKind, Reason
from xueji.trace.leaf import Entry
from xueji.trace.rules import Event, Recorded
from xueji.trace.services import record_many

log = structlog.get_logger(__name__)

_ONLY_ASKED = frozenset({Event.CHECK_DUE, Event.CHECK_REDELIVER, Event.CHECK_MOVE, Event.CHECK_EXTEND})
"""Of a check, what does not change the worth of any time."""

SEEN_AGAIN = timedelta(minutes=5)
"""How often study keeps a sign-in alive; written seldom because it is another row."""


class _Row(NamedTuple):
    """A sitting as it is read, and the sitting that holds its person's lease."""

    id: UUID
    enrolment_id: UUID
    person_id: UUID
    lesson_id: UUID
    who: str
    opened_ms: int
    terms: str
    valid_until_ms: int | None
    used_until_ms: int
    furthest_ms: int
    resume_ms: int
    make_up: str
    study_ms: int
    since_check_ms: int
    next_check: int
    last_interaction_ms: int
    question_id: UUID | None
    question_by_ms: int | None
    day: int
    day_used_ms: int
    last_seq: int
    reports: int
    open_check: str | None
    ledger: str | None
    ledger_leaves: int
    handed_out: str | None
    ended_ms: int | None
    lease_of: UUID | None


_FIND = (
    f"SELECT {', '.join('sitting.' + column for column in _Row._fields[:-1])}, lease.sitting_id"
    " FROM sitting LEFT JOIN lease ON lease.person_id = sitting.person_id WHERE {} ORDER BY sitting.id"
)
_FIND_LOGINS = "SELECT id, ended_at, ended_reason, expires_at, last_seen_at FROM login_session WHERE {}"
_FIND_BEATS = "SELECT seq, digest, furthest_ms, refused FROM beat WHERE sitting_id = ? AND {}"
_BEAT = ("sitting_id", "seq", "digest", "furthest_ms", "refused")
_UUIDS = [
    _Row._fields.index(name) for name in ("id", "enrolment_id", "person_id", "lesson_id", "question_id", "lease_of")
]


class ReportedBeat(NamedTuple):
    """One beat as it came in."""

    beat: PlayedSpan
    occurred: str
    interacted: bool
    digest: bytes


class BeatReport(NamedTuple):
    """One request: a sitting's beats, and who says so by a signed token; whether that still holds is read here.

    Or, without beats, a part of a film on its way to the page.
    """

    sitting_id: UUID
    person_id: UUID
    login_session_id: UUID
    beats: tuple[ReportedBeat, ...]
    film: str = ""
    """When the server itself has something to report: the film that a part of was asked for in this sitting."""
    part: Interval = (0, 0)


@dataclass(slots=True)
class BeatAnswer:
    """What the page is told. ``furthest_ms`` is also what the lesson has earned so far, over all sittings."""

    furthest_ms: int
    refused: list[tuple[int, int, str]]
    check: OpenCheck | None
    ledger: dict[str, Any] | None
    """the lesson's line of the statement; None when it has to be reckoned anew"""
    question: tuple[UUID | None, int | None]
    """The idle question that stands open, if one does: its id and until when (epoch ms) it may be answered."""
    now_ms: int


def digest_of(beat: PlayedSpan, occurred: str, interacted: bool) -> bytes:
    said = f"{beat.beat}|{beat.seq}|{beat.from_ms}|{beat.to_ms}|{beat.state}|{beat.rate}|{occurred}|{interacted:d}"
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


class _Login(NamedTuple):
    ended: bool
    why: str | None
    expires_at: datetime
    seen_at: datetime


@dataclass(slots=True)
class _Open:
    """A sitting while the batch is worked on; nothing of it is written before every report has been judged."""

    row: _Row
    state: SittingState
    resume_ms: int
    question_id: UUID | None
    last_seq: int
    reports: int
    check: OpenCheck | None
    ledger: str | None
    ledger_leaves: int
    handed_out: HandedOut
    line: dict[str, Any] | None = None
    known: dict[int, tuple[bytes, int, str | None]] = field(default_factory=dict)
    touched: bool = False

    @classmethod
    def of(cls, row: _Row) -> _Open:
        """As it was read."""
        return cls(
            row=row,
            state=state_of(row),
            resume_ms=row.resume_ms,
            question_id=row.question_id,
            last_seq=row.last_seq,
            reports=row.reports,
            check=read_open_check(row.open_check),
            ledger=row.ledger,
            ledger_leaves=row.ledger_leaves,
            handed_out=HandedOut.read(row.handed_out),
        )

    def moved(self, cursor: Cursor, now_ms: int) -> dict[str, Any]:
        """What the row says from now on, by column; its key comes last, as `Cursor.move` wants it."""
        columns = state_columns(self.state)
        columns["last_contact_ms"] = now_ms
        columns["resume_ms"] = self.resume_ms
        columns["question_id"] = cursor.key(self.question_id)
        columns["last_seq"] = self.last_seq
        columns["reports"] = self.reports
        columns["open_check"] = write_open_check(self.check)
        columns["ledger"] = self.ledger
        columns["ledger_leaves"] = self.ledger_leaves
        columns["handed_out"] = self.handed_out.write()
        columns["id"] = cursor.key(self.row.id)
        return columns


@dataclass(slots=True)
class _Batch:
    session: Session
    events: Events
    now_ms: int
    sittings: dict[UUID, _Open]
    logins: dict[UUID | None, _Login]
    entries: list[Entry] = field(default_factory=list)
    beats: list[tuple[UUID, int, bytes, int, str | None]] = field(default_factory=list)


def record_reports(session: Session, reports: Sequence[BeatReport], *, events: Events) -> list[BeatAnswer | Exception]:
    """Judge and write a batch of reports; one answer or refusal for each. The handler of a `GroupCommitter`."""
    plain = Cursor(session)
    batch = _read(session, plain, reports, events)
    answers: list[BeatAnswer | Exception] = []
    for report in reports:
        try:
            answers.append(_judge(batch, report))
        except Problem as problem:
            answers.append(problem)
        except Exception:
            log.exception("beat.failed", sitting=str(report.sitting_id))
            answers.append(Unavailable())
    plain.add("beat", _BEAT, [(plain.key(sitting_id), *said) for sitting_id, *said in batch.beats])
    touched = [sitting for sitting in batch.sittings.values() if sitting.touched]
    _rest_lines(touched, batch.entries, record_many(session, batch.entries))
    if touched:
        moved = [sitting.moved(plain, batch.now_ms) for sitting in touched]
        plain.move("sitting", tuple(moved[0]), [tuple(columns.values()) for columns in moved])
    for report, answer in zip(reports, answers, strict=True):
        if isinstance(answer, BeatAnswer):
            answer.ledger = batch.sittings[report.sitting_id].line
    return answers


def _rest_lines(touched: Iterable[_Open], entries: Sequence[Entry], recorded: Sequence[Recorded]) -> None:
    """Note how many leaves each line rests on now, and forget those to which others have added leaves meanwhile.

    So nothing else that bears on hours has to remember that a page may be open.
    """
    stretches: dict[str, tuple[int, int]] = {}
    for entry, leaf in zip(entries, recorded, strict=True):
        stretches[entry.chain] = (stretches.get(entry.chain, (leaf.n, 0))[0], leaf.n + 1)
    for sitting in touched:
        stretch = stretches.get(str(sitting.row.enrolment_id))
        if sitting.ledger is None or stretch is None:
            continue
        first, length = stretch
        if first != sitting.ledger_leaves:
            sitting.ledger = sitting.line = None
        sitting.ledger_leaves = length


def _read(session: Session, plain: Cursor, reports: Sequence[BeatReport], events: Events) -> _Batch:
    find = _FIND.format(plain.any_of("sitting.id")) + plain.locked("sitting")
    sittings = {}
    for values in plain.rows(find, plain.keys({report.sitting_id for report in reports})):
        row = _row(plain, values)
        sittings[row.id] = _Open.of(row)
    logins = {}
    find = _FIND_LOGINS.format(plain.any_of("id"))
    for key, ended_at, why, expires_at, seen_at in plain.rows(
        find, plain.keys({report.login_session_id for report in reports})
    ):
        logins[plain.uuid(key)] = _Login(ended_at is not None, why, plain.instant(expires_at), plain.instant(seen_at))
    batch = _Batch(session, events, clock.to_ms(clock.now()), sittings, logins)
    for report in reports:
        sitting = sittings.get(report.sitting_id)
        if sitting is not None:
            _recall(plain, sitting, [each.beat.seq for each in report.beats if each.beat.seq <= sitting.last_seq])
    return batch


def _recall(plain: Cursor, sitting: _Open, sequences: list[int]) -> None:
    """What beats under these numbers were answered, if there were any."""
    if sequences:
        find = _FIND_BEATS.format(plain.any_of("seq"))
        for seq, digest, furthest_ms, refused in plain.rows(find, plain.key(sitting.row.id), plain.values(sequences)):
            sitting.known[seq] = (bytes(digest), furthest_ms, refused)


def _row(plain: Cursor, values: Sequence[Any]) -> _Row:
    columns = list(values)
    for place in _UUIDS:
        columns[place] = plain.uuid(columns[place])
    return _Row(*columns)


def _judge(batch: _Batch, report: BeatReport) -> BeatAnswer:
    """One report. Raises the Problem that answers it; the batch then holds at most a leaf that says so."""
    _check_login(batch, report)
    sitting = batch.sittings.get(report.sitting_id)
    if sitting is None:
        raise NotFound
    # Her own file nearly always, and then nothing is asked; else one that was joined to the one she signs in with.
    if sitting.row.person_id != report.person_id and not is_herself(
        batch.session, sitting.row.person_id, report.person_id
    ):
        raise NotFound
    row, now_ms = sitting.row, batch.now_ms
    if not report.beats:
        return _hand_out(batch, sitting, report)
    chain = str(row.enrolment_id)
    if sitting.reports + len(report.beats) > most_reports(row.opened_ms, now_ms):
        raise TooMany
    if row.lease_of != row.id:
        _leave_marks(batch, sitting, [_refusal(report, chain, row.who, Reason.LEASE_LOST)])
        raise LeaseLost
    if row.ended_ms is not None:
        _leave_marks(batch, sitting, [_refusal(report, chain, row.who, Reason.OUTSIDE_DATES)])
        raise SittingEnded
    # A number stands for one beat, in this request and in those before: said again it must be the same.
    said: dict[int, ReportedBeat] = {}
    for each in report.beats:
        said.setdefault(each.beat.seq, each)
    clashes = [
        each
        for each in report.beats
        if sitting.known.get(each.beat.seq, (said[each.beat.seq].digest,))[0] != each.digest
    ]
    if clashes:
        _leave_marks(batch, sitting, [_clash(report, each, chain, row.who) for each in clashes])
        raise BeatClash(sequences=[each.beat.seq for each in clashes])
    fresh = [said[seq] for seq in sorted(said) if seq not in sitting.known]

    entries: list[Entry] = []
    if sitting.check is not None:
        entries += _in_contact(batch, sitting, frozenset(said))
    results = _credit(batch, sitting, fresh, entries) if fresh else []
    _carry_on(batch, sitting, results)
    sitting.touched = True
    batch.entries += entries
    for each, result in zip(fresh, results, strict=True):
        refused = json.dumps(result.refused, separators=(",", ":")) if result.refused else None
        sitting.known[each.beat.seq] = (each.digest, result.furthest_ms, refused)
        batch.beats.append((row.id, each.beat.seq, each.digest, result.furthest_ms, refused))
    return _answer(sitting, report, now_ms)


def _in_contact(batch: _Batch, sitting: _Open, numbers: frozenset[int]) -> list[Entry]:
    """What contact with the page does to the check that stands open, and the leaves that say so.

    ``numbers``: of the beats in the request.
    """
    contact = ContactDuringCheck(
        session=batch.session,
        check=sitting.check,
        numbers=numbers,
        plan=sitting.state.terms.plan,
        who=sitting.row.who,
        now_ms=batch.now_ms,
    )
    batch.events.publish(contact)
    sitting.check = contact.check
    if contact.owed:
        sitting.state = owe_check(sitting.state)
    if changes_worth(contact.entries):
        sitting.ledger = sitting.line = None
    return contact.entries


def _hand_out(batch: _Batch, sitting: _Open, report: BeatReport) -> BeatAnswer:
    """Note that a part of the film is on its way; of another film, or to a page whose sitting is over, nothing."""
    row = sitting.row
    if row.lease_of == row.id and row.ended_ms is None and sitting.state.terms.film == report.film:
        handed_out = sitting.handed_out.and_of(report.part, batch.now_ms)
        sitting.touched = sitting.touched or handed_out is not sitting.handed_out
        sitting.handed_out = handed_out
    return BeatAnswer(sitting.state.furthest_ms, [], sitting.check, None, (None, None), batch.now_ms)


def changes_worth(entries: Iterable[Entry]) -> bool:
    """Whether what was recorded of a check changes what time already passed is worth."""
    return any(entry.event not in _ONLY_ASKED for entry in entries)


def _carry_on(batch: _Batch, sitting: _Open, results: Sequence[BeatResult]) -> None:
    """The lesson's line after these beats, if somebody keeps it."""
    if sitting.ledger is None:
        return
    if results:
        check = sitting.check
        owes_from_ms = check.answer_by_ms if check is not None and check.kind == CheckKind.SCHEDULED else None
        asked = sitting.state.terms.plan.film_handed_out
        credited = StudyCredited(sitting.ledger, results, owes_from_ms, sitting.handed_out.media if asked else None)
        batch.events.publish(credited)
        sitting.ledger, sitting.line = credited.ledger, credited.line
    elif sitting.line is None:
        shown = LedgerShown(sitting.ledger)
        batch.events.publish(shown)
        sitting.line = shown.line


def _leave_marks(batch: _Batch, sitting: _Open, marks: Sequence[Entry]) -> None:
    """Record what is refused. It fills the log as beats do, so it is counted with them."""
    batch.entries.extend(marks)
    sitting.reports += len(marks)
    sitting.touched = True


def _credit(batch: _Batch, sitting: _Open, fresh: list[ReportedBeat], entries: list[Entry]) -> list[BeatResult]:
    row, now_ms, state = sitting.row, batch.now_ms, sitting.state
    chain, who = str(row.enrolment_id), row.who
    was_complete = complete(state)
    beats = [each.beat for each in fresh]
    results, state = credit(state, beats, now_ms, vouched_until_ms=row.valid_until_ms)
    if any(each.interacted for each in fresh):
        # After crediting, so that what an overdue question cost is refused by its own name.
        state = person_seen(state, now_ms)
        sitting.question_id = None
    sitting_id, lesson_id = str(row.id), str(row.lesson_id)
    # What was handed out before they came stands in the leaf of the first, and bears on it and on those after it.
    handed_out = None
    if sitting.handed_out.new:
        handed_out, sitting.handed_out = sitting.handed_out.values, sitting.handed_out.told()
    for each, result in zip(fresh, results, strict=True):
        leaf = beat_leaf(sitting_id, lesson_id, each.beat, result, handed_out)
        entries.append(Entry(leaf, chain, who, now_ms, each.occurred))
        handed_out = None
    if state.question_by_ms is None and asks_presence(state, now_ms):
        state = presence_asked(state, now_ms)
        sitting.question_id = uuid4()
    sitting.state = state
    if row.valid_until_ms is None:
        _ask_check(batch, sitting, results, fresh[-1].beat.seq, entries, was_complete=was_complete)
    sitting.last_seq = max(sitting.last_seq, fresh[-1].beat.seq)
    sitting.reports += len(fresh)
    sitting.resume_ms = min(fresh[-1].beat.to_ms, state.furthest_ms)
    return results


def _ask_check(
    batch: _Batch, sitting: _Open, results: list[BeatResult], seq: int, entries: list[Entry], *, was_complete: bool
) -> None:
    """Ask for the check that the study just credited makes due. ``seq``: the last number of the request."""
    state, offer = sitting.state, sitting.check
    index = check_due(state)
    if index is not None:
        state = check_asked(state, index)
    elif check_overdue(state) and any(result.server is not None for result in results):
        state = overdue_check_asked(state)
    elif offer is None and not was_complete and complete(state) and state.since_check_ms:
        _fall_due(batch, sitting, CheckKind.CLOSING, seq, entries)
        return
    else:
        return
    sitting.state = state
    # A scheduled check that is still open answers for this moment too; an offer never stands in for one.
    if offer is None or offer.kind != CheckKind.SCHEDULED:
        _fall_due(batch, sitting, CheckKind.SCHEDULED, seq, entries)


def _fall_due(batch: _Batch, sitting: _Open, kind: CheckKind, seq: int, entries: list[Entry]) -> None:
    row = sitting.row
    due = CheckFallsDue(
        session=batch.session,
        occasion_kind=SITTING,
        occasion_id=row.id,
        enrolment_id=row.enrolment_id,
        person_id=row.person_id,
        who=row.who,
        kind=kind,
        plan=sitting.state.terms.plan,
        now_ms=batch.now_ms,
        delivered_seq=seq,
        instead_of=sitting.check,
    )
    batch.events.publish(due)
    sitting.check = due.check
    entries += due.entries
    if due.check is not None:
        announcement = Announcement(f"sitting:{row.id}", "check.due", check_message(due.check))
        after_commit(batch.session, lambda: batch.events.publish(announcement))


def _check_login(batch: _Batch, report: BeatReport) -> None:
    login = batch.logins.get(report.login_session_id)
    now = clock.from_ms(batch.now_ms)
    if login is None:
        raise SessionEndedStudying
    if login.ended:
        raise SessionEndedStudying(reason=login.why)
    if login.expires_at <= now:
        raise SessionEndedStudying(reason="expired")
    if now - login.seen_at >= SEEN_AGAIN:
        keep_alive(batch.session, report.login_session_id, now)


def _refusal(report: BeatReport, chain: str, who: str, reason: Reason) -> Entry:
    first = report.beats[0]
    leaf = BeatsRefused(
        sitting=str(report.sitting_id),
        seq=first.beat.seq,
        beat=first.beat.beat,
        beats=len(report.beats),
        reason=reason.value,
    )
    return Entry(leaf, chain, who)


def _clash(report: BeatReport, each: ReportedBeat, chain: str, who: str) -> Entry:
    leaf = BeatConflicted(
        sitting=str(report.sitting_id), seq=each.beat.seq, beat=each.beat.beat, digest=each.digest.hex()
    )
    return Entry(leaf, chain, who)


def _answer(sitting: _Open, report: BeatReport, now_ms: int) -> BeatAnswer:
    said = [sitting.known[seq] for seq in dict.fromkeys(each.beat.seq for each in report.beats)]
    return BeatAnswer(
        furthest_ms=max(furthest_ms for _, furthest_ms, _ in said),
        refused=[tuple(piece) for _, _, refused in said if refused for piece in json.loads(refused)],
        check=sitting.check,
        ledger=sitting.line,
        question=(sitting.question_id, sitting.state.question_by_ms),
        now_ms=now_ms,
    )
