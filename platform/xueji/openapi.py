"""The interface's description at ``/api/openapi.json``.

Each view says what it takes, gives and refuses for reasons of its own. What follows for every one from its access rule,
its address and its body is added here, from the very marks by which the application decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.utils import parse_rule
from werkzeug.routing import Rule

from xueji.kernel.errors import Conflict, Forbidden, Invalid, Malformed, NotFound, Problem, TooLarge, WrongType
from xueji.parts import PARTS
from xueji.web.access import rule_of
from xueji.web.api_description import ProblemOut, refusals_of
from xueji.web.request_bodies import body_of
from xueji.web.session import READ_METHODS

TITLE, VERSION = "Xueji", "1"
SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "From `POST /api/v1/tokens`; for a sitting's beats also the token of its lease.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "xueji",
        "description": "A browser that signed in. Whatever changes something also needs the header `X-CSRFToken`.",
    },
}
_PROBLEM = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}


class DescribedApplication(OpenAPI):
    """Flask with a true description of its interface."""

    def generate_spec_json(self) -> None:
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        document = self.spec_json
        answers = document["components"].setdefault("responses", {})
        answers["failure"] = _answer("Whatever fails on our side.", {})
        for rule in self.url_map.iter_rules():
            path = document["paths"].get(parse_rule(rule.rule))
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                if path is not None and method.lower() in path:
                    _complete(self, rule, method, path[method.lower()], answers)


def _complete(app: Flask, rule: Rule, method: str, operation: dict[str, Any], answers: dict[str, Any]) -> None:
    access = rule_of(app, rule.endpoint)
    strangers = access is not None and access.open_to_strangers
    operation["security"] = [] if strangers else [{name: []} for name in SCHEMES]
    by_status: dict[int, set[str]] = defaultdict(set)
    for kind in _refusals(app, rule, method, operation):
        by_status[kind.status].add(kind.type)
    responses = operation["responses"]
    # The library writes down its own form of 422, which this application never sends.
    responses.pop("422", None)
    for status, types in sorted(by_status.items()):
        name = ".".join(sorted(types))
        only = {"type": {"enum": sorted(types)}, "status": {"const": status}}
        answers[name] = _answer("Refused: " + ", ".join(sorted(types)), only)
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    responses["default"] = {"$ref": "#/components/responses/failure"}


def _refusals(app: Flask, rule: Rule, method: str, operation: dict[str, Any]) -> Iterator[type[Problem]]:
    view: Callable[..., Any] = app.view_functions[rule.endpoint]
    access = rule_of(app, rule.endpoint)
    yield from refusals_of(view)
    for part in PARTS:
        yield from part.refusals(rule.endpoint, access, method)
    yield Malformed
    if method not in READ_METHODS:
        yield Conflict  # two at the same moment
    if access is None or access.roles is not None:
        yield Forbidden
    if rule.arguments:
        yield NotFound
    if "parameters" in operation or "requestBody" in operation:
        yield Invalid
    if "requestBody" in operation:
        yield TooLarge
    if body_of(view) is not None:
        yield WrongType


def _answer(description: str, only: dict[str, Any]) -> dict[str, Any]:
    schema = {"allOf": [_PROBLEM, {"properties": only}]} if only else _PROBLEM
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
