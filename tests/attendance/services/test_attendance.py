"""Attendance in person: planned, entered whole, never twice, never in two rooms, taken back only with a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from support.school import Member, School, new_member, new_organisation, new_school

from xueji.attendance.errors import (
    AttendanceReasonNeeded,
    AttendanceRefused,
    AttendanceRevoked,
    ClassSessionRecorded,
    ClassSessionRefused,
    DenialOver,
    ForTheRegulator,
    NothingToSettle,
    NotOwnEntry,
)
from xueji.attendance.models import Attendance, ClassSession
from xueji.attendance.rules import AttendanceState, NotAttended
from xueji.attendance.services import entering as attendance
from xueji.attendance.services import planning as sessions
from xueji.attendance.services import settling
from xueji.attendance.services.planning import ClassSessionPlan
from xueji.cohorts.errors import CohortNotOpen, ReasonNeeded
from xueji.cohorts.models import Cohort
from xueji.cohorts.services import closing
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services import trainees
from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement, evidence
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.clock import FixedClock
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Doubt, HerWord, Part, ReviewOutcome
from xueji.trace import queries as trace

LAST_DAY = date(2026, 11, 30)


@pytest.fixture(autouse=True)
def time() -> Iterator[FixedClock]:
    """From noon on, so that no session of a test reaches over midnight."""
    with clock.fixed(datetime(2026, 11, 21, 4, tzinfo=UTC)) as time:
        yield time


@pytest.fixture
def school(context: Any) -> School:
    return new_school(context)


@pytest.fixture
def colleague(school: School) -> Actor:
    """Another one of the institution's staff."""
    return new_member(school.context, school.organisation, Role.INSTITUTION, "吴老师").actor


@pytest.fixture
def regulator(school: School) -> Actor:
    office = new_organisation(school.context, OrganisationKind.AUTHORITY, "620100")
    return new_member(school.context, office, Role.REGULATOR, "孙科长").actor


@pytest.fixture
def cohort(school: School) -> Cohort:
    return school.cohort(ends_on=LAST_DAY)


def plan(school: School, cohort: Cohort, begins_in: int = 1, minutes: int = 90, **changes: Any) -> ClassSession:
    """A session that begins so many minutes from now."""
    began = clock.now() + timedelta(minutes=begins_in)
    values: dict[str, Any] = {
        "title": "心肺复苏",
        "place": "一号教室",
        "teacher": "刘老师",
        "part": Part.PRACTICAL,
        "began_at": began,
        "ended_at": began + timedelta(minutes=minutes),
    }
    with school.context.database.writing() as session:
        return sessions.plan_class_session(
            session,
            school.context.keyring,
            actor=school.staff,
            cohort_id=cohort.id,
            plan=ClassSessionPlan(**{**values, **changes}),
        )


def hold(school: School, time: FixedClock, cohort: Cohort, minutes: int = 90, **changes: Any) -> ClassSession:
    """Planned now; and now it is over."""
    lesson = plan(school, cohort, minutes=minutes, **changes)
    time.advance(lesson.ended_at - clock.now())
    return lesson


def enter(
    school: School,
    lesson: ClassSession,
    *enrolments: Enrolment,
    minutes: tuple[int, int] | None = None,
    absent: Collection[UUID] = (),
    reason: str = "",
) -> list[Attendance]:
    """All of it, or from one minute of the session to another."""
    first, last = minutes if minutes is not None else (0, (lesson.ended_at - lesson.began_at) // timedelta(minutes=1))
    times = (lesson.began_at + timedelta(minutes=first), lesson.began_at + timedelta(minutes=last))
    with school.context.database.writing() as session:
        return attendance.record_attendance(
            session,
            school.context,
            actor=school.staff,
            session_id=lesson.id,
            attended={enrolment.id: times for enrolment in enrolments},
            absent=absent,
            reason=reason,
        )


def revoke(school: School, entered: Attendance, reason: str = "登记错误") -> None:
    with school.context.database.writing() as session:
        attendance.revoke_attendance(
            session, school.context.keyring, actor=school.staff, attendance_id=entered.id, reason=reason
        )


def settle(
    school: School,
    actor: Actor,
    entered: Attendance,
    outcome: ReviewOutcome = ReviewOutcome.ACCEPT,
    reason: str = "核对了签到表",
) -> Attendance:
    with school.context.database.writing() as session:
        return settling.settle_attendance(
            session,
            school.context.keyring,
            actor=actor,
            attendance_id=entered.id,
            outcome=outcome,
            reason=reason,
        )


def says(school: School, who: Member, entered: Attendance, word: HerWord) -> Attendance:
    do = settling.confirm_attendance if word is HerWord.CONFIRMED else settling.deny_attendance
    with school.context.database.writing() as session:
        return do(session, school.context.keyring, actor=who.actor, attendance_id=entered.id)


def leaves(school: School, chain: object) -> list[dict[str, Any]]:
    with school.context.database.reading() as session:
        return list(trace.chain(session, str(chain)))


def statement(school: School, enrolment: Enrolment) -> Statement:
    with school.context.database.reading() as session:
        return statement_of(session, enrolment.id)


def practical(school: School, enrolment: Enrolment) -> int:
    """What counts, in minutes."""
    return statement(school, enrolment).in_person.practical_ms // 60_000


def flags(school: School, enrolment: Enrolment) -> list[str]:
    return [flag.code for flag in statement(school, enrolment).flags]


def enrolled_too(school: School, cohort: Cohort, member: Member) -> Enrolment:
    with school.context.database.writing() as session:
        return trainees.enrol(session, school.context.keyring, cohort=cohort, person=member.person, actor=school.staff)


# ---- a session is planned


def test_a_session_is_planned_in_the_chain_of_its_cohort(school: School, cohort: Cohort) -> None:
    lesson = plan(school, cohort)
    (leaf,) = leaves(school, f"cohort/{cohort.id}")
    assert leaf["event"] == "session.plan"
    assert (leaf["values"]["begins"], leaf["values"]["ends"]) == (
        clock.to_ms(lesson.began_at),
        clock.to_ms(lesson.ended_at),
    )
    assert lesson.planned_at == clock.now() and lesson.plan_leaf is not None
    assert "刘老师" not in str(leaf) and "一号教室" not in str(leaf)


def test_sessions_lie_within_an_open_cohort(school: School, cohort: Cohort, time: FixedClock) -> None:
    for minutes in (-60 * 24 * 1000, -1):
        with pytest.raises(ClassSessionRefused):
            plan(school, cohort, begins_in=minutes)
    with pytest.raises(ClassSessionRefused):
        plan(school, cohort, minutes=0)
    with pytest.raises(CohortNotOpen):
        plan(school, school.draft())


def test_a_session_may_last_until_midnight_of_the_last_day(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    midnight = datetime(2026, 12, 1, tzinfo=clock.SHANGHAI)
    time.advance(midnight - timedelta(hours=3) - clock.now())
    lesson = plan(school, cohort, began_at=midnight - timedelta(hours=2), ended_at=midnight)
    with pytest.raises(ClassSessionRefused):
        plan(school, cohort, began_at=midnight - timedelta(hours=2), ended_at=midnight + timedelta(minutes=1))
    time.advance(midnight - clock.now())
    enter(school, lesson, enrolment)
    assert practical(school, enrolment) == 120


def test_a_session_that_was_held_stays_and_one_that_was_not_may_go(
    school: School, cohort: Cohort, time: FixedClock
) -> None:
    _member, enrolment = school.trainee(cohort)
    held, planned = hold(school, time, cohort), plan(school, cohort, begins_in=600)
    enter(school, held, enrolment)
    with school.context.database.writing() as session:
        sessions.cancel_class_session(session, school.context.keyring, actor=school.staff, session_id=planned.id)
        with pytest.raises(ClassSessionRecorded):
            sessions.cancel_class_session(session, school.context.keyring, actor=school.staff, session_id=held.id)
    assert leaves(school, f"cohort/{cohort.id}")[-1]["values"]["session"] == str(planned.id)


# ---- and entered


def test_a_whole_roster_is_entered_and_stands_in_each_chain(school: School, cohort: Cohort, time: FixedClock) -> None:
    enrolments = [school.trainee(cohort)[1] for _n in range(3)]
    lesson = hold(school, time, cohort)
    enter(school, lesson, *enrolments, minutes=(10, 70))
    began = clock.to_ms(lesson.began_at)
    for enrolment in enrolments:
        found = leaves(school, enrolment.id)
        assert [leaf["event"] for leaf in found] == ["enrolment.open", "attendance"]
        assert lesson.planned_at is not None
        said = {
            "session": str(lesson.id),
            "part": "practical",
            "began": began,
            "ended": clock.to_ms(lesson.ended_at),
            "from": began + 600_000,
            "to": began + 4_200_000,
            "planned": clock.to_ms(lesson.planned_at),
            "plan": lesson.plan_leaf,
            "method": "roster",
        }
        assert found[1]["values"].items() >= said.items()
        assert found[1]["who"] == school.context.keyring.pseudonym(school.staff.person_id, enrolment.id)
        (counted,) = evidence(found).attendance
        assert counted.occupied == (began + 600_000, began + 4_200_000)
        assert practical(school, enrolment) == 60


def test_one_bad_row_and_nobody_is_entered(school: School, cohort: Cohort, time: FixedClock) -> None:
    good, bad = school.trainee(cohort)[1], school.trainee(cohort)[1]
    lesson = hold(school, time, cohort)
    enter(school, lesson, bad)
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, lesson, good, bad)
    assert refused.value.refused == {bad.id: NotAttended.ALREADY_ENTERED}
    assert len(leaves(school, good.id)) == 1


def test_nobody_attends_before_she_is_enrolled(school: School, cohort: Cohort, time: FixedClock) -> None:
    lesson = plan(school, cohort)
    time.advance(timedelta(minutes=31))
    _member, enrolment = school.trainee(cohort)
    time.advance(timedelta(hours=2))
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, lesson, enrolment)
    assert refused.value.refused == {enrolment.id: NotAttended.BEFORE_ENROLMENT}
    enter(school, lesson, enrolment, minutes=(30, 90))
    assert practical(school, enrolment) == 60


def test_absence_is_entered_too_and_counts_nothing(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, time, cohort)
    (entered,) = enter(school, lesson, absent=[enrolment.id])
    assert entered.state is AttendanceState.ABSENT
    assert leaves(school, enrolment.id)[-1]["event"] == "attendance.absent"
    assert practical(school, enrolment) == 0
    with pytest.raises(AttendanceRefused):
        enter(school, lesson, enrolment)
    revoke(school, entered)
    enter(school, lesson, enrolment)
    assert practical(school, enrolment) == 90


def test_not_before_it_has_ended(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = plan(school, cohort)
    time.advance(timedelta(minutes=90))
    for absent in ([], [enrolment.id]):
        with pytest.raises(AttendanceRefused):
            enter(school, lesson, *([] if absent else [enrolment]), absent=absent)


def test_entered_at_the_same_moment_it_counts_once(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, time, cohort)

    def try_to(_n: int) -> bool:
        try:
            enter(school, lesson, enrolment)
        except AttendanceRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_to, range(4))) == [False, False, False, True]
    assert len(leaves(school, enrolment.id)) == 2


# ---- late, or not planned: by two


def test_entered_late_it_waits_for_a_second_person(
    school: School, cohort: Cohort, time: FixedClock, colleague: Actor
) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, time, cohort)
    time.advance(datetime(2026, 11, 25, tzinfo=clock.SHANGHAI) - clock.now() - timedelta(milliseconds=1))
    with school.context.database.reading() as session:
        assert attendance.doubts_now(session.get_one(Cohort, cohort.id), lesson) == ()
    time.advance(timedelta(milliseconds=1))
    with pytest.raises(AttendanceReasonNeeded):
        enter(school, lesson, enrolment)
    (entered,) = enter(school, lesson, enrolment, reason="机房停电")
    assert entered.state is AttendanceState.WAITING
    assert (practical(school, enrolment), flags(school, enrolment)) == (0, [])
    with pytest.raises(NotOwnEntry):
        settle(school, school.staff, entered)
    with pytest.raises(ReasonNeeded):
        settle(school, colleague, entered, reason=" ")
    assert settle(school, colleague, entered).state is AttendanceState.ENTERED
    (line,) = statement(school, enrolment).attendance
    assert (line.counted_ms, line.doubts, line.settled) == (90 * 60_000, (Doubt.LATE_ENTRY,), True)
    with pytest.raises(NothingToSettle):
        settle(school, colleague, entered)
    assert "停电" not in str(leaves(school, enrolment.id))


def test_a_session_entered_after_it_began_waits_for_a_second_person(
    school: School, cohort: Cohort, time: FixedClock, colleague: Actor
) -> None:
    _member, enrolment = school.trainee(cohort)
    time.advance(timedelta(hours=3))
    lesson = plan(school, cohort, begins_in=-120)
    with pytest.raises(AttendanceReasonNeeded):
        enter(school, lesson, enrolment)
    (entered,) = enter(school, lesson, enrolment, reason="临时加课")
    assert practical(school, enrolment) == 0
    assert settle(school, colleague, entered, ReviewOutcome.REJECT).state is AttendanceState.REVOKED
    assert practical(school, enrolment) == 0
    (entered,) = enter(school, lesson, enrolment, reason="临时加课")
    settle(school, colleague, entered)
    assert practical(school, enrolment) == 90


def test_nothing_is_entered_once_the_cohort_is_settled(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, time, cohort)
    time.advance(datetime(2026, 12, 8, tzinfo=clock.SHANGHAI) - clock.now())
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, lesson, enrolment, reason="补登")
    assert refused.value.refused == {enrolment.id: NotAttended.AFTER_SETTLEMENT}


# ---- taken back


def test_it_is_taken_back_with_a_reason_and_entered_anew(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    lesson = hold(school, time, cohort)
    (entered,) = enter(school, lesson, enrolment)
    with pytest.raises(ReasonNeeded):
        revoke(school, entered, " ")
    revoke(school, entered)
    with pytest.raises(AttendanceRevoked):
        revoke(school, entered)
    assert practical(school, enrolment) == 0
    enter(school, lesson, enrolment, minutes=(0, 45))
    assert practical(school, enrolment) == 45
    assert "登记错误" not in str(leaves(school, enrolment.id))


def test_after_the_closing_what_was_taken_back_may_be_entered_anew(
    school: School, cohort: Cohort, time: FixedClock
) -> None:
    mended, forgotten = school.trainee(cohort)[1], school.trainee(cohort)[1]
    lesson = hold(school, time, cohort)
    (entered,) = enter(school, lesson, mended)
    with school.context.database.writing() as session:
        closing.close_cohort(session, school.context.events, actor=school.staff, cohort_id=cohort.id)
    revoke(school, entered)
    enter(school, lesson, mended, minutes=(0, 30))
    assert practical(school, mended) == 30
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, lesson, forgotten)
    assert refused.value.refused == {forgotten.id: NotAttended.CLOSED}


# ---- her own word


def test_she_confirms_and_silence_changes_nothing(school: School, cohort: Cohort, time: FixedClock) -> None:
    member, enrolment = school.trainee(cohort)
    (entered,) = enter(school, hold(school, time, cohort), enrolment)
    (line,) = statement(school, enrolment).attendance
    assert (line.word, practical(school, enrolment)) == (HerWord.SILENT, 90)
    says(school, member, entered, HerWord.CONFIRMED)
    says(school, member, entered, HerWord.CONFIRMED)
    (line,) = statement(school, enrolment).attendance
    assert (line.word, practical(school, enrolment)) == (HerWord.CONFIRMED, 90)
    assert [leaf["event"] for leaf in leaves(school, enrolment.id)][-1:] == ["attendance.confirm"]
    other, _enrolment = school.trainee(cohort)
    with pytest.raises(NotFound):
        says(school, other, entered, HerWord.DENIED)


def test_what_she_denies_is_held_until_somebody_else_settles_it(
    school: School, cohort: Cohort, time: FixedClock, colleague: Actor
) -> None:
    member, enrolment = school.trainee(cohort)
    (entered,) = enter(school, hold(school, time, cohort), enrolment)
    says(school, member, entered, HerWord.DENIED)
    assert (practical(school, enrolment), flags(school, enrolment)) == (0, ["attendance_denied"])
    with pytest.raises(NotOwnEntry):
        settle(school, school.staff, entered)
    settle(school, colleague, entered)
    assert (practical(school, enrolment), flags(school, enrolment)) == (90, [])
    (line,) = statement(school, enrolment).attendance
    assert line.doubts == (Doubt.DENIED,) and line.word == HerWord.DENIED


def test_she_may_take_her_denial_back(school: School, cohort: Cohort, time: FixedClock) -> None:
    member, enrolment = school.trainee(cohort)
    (entered,) = enter(school, hold(school, time, cohort), enrolment)
    says(school, member, entered, HerWord.DENIED)
    says(school, member, entered, HerWord.CONFIRMED)
    assert (practical(school, enrolment), flags(school, enrolment)) == (90, [])


def test_she_denies_within_the_days_of_the_plan(school: School, cohort: Cohort, time: FixedClock) -> None:
    member, enrolment = school.trainee(cohort)
    (entered,) = enter(school, hold(school, time, cohort), enrolment)
    time.advance(timedelta(days=7))
    with pytest.raises(DenialOver):
        says(school, member, entered, HerWord.DENIED)


def test_a_signature_on_paper_is_stated_and_outweighs_no_denial(
    school: School, cohort: Cohort, time: FixedClock
) -> None:
    def sign() -> None:
        with school.context.database.writing() as session:
            settling.sign_attendance(session, school.context.keyring, actor=school.staff, attendance_id=entered.id)

    member, enrolment = school.trainee(cohort)
    (entered,) = enter(school, hold(school, time, cohort), enrolment)
    sign()
    assert statement(school, enrolment).attendance[0].word == HerWord.SIGNED
    says(school, member, entered, HerWord.DENIED)
    with pytest.raises(NothingToSettle):
        sign()
    assert practical(school, enrolment) == 0


# ---- in one place at a time


def test_in_two_rooms_of_one_cohort_the_second_is_refused(school: School, cohort: Cohort, time: FixedClock) -> None:
    _member, enrolment = school.trainee(cohort)
    first = plan(school, cohort, begins_in=1, minutes=60)
    second = plan(school, cohort, begins_in=30, minutes=60)
    time.advance(timedelta(hours=2))
    enter(school, first, enrolment)
    with pytest.raises(AttendanceRefused) as refused:
        enter(school, second, enrolment)
    assert refused.value.refused == {enrolment.id: NotAttended.OVERLAPS}
    enter(school, second, enrolment, minutes=(31, 60))


def test_in_rooms_of_two_cohorts_the_later_entry_waits_and_the_earlier_stands(
    school: School, cohort: Cohort, time: FixedClock, colleague: Actor, regulator: Actor
) -> None:
    member, enrolment = school.trainee(cohort)
    other = school.cohort()
    elsewhere = enrolled_too(school, other, member)
    first = plan(school, cohort, begins_in=1, minutes=60)
    second = plan(school, other, begins_in=31, minutes=60)
    time.advance(timedelta(hours=2))
    enter(school, first, enrolment)
    (entered,) = enter(school, second, elsewhere)
    assert entered.state is AttendanceState.WAITING
    assert entered.waits == [Doubt.OVERLAP]
    overlap = [[clock.to_ms(second.began_at), clock.to_ms(first.ended_at)]]
    assert leaves(school, elsewhere.id)[-1]["values"]["overlap"] == overlap
    assert str(first.id) not in str(leaves(school, elsewhere.id))
    assert (practical(school, enrolment), flags(school, enrolment)) == (60, [])
    assert (practical(school, elsewhere), flags(school, elsewhere)) == (0, [])
    with pytest.raises(ForTheRegulator):
        settle(school, colleague, entered)
    settle(school, regulator, entered)
    assert practical(school, elsewhere) == 60
    assert practical(school, enrolment) == 60


def test_one_room_after_the_other_is_no_overlap(school: School, cohort: Cohort, time: FixedClock) -> None:
    member, enrolment = school.trainee(cohort)
    other = school.cohort()
    elsewhere = enrolled_too(school, other, member)
    first = plan(school, cohort, begins_in=1, minutes=60)
    second = plan(school, other, begins_in=61, minutes=60)
    time.advance(timedelta(hours=3))
    enter(school, first, enrolment)
    (entered,) = enter(school, second, elsewhere)
    assert entered.state is AttendanceState.ENTERED


# ---- whose it is


def test_strangers_and_trainees_of_other_cohorts_are_not_found(
    school: School, cohort: Cohort, time: FixedClock
) -> None:
    stranger = new_school(school.context)
    _member, enrolment = school.trainee(cohort)
    _other, elsewhere = school.trainee(school.cohort())
    lesson = hold(school, time, cohort)
    (entered,) = enter(school, lesson, enrolment)
    with pytest.raises(NotFound):
        enter(school, lesson, elsewhere)
    with pytest.raises(NotFound):
        enter(school, lesson, absent=[uuid4()])
    with pytest.raises(NotFound):
        enter(stranger, lesson, enrolment)
    with pytest.raises(NotFound):
        revoke(stranger, entered)
    with pytest.raises(NotFound):
        settle(stranger, stranger.staff, entered)
    with pytest.raises(NotFound):
        plan(stranger, cohort)
    with stranger.context.database.writing() as session, pytest.raises(NotFound):
        sessions.cancel_class_session(session, stranger.context.keyring, actor=stranger.staff, session_id=lesson.id)
