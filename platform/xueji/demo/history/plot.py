"""Who does what in the demonstration's six weeks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from xueji.attendance.services.settling import settle_attendance
from xueji.cohorts.services.closing import close_cohort
from xueji.demo import course, training
from xueji.demo.accounts import Placed
from xueji.demo.cast import SCHOOL, STATION, TRAINING_CENTRE, House
from xueji.demo.history.classes import MINUTE, Class, Programme
from xueji.demo.history.people import Crowd
from xueji.demo.history.stage import Stage, Student
from xueji.desks import rooms
from xueji.identity.models import Person
from xueji.identity.rules import ConsentKind, ProofRoute
from xueji.identity.services import withdraw_consent
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.oversight.rules import FindingKind
from xueji.oversight.services import answer_finding, close_finding, draw_trainees, raise_finding
from xueji.proctoring import services as proctoring
from xueji.rulebook.vocabulary import Category, Outcome, ReviewOutcome, Training

LONG = 5 * 60
"""Seconds of a film that is studied in these weeks."""
COURSES = (
    (TRAINING_CENTRE, "安全管理再培训课程", (("作业风险与个体防护", LONG), ("典型事故警示", LONG))),
    (SCHOOL, "安全管理再培训课程", (("隐患排查与风险管控", LONG),)),
    (STATION, "再培训课程", (("高处作业与防坠落", LONG),)),
)


def _yearly(title: str, house: House, industry: str, *, opened: int, lasts: int, **more: Any) -> Programme:
    """Twelve class hours a year for those who manage safety where little is dangerous (order 3 art. 9)."""
    category = more.pop("category", Category.SAFETY_MANAGER)
    return Programme(
        title=title,
        house=house,
        category=category,
        training=Training.REFRESHER,
        industry=industry,
        hours=12,
        practical=2,
        opened=opened,
        begins=opened + 1,
        lasts=lasts,
        **more,
    )


FINISHED = _yearly(
    "主要负责人再培训第一期", TRAINING_CENTRE, "manufacturing", opened=0, lasts=14, category=Category.PRINCIPAL
)
UNFINISHED = _yearly("安全管理人员再培训（物业）", SCHOOL, "crowded_places", opened=4, lasts=18)
OUT_OF_STEP = _yearly("安全管理人员再培训（运输）", SCHOOL, "transport", opened=12, lasts=50, place="二号教室")
RUNNING = _yearly("安全管理人员再培训（制造）", TRAINING_CENTRE, "manufacturing", opened=16, lasts=40)
IN_THE_ROOM = _yearly(
    "主要负责人再培训第二期（现场签到）",
    TRAINING_CENTRE,
    "manufacturing",
    opened=24,
    lasts=30,
    category=Category.PRINCIPAL,
    route=ProofRoute.SUPERVISED,
)
ELSEWHERE = _yearly("安全管理人员再培训（外地）", STATION, "manufacturing", opened=28, lasts=30)
NEXT = _yearly("安全管理人员再培训（下一期）", TRAINING_CENTRE, "manufacturing", opened=40, lasts=30)
VISITORS = Programme(
    title=training.TITLE,
    house=TRAINING_CENTRE,
    category=Category.SPECIAL_OPERATOR,
    training=Training.INITIAL,
    industry="hazardous_chemical_production",
    hours=148,
    practical=60,
    opened=36,
    begins=36,
    lasts=60,
)
"""The cohort that the accounts named on the sign-in page are in, as `demo.training` opens it."""

_FAILS: tuple[tuple[Outcome, ...], ...] = (
    (Outcome.MISMATCH,) * 3,
    (Outcome.NO_FACE,) * 3,
    (Outcome.SEVERAL_FACES,) * 3,
    (Outcome.UNCLEAR,) * 3,
    (Outcome.REFUSED,),
    (Outcome.NO_CAMERA,),
    (Outcome.MISSED,),
    (Outcome.SERVICE_DOWN,),
)
"""The ways a check ends that are no match; three, because a check may be tried again twice."""


@dataclass
class _Plot:
    stage: Stage
    crowd: Crowd
    people: Mapping[str, Placed]
    first_day: date
    staff: dict[str, Actor]
    """By institution."""
    colleague: Actor
    """The second member of staff of the training centre."""
    lessons: dict[str, list[UUID]]
    classes: dict[str, Class] = field(default_factory=dict)
    """By title."""

    def new(self, programme: Programme) -> Class:
        name = programme.house.name
        held = Class(self.stage, self.crowd, self.staff[name], programme, self.lessons[name], self.first_day)
        self.classes[programme.title] = held
        return held


def arrange(stage: Stage, people: Mapping[str, Placed], first_day: date) -> None:
    """Put everything on the stage's list."""
    crowd = Crowd(stage.context)
    staff = {
        TRAINING_CENTRE.name: people["institution"].actor,
        SCHOOL.name: crowd.staff(SCHOOL),
        STATION.name: crowd.staff(STATION),
    }
    lessons = {
        house.name: course.make_course(stage.context, actor=staff[house.name], title=title, lessons=list(taught))
        for house, title, taught in COURSES
    }
    told = _Plot(stage, crowd, people, first_day, staff, crowd.staff(TRAINING_CENTRE), lessons)
    for programme, size, then in (
        (FINISHED, 15, _finished),
        (UNFINISHED, 15, _unfinished),
        (OUT_OF_STEP, 20, _out_of_step),
        (RUNNING, 22, _running),
        (IN_THE_ROOM, 14, _in_the_room),
        (ELSEWHERE, 12, _elsewhere),
    ):
        _open_later(told, programme, size, then)
    drafted = told.new(NEXT)
    stage.at(drafted.day(NEXT.opened - NEXT.begins), lambda: void(drafted.draft()))
    _open_the_visitors_cohort(told)
    _oversee(told)


def void(_result: object) -> None:
    """An act answers nothing."""


def _open_later(told: _Plot, programme: Programme, size: int, then: Callable[[_Plot, Class], None]) -> None:
    held = told.new(programme)

    def opens() -> None:
        held.open(size)
        then(told, held)

    told.stage.at(held.day(programme.opened - programme.begins), opens)


def _studies(
    held: Class,
    student: Student,
    day: int,
    hour: int,
    *,
    lesson: int = 0,
    minutes: int = LONG // 60,
    answers: Sequence[Outcome] = (),
) -> None:
    """Put a stretch of study on the list; the minute of the hour is her own."""
    lesson_id, minute = held.lessons[lesson], student.number * 7 % 60
    held.stage.at(
        held.day(day, hour, minute),
        lambda: void(student.study(lesson_id, minutes * 60_000, answers)),
    )


def _all_well(held: Class, students: Sequence[Student], day: int, *, spread: int = 4) -> None:
    """They study every lesson to its end, on some day from ``day`` on; every check matches."""
    for place, student in enumerate(students):
        for lesson in range(len(held.lessons)):
            _studies(held, student, day + (place + lesson) % spread, 18 + place % 4, lesson=lesson)


def _closes(held: Class, day: int) -> None:
    context = held.stage.context

    def closes() -> None:
        assert held.cohort_id is not None
        with context.database.writing() as session:
            close_cohort(session, context.events, actor=held.staff, cohort_id=held.cohort_id)

    held.stage.at(held.day(day, 17), closes)


def _finished(_told: _Plot, held: Class) -> None:
    """Everybody has learned everything, and the cohort is over."""
    _all_well(held, held.students, 1)
    _closes(held, held.programme.lasts)


def _unfinished(_told: _Plot, held: Class) -> None:
    """Closed although some have studied half and others nothing."""
    _all_well(held, held.students[:8], 1)
    for student in held.students[8:12]:
        _studies(held, student, 3, 20, minutes=6)
    held.absent = range(12, 15)
    _closes(held, held.programme.lasts)


def _out_of_step(told: _Plot, held: Class) -> None:
    """Many checks fail here; and one is entered in a room while she studied at home."""
    well, failing, idle = held.students[:6], held.students[6:17], held.students[17:]
    _all_well(held, well, 2, spread=8)
    for place, student in enumerate(failing):
        _studies(held, student, 3 + place % 9, 19 + place % 3, answers=_FAILS[place % 4])
    held.absent = [held.students.index(each) for each in idle]
    # The first session in the room is on the second day, from half past eight on: two studied at home meanwhile. Of one
    # the regulator lets the attendance stand, so that her account shows a sum that cannot be; the other one waits.
    for student in failing[-2:]:
        held.stage.at(
            held.day(1, 9),
            lambda student=student: void(student.study(held.lessons[0], 600_000)),  # type: ignore[misc]
        )
    held.stage.at(held.day(6, 10), lambda: _let_one_stand(told))
    held.stage.at(held.day(14, 10), lambda: _contest_and_review(told, held, failing[:3]))


def _let_one_stand(told: _Plot) -> None:
    context, regulator = told.stage.context, told.people["regulator"].actor
    with context.database.writing() as session:
        waiting = rooms.to_settle(session, regulator)
        if waiting:
            settle_attendance(
                session,
                context.keyring,
                actor=regulator,
                attendance_id=waiting[0].attendance.id,
                outcome=ReviewOutcome.ACCEPT,
                reason="签到表有本人签名，线上学习另行查明。",
            )


def _contest_and_review(told: _Plot, held: Class, failing: Sequence[Student]) -> None:
    """Three appeal; one is granted, one refused, one waits."""
    context = held.stage.context
    reasons = (
        "当时在车间值班室，灯光很暗，确实是我本人，请老师看照片。",
        "同事从我身后走过，核验时只有我在学。",
        "那天戴着安全帽没来得及摘，请复核。",
    )
    for student, reason in zip(failing, reasons, strict=False):
        if student.checks:
            student.contest(student.checks[0], reason)
    del told
    for student, outcome, reason in (
        (failing[0], ReviewOutcome.ACCEPT, "对照登记照片，五官一致，光线不足造成误判，认可。"),
        (failing[1], ReviewOutcome.REJECT, "照片中看不到人脸，请补学这一段。"),
    ):
        if student.checks:
            with context.database.writing() as session:
                proctoring.review(
                    session,
                    context.keyring,
                    actor=held.staff,
                    check_id=student.checks[0],
                    outcome=outcome,
                    reason=reason,
                )


def _running(told: _Plot, held: Class) -> None:
    """The cohort of the tour: each way a check can end, time held, made up and contested."""
    _all_well(held, held.students[:8], 2, spread=10)
    for place, answers in enumerate(_FAILS):
        student = held.students[8 + place]
        _studies(held, student, 4 + place, 19, answers=answers)
        _studies(held, student, 5 + place, 20, lesson=1, minutes=8)
    # Two of them make up what was held.
    for place in (1, 3):
        _studies(held, held.students[8 + place], 7 + place, 20)
    _taken_back(held, held.students[15])
    for student in held.students[16:19]:
        _studies(held, student, 12, 12, minutes=7)
    held.absent = (19, 20)
    for place, day in ((0, 12), (2, 15)):
        held.stage.at(held.day(day, 12), lambda place=place: _contests(held.students[8 + place]))  # type: ignore[misc]
    del told


def _contests(student: Student) -> None:
    if student.checks:
        student.contest(student.checks[0], "当时手机放得太低，只拍到半张脸，确实是我本人。")


def _taken_back(held: Class, student: Student) -> None:
    """While the engine was down she took her consent back: her check ends as nobody's fault."""
    context = held.stage.context

    def takes_back() -> None:
        with context.database.writing() as session:
            person = session.get_one(Person, student.person_id)
            withdraw_consent(
                session, context.keyring, context.store, context.events, person=person, kind=ConsentKind.FACE
            )

    held.stage.at(held.day(13, 21), takes_back)


def _in_the_room(_told: _Plot, held: Class) -> None:
    """Nobody is looked at by a camera: staff check everybody in, and out."""

    def studies(student: Student, lesson: int) -> None:
        here = held.check_in(student)
        student.study(held.lessons[lesson], LONG * 1000)
        held.stage.time.advance(MINUTE)
        held.check_out(here)

    for place, student in enumerate(held.students[:11]):
        for lesson in range(2):
            held.stage.at(
                held.day(3 + place % 5, 15 + lesson * 2, place * 5 % 60),
                lambda student=student, lesson=lesson: studies(student, lesson),  # type: ignore[misc]
            )


def _elsewhere(_told: _Plot, held: Class) -> None:
    """In another province, for its own regulator."""
    _all_well(held, held.students[:7], 2)
    _studies(held, held.students[7], 4, 20, answers=_FAILS[0])
    _studies(held, held.students[8], 5, 20, minutes=5)


def _open_the_visitors_cohort(told: _Plot) -> None:
    """The cohort that the accounts named on the sign-in page are in, opened a week before they come."""
    stage, people = told.stage, told.people
    first = clock.shanghai_day(stage.ends) - timedelta(days=6)
    opens = datetime.combine(first, time(9), clock.SHANGHAI)
    evening = datetime.combine(first, time(19), clock.SHANGHAI)

    def opens_and_studies() -> None:
        made = training.make_training(stage.context, dict(people))
        held = told.new(VISITORS)
        held.cohort_id, held.lessons = made.cohort_id, [lesson.lesson_id for lesson in made.lessons]
        for _ in range(8):
            held.let_in(*told.crowd.trainee(TRAINING_CENTRE, ProofRoute.FACE, held.staff))
        # The visitor's own account has begun, and there is something left for her.
        first = people["trainee1"]
        hers = Student(stage, 0, first.person_id, first.actor.organisation_id, made.enrolments["trainee1"])
        hers.study(held.lessons[0], 90_000)
        for place, student in enumerate(held.students):
            stage.at(
                evening + timedelta(days=1 + place // 3, minutes=25 * (place % 3)),
                lambda student=student, place=place: void(  # type: ignore[misc]
                    student.study(held.lessons[0], 240_000, _FAILS[place // 2] if place % 2 else ())
                ),
            )

    stage.at(opens, opens_and_studies)
    # Each evening what was taught in the room is entered, as long as one person may do so.
    for days in range(1, 5):
        stage.at(evening + timedelta(days=days), lambda: void(training.make_training(stage.context, dict(people))))


def _oversee(told: _Plot) -> None:
    """The regulators draw, object, and are answered, or not."""
    stage, regulator = told.stage, told.people["regulator"].actor
    context = stage.context

    def draws() -> None:
        with context.database.writing() as session:
            draw_trainees(session, context.keyring, actor=regulator, size=6)

    def objects(programme: Programme, place: int, kind: FindingKind, words: str, days: int) -> None:
        with context.database.writing() as session:
            enrolment_id = told.classes[programme.title].students[place].enrolment_id
            deadline = clock.shanghai_day(clock.now()) + timedelta(days=days)
            found = raise_finding(
                session,
                context.keyring,
                actor=regulator,
                enrolment_id=enrolment_id,
                kind=kind,
                words=words,
                deadline=deadline,
            )
            raised[(programme.title, place)] = found.id

    def answers(programme: Programme, place: int, words: str) -> None:
        with context.database.writing() as session:
            finding_id, actor = raised[(programme.title, place)], told.staff[programme.house.name]
            answer_finding(session, context.keyring, actor=actor, finding_id=finding_id, answer=words)

    def closes(programme: Programme, place: int) -> None:
        with context.database.writing() as session:
            finding_id = raised[(programme.title, place)]
            close_finding(session, context.keyring, actor=regulator, finding_id=finding_id)

    raised: dict[tuple[str, int], UUID] = {}
    day = Class(stage, told.crowd, regulator, FINISHED, (), told.first_day).day
    stage.at(day(10, 9, 30), draws)
    stage.at(day(38, 9, 30), draws)
    identity = "多次核验与登记照片不一致，请说明学习地点和在场人员。"
    stage.at(day(26, 10), lambda: objects(OUT_OF_STEP, 6, FindingKind.IDENTITY, identity, 8))
    stage.at(day(30, 10), lambda: objects(OUT_OF_STEP, 7, FindingKind.IDENTITY, identity, 15))
    stage.at(day(33, 15), lambda: answers(OUT_OF_STEP, 7, "已联系学员本人，现场核对身份证件，安排其补学。"))
    hours = "结班时仍有学时未完成，请说明处理办法。"
    stage.at(day(24, 10), lambda: objects(UNFINISHED, 8, FindingKind.HOURS, hours, 10))
    stage.at(day(27, 15), lambda: answers(UNFINISHED, 8, "该学员转入下一期继续学习，本期不予结业。"))
    stage.at(day(29, 9), lambda: closes(UNFINISHED, 8))
