"""The bundle over the interface: for whom it is, what may be asked, and what is said when it cannot be had."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest
from evidence_for_tests import Case, rich_case
from flask import Flask
from flask.testing import FlaskClient
from people_for_tests import bearer, someone
from trace_for_tests import growing_log

from xueji.archives import bundle as parts
from xueji.archives import services
from xueji.kernel.actor import Role
from xueji.kernel.context import Context


@pytest.fixture
def case(app: Flask, context: Context) -> Iterator[Case]:
    with growing_log(context) as log:
        yield rich_case(context, log)


@pytest.fixture
def regulator(context: Context, case: Case) -> dict[str, str]:
    return bearer(context, someone(context, Role.REGULATOR))


def address(case: Case) -> str:
    return f"/api/v1/enrolments/{case.enrolment.id}/evidence"


def test_a_regulator_downloads_a_bundle(client: FlaskClient, case: Case, regulator: dict[str, str]) -> None:
    with case.sequencing():
        answer = client.get(address(case) + "?from=1&pictures=true", headers=regulator, buffered=True)
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert case.chain in answer.headers["Content-Disposition"]
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert {parts.EVENTS, parts.CONSISTENCY, parts.LAUNCHER} <= set(names)
    assert [name for name in names if name.startswith(parts.PICTURES)]


def test_without_asking_there_are_no_pictures(client: FlaskClient, case: Case, regulator: dict[str, str]) -> None:
    with case.sequencing():
        answer = client.get(address(case), headers=regulator, buffered=True)
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert not [name for name in names if name.startswith(parts.PICTURES)]


def test_others_find_nothing(client: FlaskClient, context: Context, case: Case) -> None:
    assert client.get(address(case)).status_code == 401
    for role, region in ((Role.TRAINEE, "620102"), (Role.INSTITUTION, "620102"), (Role.REGULATOR, "110000")):
        headers = bearer(context, someone(context, role, region=region))
        assert client.get(address(case), headers=headers).status_code == 404


@pytest.mark.parametrize("query", ["from=-1", "from=x", "pictures=maybe", "everything=1"])
def test_what_cannot_be_asked_is_said(client: FlaskClient, case: Case, regulator: dict[str, str], query: str) -> None:
    answer = client.get(f"{address(case)}?{query}", headers=regulator)
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"


def test_a_size_the_log_never_had_is_said(client: FlaskClient, case: Case, regulator: dict[str, str]) -> None:
    with case.sequencing():
        answer = client.get(address(case) + "?from=123456789", headers=regulator)
    assert (answer.status_code, answer.json["type"]) == (422, "no-such-size")


def test_an_unsigned_log_is_said(
    client: FlaskClient, case: Case, regulator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SECONDS_TO_SIGN", 0.1)
    answer = client.get(address(case), headers=regulator)
    assert (answer.status_code, answer.json["type"]) == (503, "log-not-signed")
