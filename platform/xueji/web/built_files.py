"""The built front end's own way out: a file whose name says what is in it is read once and answered from memory.

A page needs a dozen of them, whoever asks for a page may ask for them, and the whole way through the application costs
more than a beat. The application answers the first time; what it answered is said again to everybody who asks the same
way. Whoever wants a part, or has it already, is answered by the application.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from flask import Flask

from xueji.web.logs import next_request_id
from xueji.web.metrics import measures

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_FOLDER = "/static/built/"
_ASKS_MORE = ("HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "QUERY_STRING")
_OF_ONE_ANSWER = frozenset({"date", "x-request-id"})
MOST_BYTES = 16 * 1024 * 1024
"""Of all files together; the front end has one."""


class _File(NamedTuple):
    headers: tuple[tuple[str, str], ...]
    body: bytes


def init_built(app: Flask) -> None:
    """After everything else that wraps the application, but for the beats' lane."""
    app.wsgi_app = BuiltFiles(app, app.wsgi_app)  # type: ignore[method-assign]


class BuiltFiles:
    """WSGI around the application; ``inner`` is what it would have called."""

    def __init__(self, app: Flask, inner: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._inner = inner
        self._answered = measures(app).answered
        self._kept: dict[str, _File] = {}
        self._bytes = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if (
            not path.startswith(_FOLDER)
            or environ["REQUEST_METHOD"] != "GET"
            or any(environ.get(each) for each in _ASKS_MORE)
        ):
            return self._inner(environ, start_response)
        file = self._kept.get(path)
        if file is None:
            return self._first(path, environ, start_response)
        began = time.perf_counter()
        start_response("200 OK", [*file.headers, ("X-Request-ID", next_request_id())])
        self._answered("static", 200, time.perf_counter() - began)
        return (file.body,)

    def _first(self, path: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def listen(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            said.append((status, headers))
            return start_response(status, headers, error) if error is not None else start_response(status, headers)

        items = self._inner(environ, listen)
        try:
            body = b"".join(items)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        status, headers = said[-1]
        lasting = tuple((name, value) for name, value in headers if name.lower() not in _OF_ONE_ANSWER)
        own = any(name.lower() == "set-cookie" for name, _value in lasting)
        if status.startswith("200 ") and not own and self._bytes + len(body) <= MOST_BYTES:
            self._bytes += len(body)
            self._kept[path] = _File(lasting, body)
        return (body,)
