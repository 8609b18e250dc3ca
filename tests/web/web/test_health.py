"""How the installation says that it is alive, ready, and what it measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from bench.loose_leaves import loose
from xueji import probes
from xueji.app import create_app
from xueji.kernel import clock, schema
from xueji.kernel.context import Context
from xueji.kernel.groupcommit import GroupCommitter
from xueji.trace import services as trace
from xueji.trace.probes import SEQUENCER_LATE, sequencer, sequencer_lag
from xueji.trace.rules import Event
from xueji.trace.sequencer import Sequencer
from xueji.web.health import Failing, set_probes


def nothing_wrong() -> None:
    return None


def something_wrong() -> None:
    raise Failing("the secret reason")


def test_alive_asks_nothing_of_anybody(app: Flask, client: FlaskClient) -> None:
    set_probes(app, {"database": something_wrong})
    assert client.get("/healthz").status_code == 200


def test_ready_when_every_probe_is_content(app: Flask, client: FlaskClient) -> None:
    set_probes(app, {"database": nothing_wrong, "broker": nothing_wrong})
    assert client.get("/readyz").get_json() == {"ready": True, "database": "ok", "broker": "ok"}


def test_not_ready_names_what_fails_and_keeps_the_reason_for_the_log(app: Flask, client: FlaskClient) -> None:
    set_probes(app, {"database": nothing_wrong, "broker": something_wrong})
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json() == {"ready": False, "database": "ok", "broker": "failed"}
    assert "secret" not in response.text


def test_the_application_asks_every_probe_there_is(client: FlaskClient) -> None:
    assert set(client.get("/readyz").get_json()) == {"ready", *probes.all_probes()}


def test_a_database_of_another_revision_is_not_ready(context: Context) -> None:
    with pytest.raises(Failing, match="xueji upgrade"):
        probes.migrations(context)  # made from the models, so it carries no revision
    with context.database.writing() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": schema.newest()})
    probes.migrations(context)


def signed_for(context: Context) -> None:
    """Have the sequencer take everything in and sign."""
    sequencer = Sequencer(context.database, context.settings)
    sequencer.start()
    while sequencer.step().leaves:
        pass


def test_leaves_that_wait_too_long_are_the_sequencers_fault(context: Context) -> None:
    with clock.fixed(clock.now()) as time:
        with pytest.raises(Failing, match="never signed"):
            Sequencer(context.database, context.settings).start()  # which opens the log, and no more
            sequencer(context)
        signed_for(context)
        assert sequencer_lag(context) == timedelta(0)
        with context.database.writing() as session:
            trace.record(session, loose(Event.FINDING, {}), chain="platform", who="system")
        time.advance(SEQUENCER_LATE / 2)
        sequencer(context)
        time.advance(SEQUENCER_LATE)
        with pytest.raises(Failing, match="waiting"):
            sequencer(context)


def test_a_broker_that_is_away_is_named(context: Context) -> None:
    away = replace(context.settings, broker_url=f"redis+socket://{context.settings.data}/nobody.sock")
    with pytest.raises(Failing, match="broker"):
        probes.broker(replace(context, settings=away))


@pytest.fixture
def measured(context: Context) -> Callable[..., int]:
    app = create_app(context=replace(context, settings=replace(context.settings, metrics_token="a long token")))

    def ask(address: str = "127.0.0.1", **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return app.test_client().get("/metrics", headers=named, environ_base={"REMOTE_ADDR": address}).status_code

    return ask


def test_measures_are_for_this_machine(measured: Callable[..., int]) -> None:
    assert measured() == 200
    assert measured("192.0.2.7") == 403


def test_a_proxy_on_this_machine_does_not_make_the_world_this_machine(measured: Callable[..., int]) -> None:
    assert measured(X_Forwarded_For="192.0.2.7") == 403
    assert measured(Forwarded="for=192.0.2.7") == 403


def test_whoever_has_the_token_may_read_the_measures(measured: Callable[..., int]) -> None:
    assert measured("192.0.2.7", Authorization="Bearer a long token") == 200
    assert measured("192.0.2.7", Authorization="Bearer another") == 403
    assert measured("192.0.2.7", Authorization="Bearer ") == 403


def test_without_a_token_in_the_settings_no_token_fits(client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", headers={"Authorization": "Bearer "}, environ_base=elsewhere).status_code == 403


def test_requests_are_counted_by_endpoint_and_answer(client: FlaskClient) -> None:
    client.get("/healthz")
    client.get("/healthz")
    client.get("/nowhere")
    content = client.get("/metrics").text
    assert 'xueji_requests_total{endpoint="health.alive",status="200"} 2.0' in content
    assert 'xueji_requests_total{endpoint="none",status="404"} 1.0' in content


def test_what_the_parts_tell_stands_among_the_measures(client: FlaskClient, context: Context) -> None:
    committer: GroupCommitter[int, int] = GroupCommitter(list)
    before = _value(client, "xueji_group_commit_batch_size_sum")
    committer.submit(1)
    assert _value(client, "xueji_group_commit_batch_size_sum") == before + 1
    assert _value(client, "xueji_log_pending_leaves") == 0


def _value(client: FlaskClient, name: str) -> float:
    (line,) = (line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


def test_every_answer_carries_its_number(client: FlaskClient) -> None:
    first, second = (client.get("/healthz").headers["X-Request-ID"] for _ in range(2))
    assert first != second
