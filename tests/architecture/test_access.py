"""Every address has one access rule, and the rule is what decides."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, BaseConverter
from werkzeug.routing import Rule as Route

from xueji.kernel.context import Context
from xueji.kernel.errors import Forbidden
from xueji.web.access import Rule, init_access, rule_of

READS = {"GET", "HEAD", "OPTIONS"}
OPEN_WRITES = {
    "identity.sign_in",
    "identity.sign_in_code",
    "identity.sign_in_set_up_code",
    "identity.sign_in_new_password",
    "identity.sign_out",
    "identity_api.issue_token",
    "identity.sign_in_as",  # a demonstration alone
    "navigation.language",
    "trace.add_checkpoint",
}
"""The only addresses at which a stranger may change anything: signing in and out, her language, and a witnessed log's
checkpoint, which its own signature admits."""
STAND_INS = {"UUIDConverter": "00000000-0000-4000-8000-000000000000", "IntegerConverter": "1"}


def routes(app: Flask) -> list[Route]:
    return list(app.url_map.iter_rules())


def address(app: Flask, route: Route) -> str:
    values = {name: _stand_in(kind) for name, kind in route._converters.items()}
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(route.endpoint, values)
    assert isinstance(built, str)
    return built


def _stand_in(kind: BaseConverter) -> str:
    if isinstance(kind, AnyConverter):
        return sorted(kind.items)[0]
    return STAND_INS.get(type(kind).__name__, "x")


def test_every_route_has_exactly_one_rule(app: Flask) -> None:
    without = [route.endpoint for route in routes(app) if not isinstance(rule_of(app, route.endpoint), Rule)]
    assert without == []


def test_no_rule_lets_nobody_in_by_mistake(app: Flask) -> None:
    """An empty set of roles means nobody: such a page would be dead, and its author meant something else."""
    dead = [
        route.endpoint
        for route in routes(app)
        if (rule := rule_of(app, route.endpoint)) is not None and rule.roles is not None and not rule.roles
    ]
    assert dead == []


def test_strangers_can_change_nothing_but_what_is_named_here(app: Flask) -> None:
    open_writes = {
        route.endpoint
        for route in routes(app)
        if (route.methods or set()) - READS
        and (rule := rule_of(app, route.endpoint)) is not None
        and rule.open_to_strangers
    }
    assert open_writes - OPEN_WRITES == set()


def test_a_stranger_is_asked_to_sign_in_wherever_it_is_not_open_to_her(app: Flask, client: FlaskClient) -> None:
    answered = {}
    for route in routes(app):
        rule = rule_of(app, route.endpoint)
        assert rule is not None
        if rule.open_to_strangers:
            continue
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            response = client.open(address(app, route), method=method, headers={"Accept": "application/json"})
            # 400 is the missing CSRF token, which is asked for before anybody is let near the page; on the beat path
            # the body is read first, so that one query does the rest.
            if response.status_code not in (400, 401, *([415] if rule.decided_below else ())):
                answered[f"{method} {route.rule}"] = response.status_code
    assert answered == {}


def test_a_route_without_a_rule_answers_nobody(context: Context) -> None:
    app = Flask("careless")
    app.extensions["xueji"] = context
    app.testing = True  # what is raised arrives here
    init_access(app)
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "secret")
    with pytest.raises(Forbidden):
        app.test_client().get("/forgotten")
