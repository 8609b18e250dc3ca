"""A training class as it happens, for tests and screens: people study, are checked, attend, contest; time is told.

Everything goes through the services, so the trace and the hours are what they would be in life. Only the face engine
is a harmless twin, and the clock stands still until the scenario moves it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from flask import Flask
from PIL import Image, ImageDraw
from sqlalchemy import select
from support.people import HarmlessFaces, Someone, consented, organisation, signed_in, someone
from support.school import HOUR, School, cohort_plan, declared, new_member

from courses.models import Lesson
from courses.services import editing
from media_pipeline.harmless import HarmlessJudge, scripted
from media_pipeline.judge import Judge
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.attendance.services import entering as attendance
from xueji.attendance.services import planning as sessions
from xueji.attendance.services import settling
from xueji.attendance.services.planning import ClassSessionPlan
from xueji.cohorts.models import Cohort
from xueji.cohorts.services import planning as cohorts
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services import trainees
from xueji.identity.models import Person
from xueji.identity.queries import used_photos
from xueji.identity.rules import OrganisationKind, PhotoStanding, ProofRoute
from xueji.identity.services import choose_route, decide_photo, enrol_photo
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.clock import FixedClock
from xueji.kernel.context import Context
from xueji.kernel.tasks import make_celery
from xueji.proctoring import services as proctoring
from xueji.proctoring.models import Check, CheckIn
from xueji.proctoring.rules import CheckState
from xueji.progress.beat_recording import BeatReport, ReportedBeat, digest_of, record_reports
from xueji.progress.opening import open_sitting
from xueji.progress.rules import PlayedSpan
from xueji.rulebook.vocabulary import Outcome, Part

BEGINNING = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
"""Half past eight in the morning, Asia/Shanghai."""
MINUTE = 60_000
BEAT_MS = 10_000
LESSON_MS = 30 * MINUTE
DEVICE = "Mozilla/5.0 (Windows NT 10.0) Chrome/130"

_JUDGED = frozenset(Judged)
_serial = count(1)


def portrait(words: str = "") -> bytes:
    """A drawn face in JPEG, no two alike: nobody's picture."""
    number = next(_serial)
    image = Image.new("RGB", (480, 360), (214 - number % 40, 224, 228))
    pen = ImageDraw.Draw(image)
    pen.ellipse((170, 70, 310, 260), fill=(236, 205, 180))
    pen.ellipse((205, 140, 220, 155), fill=(60, 50, 50))
    pen.ellipse((260, 140, 275, 155), fill=(60, 50, 50))
    pen.arc((210, 180, 270, 220), 20, 160, fill=(150, 80, 80), width=4)
    pen.rectangle((120, 262, 360, 360), fill=(70, 100, 130))
    pen.text((8, 8), f"{number} {words}", fill=(90, 90, 90))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return data.getvalue()


@dataclass
class Student:
    """A trainee in the scenario's cohort."""

    scenario: Scenario
    who: Someone
    enrolment: Enrolment
    answers: list[Outcome] = field(default_factory=list)
    """How the next checks end; afterwards every one matches."""
    sitting_id: UUID | None = None
    checks: list[UUID] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return self.who.actor(Role.TRAINEE)

    def study(self, lesson: Lesson, ms: int = LESSON_MS, *, answers: Sequence[Outcome] = (), together: int = 6) -> UUID:
        """Open a sitting and watch on from the frontier in real time, answering what is asked; the sitting's id.

        The player reports ``together`` beats at a time; in life it is one.
        """
        self.answers = list(answers)
        context, time = self.scenario.context, self.scenario.time
        login = signed_in(context, self.who).claims.login_session_id
        self.sitting_id = uuid4()
        with context.database.writing() as session:
            opened = open_sitting(
                session,
                actor=self.actor,
                keyring=context.keyring,
                events=context.events,
                sitting_id=self.sitting_id,
                enrolment_id=self.enrolment.id,
                lesson_id=lesson.id,
                device=DEVICE,
                continue_here=True,
            )
            at, duration = opened.sitting.resume_ms, opened.terms.duration_ms
            film = opened.terms.film if opened.terms.plan.film_handed_out else ""
        until, seq = min(at + ms, duration), 0
        while at < until:
            beats: list[ReportedBeat] = []
            while at < until and len(beats) < together:
                to = min(at + BEAT_MS, until)
                time.advance(timedelta(milliseconds=to - at))
                seq += 1
                beat, occurred = PlayedSpan(seq, str(uuid4()), at, to), clock.rfc3339(clock.now())
                beats.append(ReportedBeat(beat, occurred, True, digest_of(beat, occurred, True)))
                at = to
            self._report(login, tuple(beats), film)
        return self.sitting_id

    def _report(self, login: UUID, beats: tuple[ReportedBeat, ...], film: str) -> None:
        """``film``: hers to play, where the plan asks for it; she is handed what she reports."""
        context = self.scenario.context
        assert self.sitting_id is not None
        with context.database.writing() as session:
            reports = [BeatReport(self.sitting_id, self.who.id, login, beats)]
            if film:
                played = (beats[0].beat.from_ms, beats[-1].beat.to_ms)
                reports.insert(0, BeatReport(self.sitting_id, self.who.id, login, (), film, played))
            answer = record_reports(session, reports, events=context.events)[-1]
        if isinstance(answer, Exception):
            raise answer
        if answer.check is not None and UUID(answer.check.check_id) not in self.checks:
            self.checks.append(UUID(answer.check.check_id))
            self._answer(self.checks[-1])

    def _answer(self, check_id: UUID) -> None:
        """As scripted; a check that is to be missed is simply left alone."""
        outcome = self.answers.pop(0) if self.answers else Outcome.MATCH
        if outcome is Outcome.MISSED:
            return
        self.scenario.time.advance(timedelta(seconds=6))
        self.scenario.judge.down = outcome is Outcome.SERVICE_DOWN
        while True:
            with self.scenario.context.database.reading() as session:
                check = session.get_one(Check, check_id)
            if check.state != CheckState.DUE:
                return
            if outcome in (Outcome.REFUSED, Outcome.NO_CAMERA):
                cause = proctoring.CameraFailure.IN_USE if outcome is Outcome.NO_CAMERA else None
                with self.scenario.context.database.writing() as session:
                    proctoring.give_up(
                        session, actor=self.actor, check_id=check_id, nonce=check.nonce, outcome=outcome, cause=cause
                    )
                return
            self._show(check, outcome)

    def _show(self, check: Check, outcome: Outcome) -> None:
        """Answer with pictures and have them judged."""
        context = self.scenario.context
        if outcome.value in _JUDGED:
            self.scenario.judge.script = [scripted(Judged(outcome.value))]
        frames = [portrait(outcome) for _ in range(3)]
        arrived_ms = clock.to_ms(clock.now())
        stored = proctoring.store_frames(
            context, actor=self.actor, check_id=check.id, nonce=check.nonce, frames=frames, arrived_ms=arrived_ms
        )
        with context.database.writing() as session:
            attempt = proctoring.answer_check(
                session,
                context,
                actor=self.actor,
                check_id=check.id,
                nonce=check.nonce,
                stored=stored,
                device="Integrated Camera",
                arrived_ms=arrived_ms,
            )
        self.scenario.time.advance(timedelta(seconds=1))
        proctoring.judge_attempt(context, attempt.id)

    def contest(self, check_id: UUID, reason: str = "当时灯坏了，确实是我本人。") -> None:
        context = self.scenario.context
        with context.database.writing() as session:
            proctoring.contest(session, context.keyring, actor=self.actor, check_id=check_id, reason=reason)


@dataclass
class Scenario:
    """One institution with a cohort that is open, staff who run it, and those who look on."""

    context: Context
    time: FixedClock
    school: School
    lessons: list[Lesson]
    cohort: Cohort
    regulator: Someone
    judge: HarmlessJudge
    faces: HarmlessFaces

    def student(self, name: str = "王小明", route: ProofRoute = ProofRoute.FACE, *, confirmed: bool = True) -> Student:
        """Somebody enrolled who has chosen her route; on the face route with consent and a reference photo.

        ``confirmed``: whether staff have held the photo against her identity document.
        """
        who = someone(self.context, Role.TRAINEE, at=self.school.organisation, name=name)
        if route is ProofRoute.FACE:
            consented(self.context, who)
            enrol_photo(self.context, person_id=who.id, photo=bytes([next(_serial) % 256]) + portrait())
        with self.context.database.writing() as session:
            person = session.get_one(Person, who.id)
            if route is ProofRoute.SUPERVISED:
                choose_route(session, self.context.events, person=person, route=route)
            enrolment = trainees.enrol(
                session,
                self.context.keyring,
                cohort=self.cohort,
                person=person,
                actor=self.school.staff,
                declared=declared(self.cohort),
            )
        student = Student(self, who, enrolment)
        if confirmed:
            self.confirm_photos(student)
        return student

    def confirm_photos(self, student: Student) -> None:
        """Staff hold every photo of hers that stands against her identity document."""
        with self.context.database.writing() as session:
            for photo in used_photos(session, student.who.id):
                if photo.standing is not PhotoStanding.CONFIRMED:
                    decide_photo(
                        session,
                        self.context.keyring,
                        self.context.events,
                        photo=photo,
                        confirmed=True,
                        actor=self.school.staff,
                    )

    def check_in(
        self,
        student: Student,
        lasts: timedelta = timedelta(hours=3),
        place: str = "一号教室",
        *,
        coded: bool = True,
        actor: Actor | None = None,
    ) -> UUID:
        """Staff let her in; unless told otherwise, she types the code that is shown in the room."""
        keyring = self.context.keyring
        with self.context.database.writing() as session:
            here = proctoring.check_in(
                session,
                keyring,
                actor=actor or self.school.staff,
                enrolment_id=student.enrolment.id,
                place=place,
                lasts=lasts,
            )
        code = proctoring.room_code(keyring, student.enrolment.cohort_id, place, clock.to_ms(clock.now()))
        if coded:
            with self.context.database.writing() as session:
                assert proctoring.enter_code(session, keyring, actor=student.actor, code=code)
        return here.id

    def round(self, *absent: UUID) -> None:
        """Staff look through the whole room; these check-ins are not found."""
        now_ms = clock.to_ms(clock.now())
        of_cohort = select(Enrolment.id).where(Enrolment.cohort_id == self.cohort.id)
        open_ = select(CheckIn.id).where(CheckIn.closed_ms.is_(None), CheckIn.until_ms > now_ms)
        with self.context.database.writing() as session:
            proctoring.go_round(
                session,
                self.context.keyring,
                actor=self.school.staff,
                cohort_id=self.cohort.id,
                seen=session.scalars(open_.where(CheckIn.enrolment_id.in_(of_cohort))).all(),
                absent=absent,
            )

    def check_out(self, check_in_id: UUID) -> None:
        with self.context.database.writing() as session:
            proctoring.check_out(session, self.context.keyring, actor=self.school.staff, check_in_id=check_in_id)

    def attend(
        self, *students: Student, ms: int = 4 * HOUR, part: Part = Part.PRACTICAL, confirmed: bool = True
    ) -> UUID:
        """A class session, planned now, that begins in a minute; the clock goes to its end, everybody's attendance
        is entered and, unless told otherwise, each of them confirms it."""
        began = clock.now() + timedelta(minutes=1)
        plan = ClassSessionPlan(
            title="现场实操",
            place="实训基地",
            teacher="赵老师",
            part=part,
            began_at=began,
            ended_at=began + timedelta(milliseconds=ms),
        )
        with self.context.database.writing() as session:
            held = sessions.plan_class_session(
                session, self.context.keyring, actor=self.school.staff, cohort_id=self.cohort.id, plan=plan
            )
        self.time.advance(timedelta(milliseconds=ms + MINUTE))
        with self.context.database.writing() as session:
            entered = attendance.record_attendance(
                session,
                self.context,
                actor=self.school.staff,
                session_id=held.id,
                attended={student.enrolment.id: (plan.began_at, plan.ended_at) for student in students},
            )
        for student, each in zip(students, entered, strict=True):
            if confirmed:
                with self.context.database.writing() as session:
                    settling.confirm_attendance(
                        session, self.context.keyring, actor=student.actor, attendance_id=each.id
                    )
        return held.id


@contextmanager
def playing(
    app: Flask,
    *,
    begins: datetime = BEGINNING,
    lessons: int = 3,
    lesson_ms: int = LESSON_MS,
    region: str = "620102",
    school: School | None = None,
    regulator: Someone | None = None,
    film_handed_out: bool = False,
) -> Iterator[Scenario]:
    """A scenario in the installation of ``app``, which has connected the parts with each other.

    ``film_handed_out``: whether the plan asks that films are played; most tests tell of people and show them none.
    ``school`` and ``regulator`` when there are some already; else new ones appear.
    """
    context: Context = app.extensions["xueji"]
    make_celery(context.settings)
    judge, faces = HarmlessJudge(), HarmlessFaces.in_(context)
    context.outside[Judge] = judge
    with clock.fixed(begins) as time:
        school = school or _new_school(context, region)
        taught = _course(school, lessons, lesson_ms)
        online = lessons * lesson_ms
        draft = school.draft(
            *taught,
            region=region,
            # Some cities have hours of their own for other industries, and want the subject named; nowhere for this.
            industry="fireworks",
            online_ms=online,
            in_person_ms=cohort_plan().total_ms - online,
            proctoring={"film_handed_out": int(film_handed_out)},
        )
        with context.database.writing() as session:
            cohort = cohorts.open_cohort(session, context.keyring, cohort=draft, actor=school.staff)
        regulator = regulator or someone(context, Role.REGULATOR, region=f"{region[:4]}00", name="孙科长")
        yield Scenario(context, time, school, taught, cohort, regulator, judge, faces)


_TITLES = (
    "安全生产法律法规与主体责任",
    "危险化学品储存与应急处置",
    "有限空间作业：先通风、再检测、后作业",
    "动火作业票证管理",
    "双重预防机制：风险分级管控与隐患排查治理",
    "事故案例：一次违章引发的连锁爆燃",
)


def _new_school(context: Context, region: str) -> School:
    institution = organisation(context, OrganisationKind.INSTITUTION, region)
    return School(context, institution, new_member(context, institution, Role.INSTITUTION, "李老师"))


def _course(school: School, lessons: int, lesson_ms: int) -> list[Lesson]:
    films = [school.film(lesson_ms) for _ in range(lessons)]
    with school.context.database.writing() as session:
        course = editing.create_course(session, actor=school.staff, title="安全生产管理人员初训")
        return [
            editing.add_lesson(
                session,
                actor=school.staff,
                course_id=course.id,
                title=_TITLES[number % len(_TITLES)],
                part=Part.THEORY,
                film_id=film,
            )
            for number, film in enumerate(films)
        ]
