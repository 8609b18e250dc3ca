"""A lesson page as a program sees it: opens sittings, reports beats, answers checks; or whatever pretends to be one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from support.people import bearer
from support.scenario import DEVICE, Scenario, Student, portrait
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from media_pipeline.harmless import scripted
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.proctoring import services as proctoring
from xueji.progress.leases import page_ticket
from xueji.trace import queries as trace


@dataclass
class Page:
    """One page of one student's; ``lesson`` counts from 0."""

    app: Flask
    scenario: Scenario
    student: Student
    sitting_id: UUID = field(default_factory=uuid4)
    lesson: int = 0
    seq: int = 0
    at_ms: int = 0

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        self.sign_in()

    def sign_in(self) -> None:
        self.client.environ_base["HTTP_AUTHORIZATION"] = bearer(self.scenario.context, self.student.who)[
            "Authorization"
        ]

    def open(self, **changes: Any) -> TestResponse:
        body = {
            "sitting_id": str(self.sitting_id),
            "enrolment_id": str(self.student.enrolment.id),
            "lesson_id": str(self.scenario.lessons[self.lesson].id),
            "device": DEVICE,
            "page": self.ticket(),
            **changes,
        }
        return self.client.post("/api/v1/sittings", json=body)

    def ticket(self) -> str:
        """What the page carries, as if it had been loaded."""
        lesson = self.scenario.lessons[self.lesson].id
        keyring = self.scenario.context.keyring
        return page_ticket(keyring, self.student.actor, self.student.enrolment.id, lesson)

    def beat(self, ms: int = 10_000, **changes: Any) -> dict[str, Any]:
        self.seq += 1
        beat = {
            "beat_id": str(uuid4()),
            "seq": self.seq,
            "from_ms": self.at_ms,
            "to_ms": self.at_ms + ms,
            "state": "playing",
            "rate": 1.0,
            "sent_at": clock.rfc3339(clock.now()),
            **changes,
        }
        self.at_ms = beat["to_ms"]
        return beat

    def send(self, *beats: dict[str, Any]) -> TestResponse:
        return self.client.post(f"/api/v1/sittings/{self.sitting_id}/beats", json={"beats": list(beats)})

    def watch(self, ms: int = 10_000) -> dict[str, Any]:
        """Really watch, then report it; like the player, go back to where the server is."""
        self.scenario.time.advance(timedelta(milliseconds=ms))
        answer = self.send(self.beat(ms))
        assert answer.status_code == 200, answer.json
        said = dict(answer.json or {})
        self.at_ms = said["furthest_ms"]
        return said

    def until_check(self) -> dict[str, Any]:
        """Watch until a check is asked for, and say that one is there when that is asked; the check."""
        while True:
            answer = self.watch()
            if answer["question"]:
                self.say_here(answer["question"]["question_id"])
            if answer["check"]:
                return dict(answer["check"])

    def show_face(self, check: dict[str, Any], outcome: Judged = Judged.MATCH) -> dict[str, Any]:
        """Answer a check so that every attempt at it is judged so; how it stands at the end."""
        self.scenario.judge.otherwise = scripted(outcome)
        while True:
            assert self.answer(check).status_code == 202
            self.scenario.time.advance(timedelta(seconds=30))
            judge_waiting(self.scenario)
            check = self.check_state(check)
            if check["state"] != "due":
                return check

    def account(self) -> Statement:
        """What her statement says now."""
        with self.scenario.context.database.reading() as session:
            return statement_of(session, self.student.enrolment.id)

    def say_here(self, question_id: str = "") -> TestResponse:
        """Answer a question, or one that nobody asked."""
        said = {"question_id": question_id or str(uuid4())}
        return self.client.post(f"/api/v1/sittings/{self.sitting_id}/presence", json=said)

    def ask_check(self) -> TestResponse:
        """Ask for a check of one's own wish."""
        return self.client.post(f"/api/v1/sittings/{self.sitting_id}/checks")

    def leaves(self, event: str) -> list[dict[str, Any]]:
        with self.scenario.context.database.reading() as session:
            chain = str(self.student.enrolment.id)
            return [leaf["values"] for leaf in trace.chain(session, chain) if leaf["event"] == event]

    def answer(
        self,
        check: dict[str, Any],
        *frames: bytes,
        movements: Sequence[bytes] = (),
        nonce: str | None = None,
        device: str = "",
    ) -> TestResponse:
        """Upload pictures (three drawn ones unless told) as the answer to a check, and those of its movements."""
        pictures = frames or tuple(portrait() for _ in range(3))
        # Encoded here, for the test client leaves the temporary file of a large form to the garbage collector.
        boundary, form = encode_multipart(
            {
                "nonce": check["nonce"] if nonce is None else nonce,
                "device": device,
                "frame": [FileStorage(io.BytesIO(picture), f"{number}.jpg") for number, picture in enumerate(pictures)],
                "movement": [
                    FileStorage(io.BytesIO(strip), f"m{number}.jpg") for number, strip in enumerate(movements)
                ],
            }
        )
        url = f"/api/v1/checks/{check['check_id']}/frames"
        return self.client.post(url, data=form, content_type=f"multipart/form-data; boundary={boundary}")

    def check_state(self, check: dict[str, Any]) -> dict[str, Any]:
        return dict(self.client.get(f"/api/v1/checks/{check['check_id']}").json or {})


def opened_page(app: Flask, scenario: Scenario, route: ProofRoute = ProofRoute.FACE) -> Page:
    """A student's page on which the first lesson's sitting is open; without a camera, after she was checked in."""
    student = scenario.student(route=route)
    if route is ProofRoute.SUPERVISED:
        scenario.check_in(student)
    page = Page(app, scenario, student)
    assert page.open().status_code == 201
    return page


def judge_all(page: Page, after: timedelta = timedelta(seconds=30)) -> None:
    """What the worker does, so long after the answers came."""
    page.scenario.time.advance(after)
    judge_waiting(page.scenario)


def judge_waiting(scenario: Scenario) -> None:
    """The same for all answers that have waited for long enough."""
    with scenario.context.database.reading() as session:
        waiting = proctoring.waiting_attempts(session)
    for attempt_id in waiting:
        proctoring.judge_attempt(scenario.context, attempt_id)


def sweep(page: Page) -> int:
    """What is due every few seconds: decide the checks whose window is over."""
    with page.scenario.context.database.writing() as session:
        return proctoring.sweep_missed(session)
