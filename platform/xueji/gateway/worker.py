"""gunicorn's worker around the loop: starts it, answers requests on the lanes' threads, stops it when told to.

Whether a request is well formed, gunicorn's parser says; it is given heads that are whole and bodies that are here.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser
from gunicorn.workers.base import Worker

from xueji.gateway.handing import Handing
from xueji.gateway.lanes import Lane, Threads, is_socket, lane_of
from xueji.gateway.loop import Connection, Limits, Loop
from xueji.gateway.reading import Request
from xueji.kernel.limits import open_files
from xueji.kernel.permits import Permits
from xueji.kernel.settings import Settings

FILES_KEPT_BACK = 400
"""Of the files a process may have open, those that are not connections: databases, bodies, logs."""
MOST_WAITING = {Lane.BEATS: 4096, Lane.FILMS: 256, Lane.PAGES: 1024, Lane.PHOTOS: 64, Lane.BODIES: 128}
"""Requests that may wait for a thread of their lane; the next is told to try again."""
PHOTO_THREADS = 2
"""One photo is looked at and the next made ready: with more threads a crowd of photos would be taken apart at once, and
then wait for each other."""
BODY_THREADS = 8
MOST_COMPUTING = {Lane.FILMS: 4, Lane.PAGES: 4, Lane.PHOTOS: 1, Lane.BODIES: 1}
"""Threads of a lane that may compute at the same time while no beat is under way; then one may (`kernel.permits`)."""
CALM_SECONDS = 0.25
"""For how long requests wait at most while the loop reads what many sent at once."""
SWITCH_SECONDS = 0.001
"""How long a thread may compute while others want to: a beat, which wants to often, waits so long each time."""
_GATHERED = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Outlet:
    """A connection as gunicorn writes to it: small pieces go out together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0

    def sendall(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _GATHERED:
            self.flush()

    def send(self, data: bytes) -> int:
        """What gunicorn sends before an answer; that she may go on with her body, the loop has told her."""
        if data != _CONTINUE:
            self.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Raises OSError when nobody is there any more."""
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces, self._size = [], 0
            self._connection.send(data)

    def gettimeout(self) -> float:
        """gunicorn asks before it writes an error; here nothing blocks."""
        return 0.0


class GatewayWorker(Worker):  # type: ignore[misc]
    def init_process(self) -> None:
        settings = Settings.load()
        self._handing = Handing.inherited()
        self._lanes = self._open_lanes(settings)
        self._most_connections = min(settings.connections, open_files() - FILES_KEPT_BACK)
        sys.setswitchinterval(SWITCH_SECONDS)
        super().init_process()

    def _open_lanes(self, settings: Settings) -> dict[Lane, Threads]:
        return {
            lane: Threads(lane, most, MOST_WAITING[lane], self._work_of(lane))
            for lane, most in (
                (Lane.BEATS, settings.beat_threads),
                (Lane.FILMS, settings.film_threads),
                (Lane.PAGES, settings.threads),
                (Lane.PHOTOS, PHOTO_THREADS),
                (Lane.BODIES, BODY_THREADS),
            )
        }

    def _work_of(self, lane: Lane) -> Callable[[tuple[Connection, Request]], None]:
        """How its threads answer: beats at once, everything else in turn."""
        if lane not in MOST_COMPUTING:
            return self._answer
        permits = Permits(MOST_COMPUTING[lane], hurry=self.beats_under_way)

        def in_turn(item: tuple[Connection, Request]) -> None:
            self._loop.wait_for_calm(CALM_SECONDS)
            with permits:
                self._answer(item)

        return in_turn

    def beats_under_way(self) -> bool:
        """Whether somebody who reports study waits for her answer."""
        return self._lanes[Lane.BEATS].taken > 0

    def run(self) -> None:
        loop = self._loop = Loop(self.sockets, self, Limits(self._most_connections, float(self.cfg.keepalive)))
        loop.listen_to(self.PIPE[0])
        tidied = time.monotonic()
        while self.alive:
            loop.turn(1.0)
            if time.monotonic() - tidied >= 1.0:
                tidied = time.monotonic()
                self.notify()
                loop.tidy()
                if self.ppid != os.getppid():
                    return
        self._finish(loop)

    def begin(self, connection: Connection, request: Request) -> bool:
        return self._lanes[lane_of(request.head, request.length)].give((connection, request))

    def take_over(self, connection: Connection, head: bytes) -> bool:
        return self._handing is not None and is_socket(head) and self._handing.give(connection.socket, head)

    def _finish(self, loop: Loop) -> None:
        """Answer what has been asked, for as long as gunicorn's master waits."""
        loop.stop_accepting()
        end = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < end:
            loop.close_idle()
            if not loop.connections:
                return
            loop.turn(0.1)
            loop.tidy()

    def _answer(self, item: tuple[Connection, Request]) -> None:
        connection, request = item
        outlet = Outlet(connection)
        keep = False
        try:
            keep = self._respond(connection, request, outlet)
            outlet.flush()
        except OSError:
            keep = False  # nobody is there any more
        finally:
            request.body.close()
            connection.finish(keep)

    def _respond(self, connection: Connection, request: Request, outlet: Outlet) -> bool:
        """Whether the connection may carry another request."""
        asked, response = None, None
        try:
            asked = next(RequestParser(self.cfg, (request.head,), connection.peer))
            response, environ = wsgi.create(asked, outlet, connection.peer, connection.server, self.cfg)
            self._complete(environ, request)
            if request.last or not self.alive or environ.get("CONTENT_LENGTH", "0") != str(request.length):
                response.force_close()
            items = self.wsgi(environ, response.start_response)
            try:
                for item in items:
                    response.write(item)
                response.close()
            finally:
                if hasattr(items, "close"):
                    items.close()
        except OSError:
            raise
        except Exception as error:
            if response is not None and response.headers_sent:
                self.log.exception("Error handling request")
                raise ConnectionAbortedError from error
            self.handle_error(asked, outlet, connection.peer, error)
            return False
        return not response.should_close()

    @staticmethod
    def _complete(environ: dict[str, Any], request: Request) -> None:
        environ["wsgi.multithread"] = True
        environ["wsgi.input"] = request.body
        # Files are read in pieces and leave by way of the loop, not straight from the disk.
        del environ["wsgi.file_wrapper"]
