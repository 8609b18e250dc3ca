"""The demonstration as an installation that runs, and the trainees and cohorts that a test needs besides."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from uuid import UUID

import pytest
from browser.history import History, make_history
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.people import PASSWORD, Someone, consented, someone
from support.school import cohort_plan

from xueji import demo, installation
from xueji.cohorts.models import Cohort
from xueji.cohorts.services import planning as cohorts
from xueji.demo import course
from xueji.demo.accounts import Accounts, Placed
from xueji.demo.cast import FACTORY
from xueji.demo.training import CHECK_IN_LASTS
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services import trainees
from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement
from xueji.identity import services
from xueji.identity.models import Organisation, Person, ReferencePhoto
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import make_celery
from xueji.proctoring.models import Check
from xueji.proctoring.services import check_in, enter_code, room_code
from xueji.trace import queries as trace

START_SECONDS = 180
STOP_SECONDS = 120

# The demonstration's films, shorter: how long a film is says nothing about whether it plays.
FILMS = ((course.LESSONS[0][0], 60), (course.LESSONS[1][0], 30))

STUDIED_CLOSELY: Mapping[str, int] = {
    "beat_ms": 2_000,
    "checks_min_gap_ms": 5_000,
    "checks_max_gap_ms": 7_000,
    "retries": 1,
}
"""A check within seconds of study, and the next one soon after."""
LEFT_ALONE: Mapping[str, int] = {"beat_ms": 2_000, "checks_min_gap_ms": 3_000_000, "checks_max_gap_ms": 3_600_000}
"""Reports often and asks nothing within these films but the one check that every lesson has."""


@dataclass(frozen=True)
class Trainee:
    """Somebody enrolled in a cohort of her own."""

    account: str
    person_id: UUID
    enrolment_id: UUID
    name: str


@dataclass
class Campus:
    """The installation. ``context`` is a second look at the same data, from this process."""

    context: Context
    port: int
    people: dict[str, Placed]
    history: History
    enrolments: dict[str, UUID]
    """Of the demonstration's trainees, by account."""
    lessons: list[UUID]
    passwords: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def password(self, account: str) -> str:
        return self.passwords[account]

    def trainee(
        self,
        name: str,
        *,
        route: ProofRoute | None = ProofRoute.FACE,
        photo: bytes | None = None,
        plan: Mapping[str, int] = STUDIED_CLOSELY,
    ) -> Trainee:
        """Registered, with her route chosen (None: never asked), and enrolled in a new cohort under ``plan``.

        On the face route she has consented and ``photo`` is her reference; on the other one staff have checked her in.
        """
        context, staff = self.context, self.people["institution"].actor
        with context.database.reading() as session:
            factory = session.get_one(Organisation, self.people["enterprise"].actor.organisation_id)
        who = someone(context, Role.TRAINEE, at=factory, name=name)
        self.passwords[who.account] = PASSWORD
        if route is ProofRoute.FACE:
            consented(context, who)
        if route is not None:
            with context.database.writing() as session:
                services.choose_route(session, context.events, person=session.get_one(Person, who.id), route=route)
        trainee = Trainee(who.account, who.id, self.enrol(who.id, plan), name)
        if photo is not None:
            photo_id = services.enrol_photo(context, person_id=who.id, photo=photo)
            with context.database.writing() as session:
                services.decide_photo(
                    session,
                    context.keyring,
                    context.events,
                    photo=session.get_one(ReferencePhoto, photo_id),
                    confirmed=True,
                    actor=staff,
                )
        elif route is ProofRoute.SUPERVISED:
            with context.database.writing() as session:
                check_in(
                    session,
                    context.keyring,
                    actor=staff,
                    enrolment_id=trainee.enrolment_id,
                    place="一号教室",
                    lasts=CHECK_IN_LASTS,
                )
            self._type_code(who, trainee)
        return trainee

    def _type_code(self, who: Someone, trainee: Trainee) -> None:
        """As she reads it in the room."""
        context = self.context
        with context.database.writing() as session:
            cohort_id = session.get_one(Enrolment, trainee.enrolment_id).cohort_id
            code = room_code(context.keyring, cohort_id, "一号教室", clock.to_ms(clock.now()))
            enter_code(session, context.keyring, actor=who.actor(Role.TRAINEE), code=code)

    def enrol(self, person_id: UUID, plan: Mapping[str, int]) -> UUID:
        """The person's enrolment in a new cohort under the plan, with the demonstration's lessons."""
        context, staff = self.context, self.people["institution"].actor
        with context.database.writing() as session:
            cohort = self._drafted(session, plan)
            cohorts.open_cohort(session, context.keyring, cohort=cohort, actor=staff)
            person = session.get_one(Person, person_id)
            return trainees.enrol(session, context.keyring, cohort=cohort, person=person, actor=staff).id

    def draft_cohort(self) -> UUID:
        """One that can still be edited."""
        with self.context.database.writing() as session:
            return self._drafted(session, {}).id

    def _drafted(self, session: Session, plan: Mapping[str, int]) -> Cohort:
        staff = self.people["institution"].actor
        online_ms = sum(seconds for _title, seconds in FILMS) * 1000
        values = cohort_plan(region=FACTORY.region, industry="fireworks", proctoring=dict(plan), online_ms=online_ms)
        hours = replace(values, in_person_ms=values.total_ms - online_ms)
        cohort = cohorts.create_cohort(session, actor=staff, plan=hours)
        cohorts.choose_lessons(session, actor=staff, cohort_id=cohort.id, lesson_ids=self.lessons)
        return cohort

    def lesson_path(self, trainee: Trainee, number: int = 0) -> str:
        return f"/learn/{trainee.enrolment_id}/{self.lessons[number]}"

    def statement(self, trainee: Trainee) -> Statement:
        with self.context.database.reading() as session:
            statement = statement_of(session, trainee.enrolment_id)
        assert statement is not None
        return statement

    def credited(self, trainee: Trainee) -> int:
        """What she has watched and the server has paid for, in whatever state, in milliseconds."""
        online = self.statement(trainee).online
        return online.counted_ms + online.provisional_ms + online.held_ms

    def outcomes(self, trainee: Trainee) -> list[str | None]:
        """How her checks ended, in the order in which they were asked."""
        with self.context.database.reading() as session:
            asked = select(Check.outcome).filter_by(enrolment_id=trainee.enrolment_id).order_by(Check.due_ms)
            return list(session.scalars(asked))

    def leaves(self, trainee: Trainee, event: str) -> list[dict[str, Any]]:
        with self.context.database.reading() as session:
            chain = trace.chain(session, str(trainee.enrolment_id))
            return [leaf["values"] for leaf in chain if leaf["event"] == event]


@contextmanager
def prepared(data: Path) -> Iterator[Campus]:
    """Set up, and filled with the demonstration, by what `make run` does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("XUEJI_")]:
            patch.delenv(name)
        patch.setattr(course, "LESSONS", FILMS)
        installation.name_the_log(data)
        port = _free_port()
        environment = {"XUEJI_DATA": str(data), "XUEJI_PORT": str(port)}
        began = clock.now() - timedelta(days=1)
        # Everything from the log's first leaf on happened a day ago, so that the history fits between it and now.
        # No broker is up yet: what is told to it meanwhile is told to nobody.
        alone = {**environment, "XUEJI_BROKER_URL": "memory://"}
        with clock.fixed(began):
            installation.make(Settings.load(environment))
            with _opened(alone) as context:
                demo.make(context)
                people = Accounts.open_or_create(context.settings).register(context)
        history = make_history(Settings.load(alone), people, began + timedelta(hours=1))
        with _opened(environment) as context:
            made = demo.make(context)  # again, as each start does it: who was checked in yesterday is so today
            yield Campus(
                context,
                port,
                people,
                history,
                {each["account"]: UUID(each["enrolment_id"]) for each in made["enrolments"]},
                [UUID(lesson["lesson_id"]) for lesson in made["enrolments"][0]["lessons"]],
                {**{each["account"]: each["password"] for each in made["accounts"]}, **history.passwords},
            )


@contextmanager
def _opened(environment: Mapping[str, str]) -> Iterator[Context]:
    context = Context.open(Settings.load(environment))
    make_celery(context.settings)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def running(campus: Campus) -> Iterator[None]:
    """`xueji up`, until the block ends."""
    data = campus.context.settings.data
    environment = {**os.environ, "XUEJI_DATA": str(data), "XUEJI_PORT": str(campus.port)}
    output = data / "up.txt"
    with output.open("wb") as said:
        up = subprocess.Popen([sys.executable, "-m", "xueji.cli", "up"], env=environment, stdout=said, stderr=said)
    try:
        _wait_until_ready(up, campus.url, output)
        yield
    finally:
        up.terminate()
        assert up.wait(STOP_SECONDS) == 0, output.read_text("utf-8")


def _wait_until_ready(up: subprocess.Popen[bytes], url: str, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    why: object = ""
    while time.monotonic() < deadline:
        assert up.poll() is None, output.read_text("utf-8")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=START_SECONDS) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError) as error:
            why = error
        time.sleep(0.2)
    raise AssertionError(f"not ready after {START_SECONDS} s: {why}\n{output.read_text('utf-8')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
