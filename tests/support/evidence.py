"""A trainee with a history worth proving: study, a check with pictures, an erasure, stamps and a witness."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from support.authority import Authority, serving, serving_time
from support.growing_log import GrowingLog
from support.school import Member, School, new_member, new_organisation, new_school

from bench.loose_leaves import loose
from xueji.enrolment.models import Enrolment
from xueji.evidence import services as evidence_services
from xueji.evidence.services import build_bundle
from xueji.identity import vault
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.proctoring.models import Attempt, Check, Picture
from xueji.progress.models import SITTING, Sitting
from xueji.trace import services as trace
from xueji.trace import witness
from xueji.trace.after_signing import collect_outside_proof
from xueji.trace.leaf import Entry
from xueji.trace.rules import Event
from xueji.trace.signing import LOG, KeyFile, SigningKey

PICTURES = (b"\xff\xd8 first picture", b"\xff\xd8 second picture")
LESSON_MS = 600_000
LONGEST_SIGNING_SECONDS = 120.0
"""Whoever asks for a bundle waits ten seconds; a test waits for what a busy machine does in the end."""


@dataclass
class Case:
    """One enrolment in one installation."""

    context: Context
    log: GrowingLog
    school: School
    trainee: Member
    enrolment: Enrolment
    regulator: Actor
    lesson_id: UUID

    @property
    def chain(self) -> str:
        return self.enrolment.chain

    @property
    def who(self) -> str:
        return self.context.keyring.pseudonym(self.enrolment.person_id, self.enrolment.id)

    def record(self, event: Event, **values: object) -> None:
        self.record_many([Entry(loose(event, values), self.chain, self.who)])

    def record_many(self, entries: list[Entry]) -> None:
        with self.context.database.writing() as session:
            trace.record_many(session, entries)

    def commit(self, value: str, field: str, reference: str | None = None) -> str:
        with self.context.database.writing() as session:
            person = str(self.enrolment.person_id)
            return trace.commit(session, value, chain=self.chain, field=field, person=person, reference=reference)

    def study(self, seconds: int = 60) -> str:
        """A sitting of the only lesson, from where the last one ended; a beat every ten seconds."""
        sitting, lesson = str(uuid4()), str(self.lesson_id)
        self.record(
            Event.SITTING_OPEN,
            sitting=sitting,
            lesson=lesson,
            method="face",
            resume_ms=0,
            furthest_ms=0,
            make_up=[],
            rulebook="cn-safety-training@2026.11",
            device=self.commit("Redmi Note 12", "device"),
            schedule=self.commit("[300000]", "schedule"),
            lease=sitting,
        )
        for number in range(seconds // 10):
            began = clock.to_ms(clock.now())
            self.log.time.advance(timedelta(seconds=10))
            first, last = number * 10_000, (number + 1) * 10_000
            self.record(
                Event.BEAT,
                sitting=sitting,
                lesson=lesson,
                seq=number,
                beat=str(uuid4()),
                from_ms=first,
                to_ms=last,
                state="playing",
                rate=1000,
                credited=[[first, last]],
                server=[began, began + 10_000],
                refused=[],
                furthest_ms=last,
            )
        return sitting

    def check(self, sitting: str) -> None:
        """A check answered with two pictures, kept as the platform keeps them."""
        person_id, check_id, attempt_id = self.enrolment.person_id, uuid4(), uuid4()
        frames, pictures = [], []
        with self.context.database.reading() as session:
            key = vault.person_key(session, self.context.keyring, person_id)
        for position, picture in enumerate(PICTURES):
            path = f"faces/checks/{check_id}/{position}"
            sealed = vault.seal(key, person_id, path, picture)
            self.context.store.put(path, sealed)
            commitment = self.commit(hashlib.sha256(picture).hexdigest(), "picture", path)
            frames.append({"sha256": hashlib.sha256(sealed).hexdigest(), "commitment": commitment})
            pictures.append(
                Picture(
                    attempt_id=attempt_id,
                    person_id=person_id,
                    position=position,
                    path=path,
                    sha256=frames[-1]["sha256"],
                    mark=hashlib.sha256(picture).hexdigest(),
                    commitment=commitment,
                )
            )
        self._keep(sitting, check_id, attempt_id, pictures)
        now_ms = clock.to_ms(clock.now())
        self.record(
            Event.CHECK_DUE,
            check=str(check_id), sitting=sitting, kind="scheduled", at_ms=now_ms,
            answer_by_ms=now_ms + 60_000, attempt=1,
        )  # fmt: skip
        self.record(
            Event.CHECK_ANSWER,
            check=str(check_id), attempt=1, method="face", frames=frames,
            device=self.commit("HD Webcam", "camera"), signals=[],
        )  # fmt: skip
        reference = self.commit(hashlib.sha256(b"her reference photo").hexdigest(), "reference")
        self.record(Event.REFERENCE_STAND, references=[{"reference": reference, "model": "test", "confirmed": True}])
        self.record(
            Event.CHECK_VERDICT,
            check=str(check_id), attempt=1, outcome="match", score=300_000, threshold=500_000,
            engine="test", model="test", final=True, signals=[], references=[reference],
        )  # fmt: skip

    def _keep(self, sitting: str, check_id: UUID, attempt_id: UUID, pictures: list[Picture]) -> None:
        now_ms = clock.to_ms(clock.now())
        with self.context.database.writing() as session:
            session.add(
                Sitting(
                    id=UUID(sitting), enrolment_id=self.enrolment.id, person_id=self.enrolment.person_id,
                    lesson_id=self.lesson_id, who=self.who, method="face", rulebook="", device="", terms="{}",
                    opened_ms=now_ms, last_contact_ms=now_ms, used_until_ms=now_ms, furthest_ms=0, resume_ms=0,
                    make_up="[]", study_ms=0, since_check_ms=0, next_check=0, last_interaction_ms=now_ms, day=0,
                    day_used_ms=0, last_seq=0, reports=0,
                )
            )  # fmt: skip
            session.flush()
            session.add(
                Check(
                    id=check_id, occasion_kind=SITTING, occasion_id=UUID(sitting), enrolment_id=self.enrolment.id,
                    person_id=self.enrolment.person_id, kind="scheduled", state="decided", due_ms=now_ms,
                    answer_by_ms=now_ms, nonce="n", prompts=[],
                )
            )  # fmt: skip
            session.flush()
            session.add(
                Attempt(
                    id=attempt_id, check_id=check_id, number=1, nonce="n", prompts=[], device="", answered_ms=now_ms
                )
            )
            session.flush()
            session.add_all(pictures)

    def bundle(self, actor: Actor | None = None, with_pictures: bool = True, **wishes: Any) -> bytes:
        """What the regulator gets, or somebody else, with the sequencer at work meanwhile."""
        with self.sequencing():
            made = build_bundle(
                self.context,
                enrolment_id=self.enrolment.id,
                actor=actor or self.regulator,
                with_pictures=with_pictures,
                **wishes,
            )
        with made.file:
            return made.file.read()

    @contextmanager
    def sequencing(self) -> Iterator[None]:
        """The sequencer runs beside the test, and a second passes with each of its steps."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(0.01):
                self.log.time.advance(timedelta(seconds=1))
                self.log.sequencer.step()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(evidence_services, "SECONDS_TO_SIGN", LONGEST_SIGNING_SECONDS)
                yield
        finally:
            stop.set()
            thread.join()


def new_case(context: Context, log: GrowingLog) -> Case:
    """A trainee enrolled on the first day of a cohort."""
    school = new_school(context)
    lesson = school.lesson(LESSON_MS)
    cohort = school.cohort(lesson)
    log.time.instant = clock.from_ms(clock.to_ms(clock.now()) + 2 * 86_400_000)
    trainee, enrolment = school.trainee(cohort)
    bureau = new_organisation(context, OrganisationKind.AUTHORITY)
    regulator = new_member(context, bureau, Role.REGULATOR).actor
    return Case(context, log, school, trainee, enrolment, regulator, lesson.id)


def rich_case(context: Context, log: GrowingLog, vouch: Callable[[], None] = lambda: None) -> Case:
    """Two sittings with a check between them, one datum erased; ``vouch`` is called before, between and after."""
    case = new_case(context, log)
    log.settle()
    vouch()
    sitting = case.study()
    log.settle()
    case.check(sitting)
    log.settle()
    log.time.advance(timedelta(minutes=15))
    vouch()
    with context.database.writing() as session:
        trace.erase(session, chain=case.chain, who="officer", what="camera", field="camera")
    case.study(30)
    log.settle()
    log.time.advance(timedelta(minutes=15))
    log.record("somebody else", 40)
    log.settle()
    vouch()
    return case


@contextmanager
def vouched(context: Context, witness_data: Path) -> Iterator[tuple[Context, Authority, Callable[[], None]]]:
    """The installation with a time-stamp authority and a witness of its own, and what asks both."""
    authority = Authority.new()
    authority.now = clock.now
    (context.settings.keys / "timestamp.pem").write_bytes(authority.pem)
    other = Settings(**{**vars(context.settings), "data": witness_data, "log_origin": "regulator.example"})
    key = witness.witness_key(other)

    def answer(path: str, body: bytes) -> tuple[int, str, bytes]:
        assert path == "/add-checkpoint"
        with context.database.writing() as session:
            logs = [each.public for each in _log_keys(context)]
            answered = witness.cosign(session, body.decode(), logs, key)
        return answered.status, answered.content_type, answered.body.encode()

    with serving_time(authority) as stamps, serving(answer) as cosigns:
        settings = Settings(
            **{**vars(context.settings), "timestamp_urls": stamps, "witness_urls": f"{key.public}={cosigns}"}
        )
        asking = Context(settings, context.database, context.store, context.keyring, context.events)
        yield asking, authority, lambda: collect_outside_proof(asking)


def _log_keys(context: Context) -> list[SigningKey]:
    keys = KeyFile(context.settings.keys).load(context.settings.log_origin)
    return [key for key in keys if key.purpose == LOG]
