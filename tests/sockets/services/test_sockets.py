"""The process that holds the pages' sockets: strangers stay out, each sign-in has two, and each hears its sitting."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import websocket
from flask import Flask
from support.lesson_page import Page, opened_page
from support.scenario import Scenario

from xueji.gateway.handing import Handing, ends
from xueji.identity import services as identity
from xueji.identity.models import LoginSession
from xueji.identity.rules import ProofRoute, SessionEnd
from xueji.kernel.context import Context
from xueji.sockets import __main__ as process
from xueji.sockets.__main__ import Exchange
from xueji.sockets.callers import Callers
from xueji.sockets.line import MOST_MESSAGES

PATIENCE = 30.0
PATH = "/socket.io/?EIO=4&transport=websocket"


class Running:
    """The exchange on a thread, and in front of it somebody who hands every connection over unread."""

    def __init__(self, context: Context) -> None:
        giving, taking = ends()
        self._giving, self._ends = Handing(giving), (giving, taking)
        self.loop = asyncio.new_event_loop()
        self.exchange = Exchange(context, Handing(taking))
        self._clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._task = self.loop.create_task(self.exchange.run())
        with pytest.raises(asyncio.CancelledError):
            self.loop.run_until_complete(self._task)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(PATIENCE)

    def call(self, token: str = "", **headers: str) -> websocket.WebSocket:
        """Raises WebSocketBadStatusException when it is refused."""
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        self._clients.append(ours)
        everything = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in everything.items())
        key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        with theirs:
            assert self._giving.give(theirs, f"GET {PATH} HTTP/1.1\r\nHost: study.test\r\n{key}{head}\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            got = ours.recv(1)
            if not got:
                break
            answer += got
        client = websocket.WebSocket()
        client.sock, client.connected = ours, True
        client.handshake_response = websocket._handshake.handshake_response(
            int(answer.split()[1]) if answer else 0, {}, None
        )
        return client

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE)
        for each in (*self._ends, *self._clients):
            each.close()


@pytest.fixture
def running(context: Context) -> Iterator[Running]:
    made = Running(context)
    yield made
    made.end()


def token_of(page: Page) -> str:
    return str(page.client.environ_base["HTTP_AUTHORIZATION"]).removeprefix("Bearer ")


@pytest.fixture
def token(app: Flask, scenario: Scenario) -> str:
    return token_of(opened_page(app, scenario, ProofRoute.SUPERVISED))


def status(client: websocket.WebSocket) -> int:
    return int(client.getstatus() or 0)


def opened(running: Running, token: str) -> websocket.WebSocket:
    client = running.call(token)
    assert status(client) == 101
    assert str(client.recv()).startswith("0{")
    client.send("40")
    assert str(client.recv()).startswith("40{")
    return client


def is_cut_off(client: websocket.WebSocket) -> bool:
    """Whether the next thing it hears is its end."""
    try:
        return client.recv() in ("", b"")
    except (OSError, websocket.WebSocketConnectionClosedException):
        return True


def test_a_stranger_and_a_forged_token_get_no_socket(running: Running, token: str) -> None:
    assert status(running.call()) == 401
    assert status(running.call(token[:-4] + "AAAA")) == 401
    assert status(running.call(Cookie="xueji=invented")) == 401


def test_a_page_of_another_site_gets_no_socket(running: Running, token: str) -> None:
    assert status(running.call(token, Origin="https://evil.test")) == 401
    assert status(running.call(token, Origin="https://study.test")) == 101


def test_who_has_signed_out_gets_no_socket_and_soon_loses_the_one_she_has(
    running: Running, context: Context, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened(running, token)
    with context.database.writing() as session:
        for login in session.query(LoginSession):
            identity.end_session(session, context.events, login, reason=SessionEnd.SIGNED_OUT)
    assert status(running.call(token)) == 401
    running.do(running.exchange._end_what_is_over())
    assert client.recv() == "41"


def test_the_third_socket_of_a_sign_in_ends_the_first(running: Running, token: str) -> None:
    first, second, third = (opened(running, token) for _ in range(3))
    assert first.recv() == "41"
    for client in (second, third):
        client.send('420["join",{}]')
        assert client.recv() == '430[{"joined":false}]'


def test_a_page_hears_its_own_sitting_and_nobody_else_s(running: Running, app: Flask, scenario: Scenario) -> None:
    page = opened_page(app, scenario, ProofRoute.SUPERVISED)
    client = opened(running, token_of(page))
    client.send(f'420["join",{{"sitting_id":"{page.sitting_id}"}}]')
    assert client.recv() == '430[{"joined":true}]'
    client.send(f'421["join",{{"sitting_id":"{uuid4()}"}}]')
    assert client.recv() == '431[{"joined":false}]'
    server = running.exchange._rooms.server
    for room in (uuid4(), page.sitting_id):
        running.do(server.emit("sitting.state", {"sitting_id": str(room)}, room=f"sitting:{room}"))
    assert client.recv() == f'42["sitting.state",{{"sitting_id":"{page.sitting_id}"}}]'


@pytest.mark.parametrize(
    "speak",
    [lambda client: client.send("a" * 20_000), lambda client: [client.send('42["x"]') for _ in range(MOST_MESSAGES)]],
    ids=["too long", "too often"],
)
def test_who_says_more_than_a_page_has_to_say_is_cut_off(
    running: Running, token: str, speak: Callable[[websocket.WebSocket], object]
) -> None:
    client = opened(running, token)
    speak(client)
    assert is_cut_off(client)


def test_what_is_no_request_for_a_socket_is_closed(running: Running) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(PATIENCE)
        assert running._giving.give(theirs, b"GET /socket.io/ HTTP/1.1\r\nHost: a\r\n\r\n")
        theirs.close()
        while ours.recv(1000):
            pass


def test_an_address_has_a_bounded_number_of_sockets() -> None:
    callers: Callers[int] = Callers(most=5, most_an_address=3)
    people = [uuid4() for _ in range(9)]
    for number in range(3):
        assert callers.may_enter("198.51.100.1")
        callers.enter(people[number], "198.51.100.1", number)
    assert not callers.may_enter("198.51.100.1")
    for number in (3, 4):
        assert callers.may_enter("198.51.100.2")
        callers.enter(people[number], "198.51.100.2", number)
    assert not callers.may_enter("198.51.100.3"), "the bound over all"
    callers.leave(people[0], "198.51.100.1", 0)
    callers.leave(people[0], "198.51.100.1", 0)
    assert callers.may_enter("198.51.100.1")
    assert people[0] not in callers.sign_ins()


def test_the_address_is_the_one_a_trusted_proxy_saw(context: Context) -> None:
    from werkzeug.datastructures import Headers

    from xueji.sockets.door import Door

    headers = Headers({"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    assert Door(context).address(headers, "127.0.0.1") == "127.0.0.1"
    behind = replace(context, settings=replace(context.settings, trusted_proxies=1))
    assert Door(behind).address(headers, "127.0.0.1") == "198.51.100.7"
    assert Door(behind).address(Headers(), "127.0.0.1") == "127.0.0.1"


def test_the_process_says_who_starts_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("XUEJI_HANDING", raising=False)
    monkeypatch.setattr("xueji.kernel.logs.configure", lambda *_: None)
    assert process.main() == 1
    assert "xueji up" in capsys.readouterr().err
