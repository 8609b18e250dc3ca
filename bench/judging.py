"""What a worker process holds when it has judged: a real one, started as `xueji up` starts it, given real checks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, select

from bench import learners
from media_pipeline.verdict import Strip
from xueji.identity import consent_text, vault
from xueji.identity.models import Person
from xueji.identity.rules import ConsentKind
from xueji.identity.services import enrol_photo, give_consent
from xueji.kernel import clock, crypto
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import SHORT, make_celery
from xueji.proctoring.models import Attempt, Check, Picture
from xueji.proctoring.rules import CheckState
from xueji.progress.models import Sitting
from xueji.rulebook.vocabulary import CheckKind
from xueji.supervisor import programs
from xueji.supervisor.process import Process

PATIENCE_SECONDS = 120
PROMPTS = ["turn_left", "blink"]


class NotJudged(RuntimeError):
    """The worker did not judge everything in time, or was replaced meanwhile."""


@dataclass(frozen=True)
class Held:
    """MiB of the process that judged."""

    after: float
    highest: float


@dataclass(frozen=True)
class Answer:
    """What a page sends for one check: single frames, and a strip for each of the prompts."""

    frames: Sequence[bytes]
    movements: Sequence[Strip]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(map(len, self.frames)) + sum(len(strip.data) for strip in self.movements)


def measure(data: Path, photo: bytes, checks: Sequence[Answer]) -> Held:
    """Judge each answer as one check, in a new installation in ``data``. Raises NotJudged."""
    learner = learners.make(data, "", 1)[0]
    context = Context.open(Settings.load({"XUEJI_DATA": str(data)}))
    try:
        _prepare(context, learner.sitting_id, photo)
        attempts = [_answered(context, learner.sitting_id, answer) for answer in checks]
        with _worker(context) as worker:
            before = _children(worker)
            celery = make_celery(context.settings)
            for attempt_id in attempts:
                celery.send_task("proctoring.judge", [str(attempt_id)])
            _wait_for(context, len(attempts))
            children = _children(worker)
            if children != before:
                raise NotJudged(f"the worker's processes were {before} and are {children}")
            return max((_held(child) for child in children), key=lambda held: held.after)
    finally:
        context.close()


def _prepare(context: Context, sitting_id: UUID, photo: bytes) -> None:
    """The learner has a key of her own, has consented, and a photo of hers is enrolled."""
    kind = ConsentKind.FACE
    with context.database.writing() as session:
        person = session.get_one(Person, session.get_one(Sitting, sitting_id).person_id)
        person.wrapped_key = context.keyring.wrap(crypto.new_key(), str(person.id))
        version = consent_text.CURRENT[kind]
        give_consent(session, context.keyring, person=person, kind=kind, text_version=version)
    enrol_photo(context, person_id=person.id, photo=photo)


def _answered(context: Context, sitting_id: UUID, answer: Answer) -> UUID:
    """A check whose answer is stored and waits to be judged."""
    now_ms = clock.to_ms(clock.now())
    with context.database.writing() as session:
        sitting = session.get_one(Sitting, sitting_id)
        key = vault.person_key(session, context.keyring, sitting.person_id)
        check = Check(
            id=uuid4(),
            occasion_kind=sitting.KIND,
            occasion_id=sitting.id,
            enrolment_id=sitting.enrolment_id,
            person_id=sitting.person_id,
            kind=CheckKind.SCHEDULED,
            state=CheckState.ANSWERED,
            due_ms=now_ms,
            answer_by_ms=now_ms,
            nonce=uuid4().hex,
            prompts=PROMPTS,
        )
        session.add(check)
        session.flush()
        attempt = Attempt(
            id=uuid4(),
            check_id=check.id,
            number=1,
            nonce=check.nonce,
            prompts=PROMPTS,
            pulses=[list(strip.moments_ms) for strip in answer.movements],
            device="bench",
            answered_ms=now_ms,
        )
        session.add(attempt)
        session.flush()
        moved = [(place, strip.data) for place, strip in enumerate(answer.movements)]
        pictures = [*((None, frame) for frame in answer.frames), *moved]
        for position, (movement, picture) in enumerate(pictures):
            path = f"faces/bench/{uuid4()}"
            ciphertext = vault.seal(key, sitting.person_id, path, picture)
            context.store.put(path, ciphertext)
            session.add(
                Picture(
                    attempt_id=attempt.id,
                    person_id=sitting.person_id,
                    position=position,
                    movement=movement,
                    path=path,
                    sha256=path[-36:],
                    commitment="",
                )
            )
        return attempt.id


@contextmanager
def _worker(context: Context) -> Iterator[int]:
    """The broker and one worker of one process; its number."""
    settings = replace(context.settings, worker_processes=1, periodic_tasks=False)
    (settings.data / "log").mkdir(exist_ok=True)
    (settings.data / "run").mkdir(exist_ok=True)
    path = settings.broker_socket
    if path is None:
        raise NotJudged("this installation has a broker of its own elsewhere")
    # What the tests' linter brings along is in no installation, and structlog would load it.
    absent = settings.data / "absent"
    absent.mkdir()
    (absent / "rich.py").write_text("raise ImportError\n", "utf-8")
    environment = {"XUEJI_DATA": str(settings.data), "PYTHONPATH": str(absent)}
    started: list[Process] = []
    try:
        for program in (programs.broker(settings, path), programs.worker("worker", settings, SHORT, 1, beat=False)):
            started.append(Process(replace(program, environment={**program.environment, **environment})))
            started[-1].start()
            started[-1].wait_until_ready(lambda: False)
        yield started[-1].pid or 0
    finally:
        for process in reversed(started):
            process.stop()


def _wait_for(context: Context, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    judged = select(func.count()).where(Attempt.outcome.is_not(None), Attempt.engine != "none")
    while True:
        with context.database.reading() as session:
            if session.scalar(judged) == count:
                return
        if time.monotonic() > deadline:
            raise NotJudged("the worker is late: its log in the data folder says why")
        time.sleep(0.2)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def _held(pid: int) -> Held:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines())
    return Held(*(int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")))
