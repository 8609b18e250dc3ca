"""Beats written by a process of their own: the same answers, refusals and announcements as in one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest
from flask import Flask
from support.lesson_page import Page, opened_page
from support.scenario import Scenario, playing

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.sidecar import Sidecar, WorkFailed
from xueji.progress.beat_intake import start_recorder

LESSON_MS = 2_000
_receive = Connection.recv


@pytest.fixture
def recorder(app: Flask, context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sidecar]:
    settings = context.settings
    monkeypatch.setenv("XUEJI_DATA", str(settings.data))
    monkeypatch.setenv("XUEJI_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("XUEJI_BROKER_URL", "memory://")
    monkeypatch.setenv("XUEJI_LOG_ORIGIN", settings.log_origin)
    recorder = start_recorder(app)
    yield recorder
    recorder.end()


@pytest.fixture
def scenario(app: Flask, recorder: Sidecar) -> Iterator[Scenario]:
    """Begins now: the recorder has the machine's clock."""
    with playing(app, begins=clock.now(), lessons=1, lesson_ms=LESSON_MS) as scenario:
        yield scenario


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    page = opened_page(app, scenario)
    time.sleep(LESSON_MS / 1000)
    return page


def test_a_beat_is_credited_and_what_the_page_should_hear_is_announced_here(page: Page) -> None:
    heard: list[Announcement] = []
    page.scenario.context.events.subscribe(Announcement, heard.append)
    answer = page.send(page.beat(LESSON_MS)).json or {}
    assert answer["credited_ms"] == LESSON_MS
    assert [leaf["credited"] for leaf in page.leaves("beat")] == [[[0, LESSON_MS]]]
    # The lesson is over and its time unconfirmed: a closing check is asked, in the answer and over the socket.
    (said,) = heard
    assert said.event == "check.due"
    assert said.payload["check_id"] == answer["check"]["check_id"]


def test_a_refusal_is_worded_as_ever(page: Page) -> None:
    assert page.send(page.beat(LESSON_MS)).status_code == 200
    clash = page.send(page.beat(1_000, seq=1))
    assert (clash.status_code, clash.json["type"], clash.json["sequences"]) == (409, "beat-conflict", [1])  # type: ignore[index]
    assert "detail" in (clash.json or {})
    assert len(page.leaves("beat.conflict")) == 1


def test_beats_whose_answer_is_lost_with_the_recorder_count_once(
    page: Page, recorder: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: written, and dead before it could say so."""
    lost: list[object] = []

    def receive(channel: Connection) -> object:
        answer = _receive(channel)
        if lost:
            return answer
        lost.append(answer)
        os.kill(_pid(recorder), signal.SIGKILL)
        raise EOFError

    monkeypatch.setattr(Connection, "recv", receive)
    first, second = page.beat(LESSON_MS // 2), page.beat(LESSON_MS // 2)
    assert (page.send(first).json or {})["credited_ms"] == LESSON_MS // 2
    assert len(lost) == 1
    assert (page.send(second).json or {})["credited_ms"] == LESSON_MS
    assert [leaf["credited"] for leaf in page.leaves("beat")] == [[[0, LESSON_MS // 2]], [[LESSON_MS // 2, LESSON_MS]]]


def test_the_recorder_is_another_process_and_its_death_is_not_noticed(page: Page, recorder: Sidecar) -> None:
    assert page.send(page.beat(LESSON_MS // 2)).status_code == 200
    assert _pid(recorder) != os.getpid()
    os.kill(_pid(recorder), signal.SIGKILL)
    assert page.send(page.beat(LESSON_MS // 2)).status_code == 200


def test_sittings_are_opened_by_the_recorder_and_refusals_worded_as_ever(app: Flask, page: Page) -> None:
    other = Page(app, page.scenario, page.student)
    answer = other.open()
    assert (answer.status_code, (answer.json or {})["type"]) == (409, "sitting-lease-held")
    assert other.open(continue_here=True).status_code == 201


def test_readiness_asks_the_recorder_too(app: Flask, recorder: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = app.extensions["xueji_probes"]["recorder"]
    ready()
    monkeypatch.setenv("XUEJI_DATA", "/nowhere")
    recorder.end()
    with pytest.raises(WorkFailed):
        ready()


def _pid(recorder: Sidecar) -> int:
    assert recorder._process is not None
    return recorder._process.pid
