"""Who took part in a class session, from when to when: entered from the roster, and taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.attendance.access import access_own_attendance, access_own_class_session
from xueji.attendance.errors import AttendanceReasonNeeded, AttendanceRefused, AttendanceRevoked
from xueji.attendance.events import StudyAsked
from xueji.attendance.leaves import AbsenceEntered, AttendanceTakenBack, Attended, InRoomFields
from xueji.attendance.models import Attendance, ClassSession
from xueji.attendance.rules import (
    ATTENDANCE_MOVES,
    AttendanceState,
    ClassSessionTimes,
    NotAttended,
    Stay,
    attendance_refusal,
)
from xueji.cohorts.errors import CohortNotOpen, ReasonNeeded
from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment.errors import NotForOneself
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.identity.queries import files_of, files_of_each
from xueji.identity.services.acting import Acting, record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import NotFound
from xueji.rulebook.attendance import entry_doubts
from xueji.rulebook.intervals import union
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Doubt, HerWord
from xueji.trace import services as trace
from xueji.trace.leaf import Entry, OfStaff

METHOD = "roster"
"""How attendance was established: entered by the institution's staff from the roster."""
MOST_LETTERS = 500

Times = tuple[datetime, datetime]
"""From when to when somebody was there."""


def record_attendance(
    session: Session,
    context: Context,
    *,
    actor: Actor,
    session_id: UUID,
    attended: Mapping[UUID, Times],
    absent: Collection[UUID] = (),
    reason: str = "",
) -> list[Attendance]:
    """Enter from when to when each enrolment (by id) was there, and who was absent: all of the roster or none of it.

    What comes late, or belongs to a session that was not planned before it began, needs a reason and waits for a second
    person. Whoever was studying online meanwhile, or in a room of another cohort, waits for the regulator: nothing of
    hers counts here, and what was recorded there stays as it is.

    Raises NotFound (the session, or somebody of another cohort), CohortNotOpen, NotForOneself, AttendanceReasonNeeded,
    AttendanceRefused.
    """
    class_session, cohort = access_own_class_session(session, actor, session_id, lock=True)
    if cohort.state is CohortState.DRAFT:
        raise CohortNotOpen
    roster = _locked_roster(session, class_session.cohort_id, [*attended, *absent])
    own = set(files_of(session, actor.person_id))
    if any(roster[enrolment_id].person_id in own for enrolment_id in attended):
        raise NotForOneself
    now = clock.now()
    doubts = _doubts(cohort, class_session, now) if attended else ()
    if doubts and not reason.strip():
        raise AttendanceReasonNeeded(doubts)
    stays = _stays(session, [enrolment.person_id for enrolment in roster.values()])
    _refuse(session, class_session, cohort, roster, stays, attended, absent, now)
    spans = {roster[enrolment_id].person_id: times for enrolment_id, times in attended.items()}
    elsewhere = _elsewhere(session, context, cohort, spans, stays)
    written = reason.strip()[:MOST_LETTERS] if doubts else None
    entered = [
        _attended(class_session, each, times, doubts, elsewhere.get(roster[each].person_id, []), written)
        for each, times in attended.items()
    ]
    nothing = (class_session.began_at, class_session.began_at)
    entered += [_attended(class_session, each, nothing, (), [], None, absent=True) for each in absent]
    for each in entered:
        each.recorded_at, each.recorded_by = now, actor.person_id
    session.add_all(entered)
    session.flush()
    acting = Acting.of(session, context.keyring, actor)
    entries = [_entry(session, acting, class_session, each, roster[each.enrolment_id].person_id) for each in entered]
    trace.record_many(session, entries)
    return entered


def _attended(
    class_session: ClassSession,
    enrolment_id: UUID,
    times: Times,
    doubts: Sequence[Doubt],
    overlaps: list[dict[str, Any]],
    reason: str | None,
    *,
    absent: bool = False,
) -> Attendance:
    return Attendance(
        session_id=class_session.id,
        enrolment_id=enrolment_id,
        from_at=times[0],
        to_at=times[1],
        absent=absent,
        recorded_reason=reason,
        waits=[doubt.value for doubt in (*doubts, *([Doubt.OVERLAP] if overlaps else []))],
        overlaps=overlaps,
        word=HerWord.SILENT,
        denied=False,
    )


def revoke_attendance(
    session: Session, keyring: Keyring, *, actor: Actor, attendance_id: UUID, reason: str
) -> Attendance:
    """Take an attendance back; it may be entered anew. Raises NotFound, AttendanceRevoked, ReasonNeeded."""
    attendance, class_session = access_own_attendance(session, actor, attendance_id)
    if AttendanceState.REVOKED not in ATTENDANCE_MOVES[attendance.state]:
        raise AttendanceRevoked
    if not reason.strip():
        raise ReasonNeeded
    attendance.revoked_at, attendance.revoked_by = clock.now(), actor.person_id
    attendance.revoked_reason = reason.strip()[:MOST_LETTERS]
    session.flush()
    person_id = session.get_one(Enrolment, attendance.enrolment_id).person_id
    chain, words = str(attendance.enrolment_id), attendance.revoked_reason
    commitment = trace.commit(session, words, chain=chain, field="reason", person=str(person_id))
    taken_back = AttendanceTakenBack(session=str(class_session.id), reason=commitment)
    record_in_enrolment(
        session, keyring, taken_back, actor=actor, enrolment_id=attendance.enrolment_id, person_id=person_id
    )
    return attendance


def doubts_now(cohort: Cohort, class_session: ClassSession) -> tuple[Doubt, ...]:
    """What makes a second person necessary for an attendance entered now."""
    return _doubts(cohort, class_session, clock.now())


def _doubts(cohort: Cohort, class_session: ClassSession, now: datetime) -> tuple[Doubt, ...]:
    return entry_doubts(
        ProctoringPlan.from_dict(cohort.plan),
        planned_ms=None if class_session.planned_at is None else clock.to_ms(class_session.planned_at),
        began_ms=clock.to_ms(class_session.began_at),
        ended_ms=clock.to_ms(class_session.ended_at),
        entered_ms=clock.to_ms(now),
    )


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A stay of somebody in a room, by an attendance that was entered."""

    stay: Stay
    enrolment_id: UUID
    cohort_id: UUID


def _refuse(
    session: Session,
    class_session: ClassSession,
    cohort: Cohort,
    roster: Mapping[UUID, Enrolment],
    stays: Mapping[UUID, Sequence[_Elsewhere]],
    attended: Mapping[UUID, Times],
    absent: Collection[UUID],
    now: datetime,
) -> None:
    """Raises AttendanceRefused with everybody who cannot be entered, and why."""
    times = ClassSessionTimes(class_session.id, class_session.began_at, class_session.ended_at, cohort.settles_at)
    revoked = _revoked(session, class_session.id) if cohort.state is CohortState.CLOSED else None
    refused: list[tuple[UUID, NotAttended]] = []
    for enrolment_id, enrolment in roster.items():
        if enrolment_id not in attended and enrolment_id not in absent:
            continue
        own_stays = [each.stay for each in stays.get(enrolment.person_id, ()) if each.cohort_id == cohort.id]
        if revoked is not None and enrolment_id not in revoked:
            refused.append((enrolment_id, NotAttended.CLOSED))
        elif enrolment_id in absent:
            if enrolment_id in attended or _is_entered(session, class_session.id, enrolment_id):
                refused.append((enrolment_id, NotAttended.ALREADY_ENTERED))
            elif now < class_session.ended_at:
                refused.append((enrolment_id, NotAttended.NOT_OVER_YET))
        else:
            why = attendance_refusal(
                times,
                Stay(class_session.id, *attended[enrolment_id]),
                own_stays,
                active=enrolment.state is EnrolmentState.ACTIVE,
                enrolled=enrolment.enrolled_at,
                now=now,
            )
            if why is None and _is_entered(session, class_session.id, enrolment_id):
                why = NotAttended.ALREADY_ENTERED
            if why is not None:
                refused.append((enrolment_id, why))
    if refused:
        raise AttendanceRefused(refused)


def _revoked(session: Session, session_id: UUID) -> set[UUID]:
    """Whose attendance of a session was taken back: after the cohort's closing only that may be entered anew."""
    return set(
        session.scalars(
            select(Attendance.enrolment_id).where(
                Attendance.session_id == session_id, Attendance.revoked_at.is_not(None)
            )
        )
    )


def _is_entered(session: Session, session_id: UUID, enrolment_id: UUID) -> bool:
    found = select(Attendance.id).where(
        Attendance.session_id == session_id, Attendance.enrolment_id == enrolment_id, Attendance.revoked_at.is_(None)
    )
    return session.scalar(found) is not None


def _elsewhere(
    session: Session,
    context: Context,
    cohort: Cohort,
    attended: Mapping[UUID, Times],
    stays: Mapping[UUID, Iterable[_Elsewhere]],
) -> dict[UUID, list[dict[str, Any]]]:
    """By person, what she did meanwhile in whichever enrolment: online, or in a room of another cohort."""
    spans = {person: (clock.to_ms(times[0]), clock.to_ms(times[1])) for person, times in attended.items()}
    asked = StudyAsked(session, spans)
    context.events.publish(asked)
    found: dict[UUID, list[dict[str, Any]]] = {}
    for person, studied in asked.found.items():
        for piece in studied:
            entry = {"from_ms": piece.from_ms, "to_ms": piece.to_ms, "enrolment": str(piece.enrolment_id)}
            found.setdefault(person, []).append({**entry, "session": None})
    for person, (first, last) in spans.items():
        for each in stays.get(person, ()):
            from_ms = max(first, clock.to_ms(each.stay.began))
            to_ms = min(last, clock.to_ms(each.stay.ended))
            if each.cohort_id != cohort.id and from_ms < to_ms:
                entry = {"from_ms": from_ms, "to_ms": to_ms, "enrolment": str(each.enrolment_id)}
                found.setdefault(person, []).append({**entry, "session": str(each.stay.session_id)})
    return found


def _entry(
    session: Session, acting: Acting, class_session: ClassSession, entered: Attendance, person_id: UUID
) -> Entry:
    enrolment_id = entered.enrolment_id

    def committed(field: str, value: str) -> str:
        return trace.commit(session, value, chain=str(enrolment_id), field=field, person=str(person_id))

    common = InRoomFields(
        session=str(class_session.id),
        part=class_session.part.value,
        began=clock.to_ms(class_session.began_at),
        ended=clock.to_ms(class_session.ended_at),
        method=METHOD,
        session_title=committed("session_title", class_session.title),
        place=committed("place", class_session.place),
        teacher=committed("teacher", class_session.teacher),
    )
    leaf: OfStaff
    if entered.absent:
        leaf = AbsenceEntered(**common)
    else:
        planned = class_session.planned_at
        # The times alone: where she was is not the institution's to know.
        overlap = [list(span) for span in union((each["from_ms"], each["to_ms"]) for each in entered.overlaps or ())]
        leaf = Attended(
            **common,
            from_=clock.to_ms(entered.from_at),
            to=clock.to_ms(entered.to_at),
            planned=None if planned is None else clock.to_ms(planned),
            plan=None if planned is None else class_session.plan_leaf,
            reason=committed("reason", entered.recorded_reason) if entered.recorded_reason else None,
            overlap=overlap or None,
        )
    return acting.in_enrolment(session, leaf, enrolment_id=enrolment_id, person_id=person_id)


def _locked_roster(session: Session, cohort_id: UUID, enrolment_ids: Sequence[UUID]) -> dict[UUID, Enrolment]:
    """Those of the cohort that are meant, by id. Every enrolment of their persons is locked, in one order for
    everybody, so that nobody enters the same person elsewhere meanwhile. Raises NotFound."""
    asked = select(Enrolment.person_id).where(Enrolment.id.in_(enrolment_ids), Enrolment.cohort_id == cohort_id)
    persons = {file for files in files_of_each(session, session.scalars(asked)).values() for file in files}
    locked = session.scalars(
        select(Enrolment).where(Enrolment.person_id.in_(persons)).order_by(Enrolment.id).with_for_update()
    )
    roster = {enrolment.id: enrolment for enrolment in locked if enrolment.cohort_id == cohort_id}
    if any(enrolment_id not in roster for enrolment_id in enrolment_ids):
        raise NotFound
    return roster


def _stays(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, list[_Elsewhere]]:
    """Where each person was by the attendances that were entered and not taken back, in any cohort of any file."""
    files = files_of_each(session, person_ids)
    found = session.execute(
        select(
            Enrolment.person_id,
            Enrolment.id,
            ClassSession.cohort_id,
            ClassSession.id,
            Attendance.from_at,
            Attendance.to_at,
        )
        .join(Attendance, Attendance.enrolment_id == Enrolment.id)
        .join(ClassSession, ClassSession.id == Attendance.session_id)
        .where(
            Enrolment.person_id.in_({file for each in files.values() for file in each}),
            Attendance.revoked_at.is_(None),
            Attendance.absent.is_(False),
        )
    )
    stays: dict[UUID, list[_Elsewhere]] = {}
    for person_id, enrolment_id, cohort_id, session_id, first, last in found:
        stays.setdefault(person_id, []).append(_Elsewhere(Stay(session_id, first, last), enrolment_id, cohort_id))
    return {each: [stay for file in files[each] for stay in stays.get(file, ())] for each in files}
