"""kill -9 in the middle of a class: what was acknowledged is there, once, and the log holds."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from support.installation import START_SECONDS, Caller, Installation, installation, wait_until
from support.people import signed_in
from support.scenario import Student, playing, portrait

from media_pipeline.engine import Engine
from xueji.app import create_app
from xueji.identity import services as identity
from xueji.identity import vault
from xueji.identity.models import ReferencePhoto
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.proctoring.models import Attempt, Check, Picture
from xueji.proctoring.rules import CheckState
from xueji.trace import queries
from xueji.trace.audit import audit

LEARNERS = 6
BEAT_SECONDS = 0.3
CHECK_SECONDS = 6.0
# Whose turn it is: the words of its command, and whether a process inside it is meant (the one that does the work).
WEB, WORKER = ("gunicorn",), ("xueji.worker", "--beat")
RECORDER = ("xueji.recorder",)
KILLS = [
    *[(WEB, True), (RECORDER, False), (WORKER, True)] * 8,
    (WEB, False),
    (WORKER, False),
    (("sequencer",), False),
    (WEB, True),
]


@dataclass
class Learner:
    """Plays a lesson in real time and says so again and again until she is heard."""

    student: Student
    caller: Caller
    lesson_id: UUID
    sitting_id: UUID = field(default_factory=uuid4)
    heard: list[str] = field(default_factory=list)
    """Beats that were answered with 200."""
    furthest_ms: int = 0
    shown: dict[UUID, bytes] = field(default_factory=dict)
    """Pictures that were answered with 202, by check."""
    failures: list[str] = field(default_factory=list)

    def study(self, stop: threading.Event) -> None:
        try:
            self._study(stop)
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self.caller.close()

    def _study(self, stop: threading.Event) -> None:
        opening = {
            "sitting_id": str(self.sitting_id),
            "enrolment_id": str(self.student.enrolment.id),
            "lesson_id": str(self.lesson_id),
            "device": "crash test",
        }
        self._until_heard("POST", "/api/v1/sittings", opening, good=(200, 201))
        at, seq, played, checked = 0, 0, time.monotonic(), time.monotonic()
        while not stop.wait(BEAT_SECONDS):
            to, seq = at + int((time.monotonic() - played) * 1000), seq + 1
            played += (to - at) / 1000
            beat_id = str(uuid4())
            beat = {
                "beat_id": beat_id,
                "seq": seq,
                "from_ms": at,
                "to_ms": to,
                "state": "playing",
                "rate": 1.0,
                "sent_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            answer = self._until_heard("POST", f"/api/v1/sittings/{self.sitting_id}/beats", {"beats": [beat]})
            self.heard.append(beat_id)
            assert answer["furthest_ms"] >= self.furthest_ms, "what was covered shrank"
            at = self.furthest_ms = answer["furthest_ms"]
            if self.on_camera and time.monotonic() - checked > CHECK_SECONDS:
                checked = time.monotonic()
                self._show_herself()

    @property
    def on_camera(self) -> bool:
        return self.student.who.name == "看镜头"

    def _show_herself(self) -> None:
        """Ask for a check and answer it. An answer that is not heard is not claimed."""
        asked = self._until_heard("POST", f"/api/v1/sittings/{self.sitting_id}/checks", {}, good=(201, 409, 429))
        check = asked.get("check")
        if not check or UUID(check["check_id"]) in self.shown:
            return
        picture = portrait(check["check_id"])
        try:
            path = f"/api/v1/checks/{check['check_id']}/frames"
            status, _ = self.caller.call("POST", path, frame=picture, nonce=check["nonce"], device="camera")
        except (OSError, http.client.HTTPException):
            return
        if status == 202:
            self.shown[UUID(check["check_id"])] = picture

    def _until_heard(self, method: str, path: str, body: Any, good: tuple[int, ...] = (200,)) -> Any:
        deadline, last = time.monotonic() + START_SECONDS, "no answer"
        while time.monotonic() < deadline:
            try:
                status, answer = self.caller.call(method, path, body)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if status in good:
                return answer
            assert status >= 500, f"{path} was refused: {status} {answer}"
            last = f"{status} {answer}"
            time.sleep(0.1)
        raise AssertionError(f"{path} was not heard for {START_SECONDS} s: {last}")


@pytest.fixture
def held(make_database: Callable[..., str], settings: Settings) -> Iterator[Context]:
    """This process's own view of the installation's folder and database."""
    whole = replace(settings, database_url=make_database(empty=True))
    with installation(whole) as running:
        context = Context.open(whole)
        context.outside[Installation] = running
        yield context
        context.close()


def learners(held: Context) -> list[Learner]:
    running = cast(Installation, held.outside[Installation])
    with playing(create_app(context=held), begins=clock.now(), lessons=1) as scenario:
        made = []
        for number in range(LEARNERS):
            on_camera = number % 2 == 0
            name, route = ("看镜头", ProofRoute.FACE) if on_camera else ("在教室", ProofRoute.SUPERVISED)
            student = scenario.student(name, route)
            if not on_camera:
                scenario.check_in(student)
            made.append((student, scenario.lessons[0].id))
    # The photos were described by this process's harmless faces; the installation judges with the real engine, and
    # compares with nothing that another model has described.
    with held.database.writing() as session:
        session.execute(update(ReferencePhoto).values(model=Engine(held.settings.data / "models").model))
    return [
        Learner(student, Caller(running.port, signed_in(held, student.who).token), lesson_id)
        for student, lesson_id in made
    ]


@pytest.mark.slow
def test_sudden_deaths_lose_nothing_and_count_nothing_twice(held: Context) -> None:
    running = cast(Installation, held.outside[Installation])
    everybody, stop = learners(held), threading.Event()
    threads = [threading.Thread(target=learner.study, args=(stop,)) for learner in everybody]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: goes_on(everybody, [0] * LEARNERS), "everybody's first beats")
        for words, inside in KILLS:
            wait_until(partial(running.kill, *words, inside=inside), f"{words} to kill")
            before = [len(learner.heard) for learner in everybody]
            wait_until(partial(goes_on, everybody, before), f"the class to go on without {words}")
        wait_until(lambda: sum(len(learner.shown) for learner in everybody) >= 3, "three pictures that were heard of")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert [learner.failures for learner in everybody] == [[]] * LEARNERS
    wait_until(lambda: nothing_waits(held), "the log to take everything in")
    for learner in everybody:
        nothing_heard_is_lost_or_counted_twice(held, learner)
        no_picture_is_lost(held, learner)
    with held.database.reading() as session:
        assert audit(session) == []
        assert queries.state(session).alarms == ()


def goes_on(everybody: Sequence[Learner], before: Sequence[int]) -> bool:
    """Whether each has been heard twice since ``before``: once may have been under way when the blow fell."""
    assert not any(learner.failures for learner in everybody), [learner.failures for learner in everybody]
    return all(len(learner.heard) > count + 1 for learner, count in zip(everybody, before, strict=True))


def nothing_waits(held: Context) -> bool:
    with held.database.reading() as session:
        state = queries.state(session)
    return state.pending == 0 and state.signed_size == state.size


def nothing_heard_is_lost_or_counted_twice(held: Context, learner: Learner) -> None:
    with held.database.reading() as session:
        leaves = list(queries.chain(session, learner.student.enrolment.chain))
    assert [leaf["n"] for leaf in leaves] == list(range(len(leaves)))
    beats = [leaf["values"] for leaf in leaves if leaf["event"] == "beat"]
    recorded = [beat["beat"] for beat in beats]
    assert set(learner.heard) <= set(recorded)
    assert len(recorded) == len(set(recorded))
    media = sorted(tuple(piece) for beat in beats for piece in beat["credited"])
    assert all(before[1] <= after[0] for before, after in pairwise(media))
    server = sorted(tuple(beat["server"]) for beat in beats if beat.get("server"))
    assert all(before[1] <= after[0] for before, after in pairwise(server))
    assert max(beat["furthest_ms"] for beat in beats) >= learner.furthest_ms > 0


def no_picture_is_lost(held: Context, learner: Learner) -> None:
    """Each is there as it was sent, its hash is in the trace, and somebody has judged it."""
    for check_id, picture in learner.shown.items():
        wait_until(partial(is_judged, held, check_id), "a verdict")
        with held.database.reading() as session:
            kept = session.scalars(
                select(Picture).join(Attempt, Attempt.id == Picture.attempt_id).where(Attempt.check_id == check_id)
            ).all()
            key = identity.person_key(session, held.keyring, learner.student.who.id)
            answers = [
                frame["sha256"]
                for leaf in queries.chain(session, learner.student.enrolment.chain)
                if leaf["event"] == "check.answer" and leaf["values"]["check"] == str(check_id)
                for frame in leaf["values"]["frames"]
            ]
        opened = [vault.unseal(key, learner.student.who.id, each.path, held.store.get(each.path)) for each in kept]
        assert picture in opened
        assert {each.sha256 for each in kept} <= set(answers)


def is_judged(held: Context, check_id: UUID) -> bool:
    with held.database.reading() as session:
        check = session.get_one(Check, check_id)
        judged = select(Attempt.outcome).where(Attempt.check_id == check_id)
        return check.state == CheckState.DECIDED or all(session.scalars(judged).all())
