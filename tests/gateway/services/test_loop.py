"""The loop with real connections: slow senders and slow readers hold no thread, and who overstays is sent away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from xueji.gateway import loop as loop_module
from xueji.gateway.lanes import Threads
from xueji.gateway.loop import Connection, Limits, Loop
from xueji.gateway.reading import Request

PATIENCE = 30.0
GET = b"GET / HTTP/1.1\r\n\r\n"


class Site:
    """A loop on a thread, and one thread that answers; what it answers is the test's to say."""

    def __init__(self, limits: Limits) -> None:
        self.answer: Callable[[Connection, Request], bool] = self.echo
        self.threads = Threads("test", 1, 100, self._work)
        self.taken_over: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2000)
        self.loop = Loop([self.listener], self, limits)
        self._stop = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def begin(self, connection: Connection, request: Request) -> bool:
        return self.threads.give((connection, request))

    def take_over(self, connection: Connection, head: bytes) -> bool:
        if head.startswith(b"MINE"):
            self.taken_over.append(head)
            return True
        return False

    @staticmethod
    def echo(connection: Connection, request: Request) -> bool:
        said = request.body.read() or b"-"
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
        return not request.last

    def _work(self, item: tuple[Connection, Request]) -> None:
        connection, request = item
        keep = False
        try:
            keep = self.answer(connection, request)
        except OSError:
            pass
        finally:
            connection.finish(keep)

    def _run(self) -> None:
        while not self._stop:
            self.loop.turn(0.05)
            self.loop.tidy()

    def end(self) -> None:
        self._stop = True
        self._thread.join()
        self.loop.stop_accepting()
        self.loop.close_idle()
        self.listener.close()

    def call(self) -> socket.socket:
        return socket.create_connection(self.listener.getsockname(), timeout=PATIENCE)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site(Limits())
    yield made
    made.end()


def heard(client: socket.socket) -> bytes:
    """One answer's body."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = client.recv(65536)
        assert got, data
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += client.recv(65536)
    return body


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_connection_carries_one_request_after_the_other_also_sent_at_once(site: Site) -> None:
    with site.call() as client:
        for number in range(3):
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n%d" % number)
            assert heard(client) == b"%d" % number
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx" + GET)
        time.sleep(0.2)
        assert client.recv(65536).endswith(b"Content-Length: 1\r\n\r\n-")


def test_slow_senders_hold_no_thread(site: Site) -> None:
    slow = [site.call() for _ in range(200)]
    for client in slow[:100]:
        client.sendall(b"GET / HT")
    for client in slow[100:]:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\nabc")
    began = time.monotonic()
    with site.call() as client:
        client.sendall(GET)
        assert heard(client) == b"-"
    assert time.monotonic() - began < 2
    assert site.threads.taken <= 1
    for client in slow:
        client.close()


def test_a_slow_reader_holds_no_thread(site: Site) -> None:
    large = b"a" * 900_000

    def much(connection: Connection, _request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large) + large)
        return True

    site.answer = much
    slow = []
    for _ in range(20):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(site.listener.getsockname())
        client.settimeout(PATIENCE)
        client.sendall(GET)
        slow.append(client)
    with site.call() as client:
        client.sendall(GET)
        assert heard(client) == large
    assert all(heard(client) == large for client in slow)
    slow[0].sendall(GET)
    assert heard(slow[0]) == large
    for client in slow:
        client.close()


def test_who_makes_more_than_can_be_sent_waits_and_everything_arrives(site: Site) -> None:
    pieces = [bytes([number % 256]) * 200_000 for number in range(40)]

    def stream(connection: Connection, _request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % sum(map(len, pieces)))
        for piece in pieces:
            connection.send(piece)
        return False

    site.answer = stream
    with site.call() as client:
        client.sendall(GET)
        time.sleep(0.3)
        assert heard(client) == b"".join(pieces)
        assert client.recv(1) == b""


def test_a_head_that_does_not_end_is_answered_and_closed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "HEAD_SECONDS", 0.3)
    with site.call() as silent, site.call() as slow:
        slow.sendall(b"GET / HT")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")
        assert silent.recv(1000) == b""


def test_bytes_that_drip_in_do_not_lengthen_the_time_for_a_head(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "HEAD_SECONDS", 0.5)
    with site.call() as client:
        client.settimeout(0.05)
        answered, end = b"", time.monotonic() + 5
        while not answered and time.monotonic() < end:
            client.sendall(b"a")
            try:
                answered = client.recv(1000)
            except TimeoutError:
                continue
    assert answered.startswith(b"HTTP/1.1 408")


def test_an_answer_nobody_reads_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(loop_module, "SLOWEST_BYTES_A_SECOND", 100_000_000)
    done = threading.Event()

    def endless(connection: Connection, _request: Request) -> bool:
        try:
            while True:
                connection.send(b"a" * 500_000)
        finally:
            done.set()

    site.answer = endless
    with site.call() as client:
        client.sendall(GET)
        assert done.wait(PATIENCE)


def test_when_all_places_are_taken_who_asks_for_nothing_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(Limits(connections=50))
    try:
        with site.call() as kept:
            kept.sendall(GET)
            assert heard(kept) == b"-"
            strangers = [site.call() for _ in range(60)]
            with site.call() as client:
                client.sendall(GET)
                assert heard(client) == b"-"
            kept.sendall(GET)
            assert heard(kept) == b"-", "who has asked before stays longer than who never has"
            for client in strangers:
                client.close()
    finally:
        site.end()


def test_what_is_refused_unread_is_told_so(site: Site) -> None:
    with site.call() as client:
        client.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 411")
        assert client.recv(1000) == b""


def test_when_too_much_waits_the_next_is_told_to_come_again(site: Site) -> None:
    hold = threading.Event()

    def wait(connection: Connection, request: Request) -> bool:
        hold.wait(PATIENCE)
        return site.echo(connection, request)

    site.answer = wait
    clients = [site.call() for _ in range(102)]
    for client in clients:
        client.sendall(GET)
    time.sleep(0.5)
    hold.set()
    firsts = [client.recv(15) for client in clients]
    assert firsts.count(b"HTTP/1.1 200 OK") == 101
    assert sum(b"503" in first for first in firsts) == 1
    for client in clients:
        client.close()


def test_a_connection_that_is_somebody_else_s_is_forgotten(site: Site) -> None:
    with site.call() as client:
        client.sendall(b"MINE / HTTP/1.1\r\n\r\n")
        assert client.recv(10) == b""
    assert site.taken_over == [b"MINE / HTTP/1.1\r\n\r\n"]
    assert site.loop.connections == 0


def test_who_waits_for_leave_hears_it(site: Site) -> None:
    with site.call() as client:
        client.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert heard(client) == b"abc"


def test_what_many_send_at_once_is_read_before_anybody_begins_to_answer() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2000)
    begun: list[Request] = []

    class Begins:
        def begin(self, _connection: Connection, request: Request) -> bool:
            begun.append(request)
            return True

        def take_over(self, _connection: Connection, _head: bytes) -> bool:
            return False

    loop = Loop([listener], Begins(), Limits())
    clients = [socket.create_connection(listener.getsockname()) for _ in range(60)]
    for client in clients:
        client.sendall(GET)
    assert loop.wait_for_calm(0)
    loop.turn(1.0)
    assert not loop.wait_for_calm(0)
    while not loop.wait_for_calm(0):
        loop.turn(1.0)
    assert len(begun) == len(clients)
    clients[0].sendall(GET)
    loop.turn(0.1)
    assert loop.wait_for_calm(0)
    for client in clients:
        client.close()
    loop.stop_accepting()
    for connection in list(loop._connections.values()):
        loop._close(connection)
    listener.close()


def test_long_bodies_are_read_piece_by_piece_between_the_requests_of_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many send them: who reports study waits for one piece, not for what all of them have sent."""
    monkeypatch.setattr(loop_module, "PIECE_SECONDS", 3600.0)
    body = b"p" * 700_000
    pictures = [site.call() for _ in range(20)]
    senders = [
        threading.Thread(
            target=client.sendall, args=(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),)
        )
        for client in pictures
    ]
    for sender in senders:
        sender.start()
    until(lambda: len(site.loop._long) >= len(pictures) - 1)
    for _ in range(5):
        with site.call() as client:
            client.sendall(GET)
            assert heard(client) == b"-"
    assert len(site.loop._long) >= len(pictures) - 1
    monkeypatch.setattr(loop_module, "PIECE_SECONDS", 0.001)
    site.loop.later(lambda: setattr(site.loop, "_next_piece", 0.0))
    for client in pictures:
        assert heard(client) == body
        client.close()
    for sender in senders:
        sender.join()


def test_bodies_for_which_there_is_no_room_in_memory_are_kept_on_the_disk(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "MOST_IN_MEMORY", 250_000)
    body = b"p" * 100_000
    clients = [site.call() for _ in range(4)]
    for client in clients:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body[:-1]))
    until(lambda: (site.loop._in_memory, site.loop._on_disk) == (200_000, 200_000))
    clients.pop().close()
    for client in clients:
        client.sendall(b"p")
        assert heard(client) == body
        client.close()
    until(lambda: (site.loop._in_memory, site.loop._on_disk) == (0, 0))


def test_who_goes_away_in_the_middle_of_a_long_body_is_forgotten(site: Site) -> None:
    with site.call() as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 500000\r\n\r\nabc")
        until(lambda: site.loop._in_memory == 500_000)
    until(lambda: site.loop.connections == 0)
    assert site.loop._in_memory == 0
