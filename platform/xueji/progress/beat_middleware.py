"""The beats' own way into the server.

A thousand pages report every ten seconds, each with a token of its own. Everything else a request goes through (cookie,
language, anti-forgery, templates) says nothing about such a report and costs more than judging it; so it is answered
here, before the framework builds anything. Whatever is not an ordinary accepted report goes the ordinary way, and
refusals are worded there: the lane can only say yes.
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any, cast
from uuid import UUID

from flask import Flask
from pydantic import ValidationError

from xueji.identity.tokens import BEARER
from xueji.kernel.context import Context
from xueji.progress.answers import answer_json
from xueji.progress.beat_intake import report_beats
from xueji.progress.beat_recording import BeatAnswer
from xueji.progress.leases import whose
from xueji.progress.schemas import BeatsIn
from xueji.web.headers import NOTHING_LOADED
from xueji.web.logs import next_request_id
from xueji.web.metrics import measures

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_PATH = re.compile(r"/api/v1/sittings/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/beats")
LARGEST_BODY = 128 * 1024
ENDPOINT = "progress_api.beats"


def init_beat_middleware(app: Flask) -> None:
    """Outermost of all: to be the last step that wraps the application."""
    app.wsgi_app = BeatMiddleware(app, app.wsgi_app)  # type: ignore[method-assign]


class BeatMiddleware:
    """WSGI around the application; ``inner`` is what it would have called."""

    def __init__(self, app: Flask, inner: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._app = app
        self._inner = inner
        self._keyring = cast(Context, app.extensions["xueji"]).keyring
        self._answered = measures(app).answered

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found = _PATH.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        authority = environ.get("HTTP_AUTHORIZATION", "")
        length = environ.get("CONTENT_LENGTH") or ""
        json_body = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == "application/json"
        ordinary = authority.startswith(BEARER) and json_body and length.isdecimal() and int(length) <= LARGEST_BODY
        if found is None or not ordinary:
            return self._inner(environ, start_response)
        began = time.perf_counter()
        body = environ["wsgi.input"].read(int(length))
        try:
            answer = self._report(UUID(found[1]), authority[len(BEARER) :], body)
        except ValidationError:
            environ["wsgi.input"] = io.BytesIO(body)
            return self._inner(environ, start_response)
        except Exception as error:
            environ["wsgi.input"] = io.BytesIO(body)
            return self._refuse(error, environ, start_response)
        said = json.dumps(answer_json(answer)).encode()
        self._answered(ENDPOINT, 200, time.perf_counter() - began)
        start_response(
            "200 OK",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(said))),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", NOTHING_LOADED),
                ("X-Request-ID", next_request_id()),
            ],
        )
        return (said,)

    def _report(self, sitting_id: UUID, token: str, body: bytes) -> BeatAnswer:
        """Raises what the report is refused with."""
        person_id, login_session_id = whose(self._keyring, token, sitting_id)
        return report_beats(self._app, sitting_id, person_id, login_session_id, BeatsIn.model_validate_json(body))

    def _refuse(self, error: Exception, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """As the application refuses: in the person's language, as problem+json, counted and logged."""
        app = self._app
        with app.request_context(environ):
            app.preprocess_request()
            response = app.process_response(app.make_response(app.handle_user_exception(error)))
            return response(environ, start_response)
