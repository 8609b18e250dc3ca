"""Where the demonstration's weeks are played: the services, a clock that is told the time, and the log's own sequencer.

Everything goes through the services that the pages call, with every limit of time left on; only the clock is told what
time it is, and a harmless twin stands in for the face engine.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from media_pipeline.harmless import HarmlessJudge, scripted
from media_pipeline.judge import Judge
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.demo.history.faces import DrawnFaces, portrait
from xueji.hours.tasks import keep_accounts
from xueji.identity import faces, queries
from xueji.identity.rules import SessionKind
from xueji.identity.services import open_session
from xueji.kernel import clock, tasks
from xueji.kernel.actor import Actor, Role
from xueji.kernel.clock import FixedClock
from xueji.kernel.context import Context
from xueji.proctoring import services as proctoring
from xueji.proctoring.errors import CheckOver
from xueji.proctoring.models import Check
from xueji.proctoring.rules import CheckState
from xueji.progress.beat_recording import BeatAnswer, BeatReport, ReportedBeat, digest_of, record_reports
from xueji.progress.opening import open_sitting
from xueji.progress.rules import PlayedSpan
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.process import sequencer_lock
from xueji.trace.sequencer import Sequencer

BEAT_MS = 10_000
BEATS_TOGETHER = 4
DEVICE = "Mozilla/5.0 (Linux; Android 14) Chrome/130 Mobile"
_JUDGED = frozenset(Judged)
_NO_PICTURE = (Outcome.REFUSED, Outcome.NO_CAMERA)
_drawings = count(1)

Act = Callable[[], None]


@dataclass
class Stage:
    """The installation while its history is played. Acts are done in the order of their times, one after the other."""

    context: Context
    time: FixedClock
    judge: HarmlessJudge
    ends: datetime
    """Nothing is done at or after this instant: it is the present."""
    _sequencer: Sequencer
    _acts: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    def at(self, when: datetime, act: Act) -> None:
        """Do it then, or as soon after as what came before allows; what would be in the future is left out."""
        heapq.heappush(self._acts, (when, next(self._order), act))

    def play(self) -> None:
        day = clock.shanghai_day(self.time.instant)
        while self._acts:
            when, _place, act = heapq.heappop(self._acts)
            if max(when, self.time.instant) + timedelta(minutes=40) >= self.ends:
                continue
            self.go_to(when)
            act()
            self.settle()
            if clock.shanghai_day(self.time.instant) != day:
                day = clock.shanghai_day(self.time.instant)
                keep_accounts()
        self.go_to(self.ends - timedelta(seconds=30))
        keep_accounts()
        self.settle()

    def go_to(self, when: datetime) -> None:
        self.time.instant = max(self.time.instant, when)

    def settle(self) -> None:
        """What the installation's other processes do all the time: unanswered checks end, and the log is signed."""
        with self.context.database.writing() as session:
            proctoring.sweep_missed(session)
        self._sequencer.step()
        self.judge.asked.clear()


@contextmanager
def staged(context: Context, begins: datetime, ends: datetime) -> Iterator[Stage]:
    """Raises AnotherSequencer while the installation is up."""
    judge = HarmlessJudge()
    outside = dict(context.outside)
    context.outside[Judge], context.outside[faces.FaceEngine] = judge, DrawnFaces()
    try:
        with sequencer_lock(context), clock.fixed(begins) as time, tasks.using(context):
            sequencer = Sequencer(context.database, context.settings)
            sequencer.start()
            yield Stage(context, time, judge, ends, sequencer)
    finally:
        context.outside.clear()
        context.outside.update(outside)


@dataclass
class Student:
    """A trainee of one cohort."""

    stage: Stage
    number: int
    """Of her drawn face."""
    person_id: UUID
    organisation_id: UUID | None
    enrolment_id: UUID
    answers: list[Outcome] = field(default_factory=list)
    checks: list[UUID] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return Actor(self.person_id, UUID(int=0), frozenset({Role.TRAINEE}), self.organisation_id, None)

    def study(self, lesson_id: UUID, ms: int, answers: Iterable[Outcome] = ()) -> UUID:
        """Open a sitting and watch on for that long, from where it goes on, answering what is asked; its id.

        Checks end as ``answers`` say, one after the other, afterwards all match.
        """
        stage, self.answers = self.stage, list(answers)
        context, sitting_id = stage.context, uuid4()
        with context.database.writing() as session:
            _row, claims = open_session(
                session,
                context.keyring,
                context.events,
                context.settings,
                person_id=self.person_id,
                standing=queries.standing(session, self.person_id),
                kind=SessionKind.TOKEN,
                user_agent=DEVICE,
            )
        with context.database.writing() as session:
            opened = open_sitting(
                session,
                actor=self.actor,
                keyring=context.keyring,
                events=context.events,
                sitting_id=sitting_id,
                enrolment_id=self.enrolment_id,
                lesson_id=lesson_id,
                device=DEVICE,
                continue_here=True,
            )
            film = opened.terms.film if opened.terms.plan.film_handed_out else ""
            at, duration = opened.sitting.resume_ms, opened.terms.duration_ms
        until, seq = min(at + ms, duration), 0
        while at < until:
            beats: list[ReportedBeat] = []
            while at < until and len(beats) < BEATS_TOGETHER:
                to = min(at + BEAT_MS, until)
                stage.time.advance(timedelta(milliseconds=to - at))
                seq += 1
                beat, occurred = PlayedSpan(seq, str(uuid4()), at, to), clock.rfc3339(clock.now())
                beats.append(ReportedBeat(beat, occurred, True, digest_of(beat, occurred, True)))
                at = to
            self._report(sitting_id, claims.login_session_id, beats, film)
        return sitting_id

    def _report(self, sitting_id: UUID, login: UUID, beats: Sequence[ReportedBeat], film: str) -> None:
        """Hand in beats, and before them what the server itself would note: that it handed the film out."""
        context = self.stage.context
        with context.database.writing() as session:
            reports = [BeatReport(sitting_id, self.person_id, login, tuple(beats))]
            if film:
                played = (beats[0].beat.from_ms, beats[-1].beat.to_ms)
                reports.insert(0, BeatReport(sitting_id, self.person_id, login, (), film, played))
            answer = record_reports(session, reports, events=context.events)[-1]
        self.stage.settle()
        if not isinstance(answer, BeatAnswer):
            raise answer
        if answer.check is not None and UUID(answer.check.check_id) not in self.checks:
            self.checks.append(UUID(answer.check.check_id))
            self._answer(self.checks[-1])

    def _answer(self, check_id: UUID) -> None:
        outcome = self.answers.pop(0) if self.answers else Outcome.MATCH
        stage, context = self.stage, self.stage.context
        if outcome is Outcome.MISSED:
            stage.time.advance(timedelta(minutes=3))
            return
        stage.time.advance(timedelta(seconds=6))
        while True:
            with context.database.reading() as session:
                check = session.get_one(Check, check_id)
            if check.state != CheckState.DUE:
                return
            if outcome in _NO_PICTURE:
                cause = proctoring.CameraFailure.IN_USE if outcome is Outcome.NO_CAMERA else None
                with context.database.writing() as session:
                    proctoring.give_up(
                        session, actor=self.actor, check_id=check_id, nonce=check.nonce, outcome=outcome, cause=cause
                    )
                return
            try:
                self._show(check, outcome)
            except CheckOver:  # a try came too late, as it happens
                return

    def _show(self, check: Check, outcome: Outcome) -> None:
        """Answer with drawings, and have them judged."""
        stage, context = self.stage, self.stage.context
        if outcome.value in _JUDGED:
            stage.judge.script = [scripted(Judged(outcome.value))]
        frames = [portrait(self.number, turn, outcome, next(_drawings)) for turn in (0, -1, 1, 0, 2)]
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
        stage.time.advance(timedelta(seconds=1))
        if outcome is not Outcome.SERVICE_DOWN:
            proctoring.judge_attempt(context, attempt.id)

    def contest(self, check_id: UUID, reason: str) -> None:
        context = self.stage.context
        with context.database.writing() as session:
            proctoring.contest(session, context.keyring, actor=self.actor, check_id=check_id, reason=reason)
