"""Methods that a proxy on the way does not know: they travel as POST and say in a header what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

OVERRIDE = "HTTP_X_HTTP_METHOD_OVERRIDE"
METHODS = frozenset({"PATCH", "DELETE"})
PLACE = "/api/"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def overriding(application: Application) -> Application:
    """Takes ``X-HTTP-Method-Override`` of a POST to the interface for its method, which no other site can send."""

    def called(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        wanted = environ.get(OVERRIDE, "").upper()
        if wanted in METHODS and environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith(PLACE):
            environ["REQUEST_METHOD"] = wanted
        return application(environ, start_response)

    return called
