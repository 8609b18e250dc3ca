"""Log lines that leave the machine: sent, never waited for, and counted where they could not be."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from xueji import doctor
from xueji.doctor import LineStatus
from xueji.kernel import log_collector, logs
from xueji.kernel.log_collector import Collector, ToCollector
from xueji.kernel.settings import SettingError, Settings


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root, known = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**known)


def _datagrams() -> socket.socket:
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.bind(("127.0.0.1", 0))
    heard.settimeout(10)
    return heard


def test_lines_reach_a_collector_without_numbers_that_name_somebody(settings: Settings) -> None:
    with _datagrams() as heard:
        sent_to = f"syslog://127.0.0.1:{heard.getsockname()[1]}"
        logs.configure(replace(settings, log_collector=sent_to), "web")
        structlog.get_logger("xueji.test").warning("odd", what="62010219850307123X", note=7)
        data = heard.recv(65536).decode()
    priority, _, line = data.partition("xueji-web: ")
    said = json.loads(line)
    assert priority == f"<{16 * 8 + 4}>"
    assert (said["event"], said["level"], said["what"], said["note"]) == ("odd", "warning", "[identity number]", 7)


def _handler(port: int) -> ToCollector:
    made = ToCollector(Collector.parse(f"syslog+tcp://127.0.0.1:{port}"), "web")
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def _say(handler: ToCollector, words: str) -> None:
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, words, None, None))


def test_nobody_waits_for_a_collector_that_is_away_and_it_is_told_what_it_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_collector, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(log_collector, "QUEUED", 10)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = _handler(port)
    began = time.monotonic()
    for number in range(500):
        _say(handler, f"line {number}")
    assert time.monotonic() - began < 1
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(10)
        stream, _address = server.accept()
        assert handler.drain(10)
        stream.settimeout(10)
        received = b""
        while received.count(b"\n") < 11:
            received += stream.recv(65536)
        stream.close()
    first, *others = received.decode().splitlines()
    missed = json.loads(first.partition("xueji-web: ")[2])
    assert (missed["event"], missed["lines"] + len(others)) == ("log.not_sent", 500)


def test_a_child_process_sends_its_lines_too() -> None:
    """The worker's processes are forked from one that logs already; a thread does not go along."""
    with _datagrams() as heard:
        handler = ToCollector(Collector.parse(f"syslog://127.0.0.1:{heard.getsockname()[1]}"), "worker")
        handler.setFormatter(logging.Formatter("%(message)s"))
        child = os.fork()
        if child == 0:
            _say(handler, "from the child")
            os._exit(0 if handler.drain(10) else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert heard.recv(65536).endswith(b"xueji-worker: from the child")


def test_an_address_that_is_none_is_refused_at_start(settings: Settings) -> None:
    for wrong in ("collector.example", "http://collector.example", "syslog://", "unix://"):
        with pytest.raises(SettingError, match="log_collector"):
            replace(settings, log_collector=wrong).completed()
    assert Collector.parse("syslog+tcp://collector.example").address == ("collector.example", 601)
    assert Collector.parse("syslog://collector.example").address == ("collector.example", 514)


def test_doctor_says_whether_the_lines_leave_the_machine(settings: Settings) -> None:
    found = doctor.log_lines(settings)
    assert found.outcome is LineStatus.WARN and "log_collector" in found.words
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = replace(settings, log_collector=f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}")
        assert doctor.log_lines(there).outcome is LineStatus.OK
    assert doctor.log_lines(there).outcome is LineStatus.FAIL
    with _datagrams() as heard:
        datagrams = replace(settings, log_collector=f"syslog://127.0.0.1:{heard.getsockname()[1]}")
        assert doctor.log_lines(datagrams).outcome is LineStatus.OK
