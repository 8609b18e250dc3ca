"""Text that a request may carry: whole Unicode characters, and none that a database or a log cannot keep.

PostgreSQL stores no NUL, UTF-8 no half of a surrogate pair. Both can be written in JSON, the first in a form and an
address too; they are refused here, before anything is looked up with them or recorded of them.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider

from xueji.kernel.errors import Malformed


class UnusableText(ValueError):
    """Text that cannot be kept; ``field`` says where it stands, as ``beats.0.state``."""

    def __init__(self, said: str, *path: object) -> None:
        super().__init__(said)
        self.path = path

    @property
    def field(self) -> str:
        return ".".join(map(str, self.path))


class PlainJSON(DefaultJSONProvider):
    """JSON as RFC 8259 has it between systems: UTF-8, of a sane depth. ValueError for the rest is answered 400."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        text = s.decode("utf-8") if isinstance(s, bytes) else s
        try:
            value = super().loads(text, **kwargs)
            # Only an escape can bring in what is refused: a bare NUL is no JSON, half a pair no UTF-8.
            if "\\u" in text:
                _check(value)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return value


def _check(value: Any, *path: object) -> None:
    """Raises UnusableText for text that cannot be kept."""
    if isinstance(value, str):
        if "\0" in value:
            raise UnusableText("a NUL character", *path)
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UnusableText("half of a surrogate pair", *path) from error
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, *path)
            _check(inner, *path, key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _check(inner, *path, number)


def init_plain_text(app: Flask) -> None:
    """After the step that decides access, so that no stranger has a form read."""
    app.json = PlainJSON(app)

    @app.before_request
    def _refuse_nul() -> None:
        given = [*request.args.values(), *(request.view_args or {}).values()]
        # An upload's piece is a body of its own, whatever type its sender writes above it.
        if request.method == "POST" and (request.mimetype == "multipart/form-data" or not _is_api()):
            given += [value for _name, value in request.form.items(multi=True)]
        if any(isinstance(value, str) and "\0" in value for value in given):
            raise Malformed


def _is_api() -> bool:
    return request.path.startswith(("/api/", "/witness/"))
