"""The bundle over the interface: for whom it is, what may be asked, and what is said when it cannot be had."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.bundles import laid_out, unpacked
from support.evidence import Case, rich_case
from support.growing_log import growing_log
from support.people import Browser, bearer, someone

from xueji.app import create_app
from xueji.evidence import bundle as parts
from xueji.evidence import services
from xueji.evidence.program import digest, program
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.oversight.services import MOST_DRAWN
from xueji.trace import queries


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
        answer = client.post(address(case) + "?from=1&pictures=true", headers=regulator, buffered=True)
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert case.chain in answer.headers["Content-Disposition"]
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert {parts.EVENTS, parts.CONSISTENCY, parts.LAUNCHER} <= set(names)
    assert [name for name in names if name.startswith(parts.PICTURES)]


def test_without_asking_there_are_no_pictures(client: FlaskClient, case: Case, regulator: dict[str, str]) -> None:
    with case.sequencing():
        answer = client.post(address(case), headers=regulator, buffered=True)
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert not [name for name in names if name.startswith(parts.PICTURES)]


def test_others_find_nothing(client: FlaskClient, context: Context, case: Case) -> None:
    assert client.post(address(case)).status_code == 401
    for role, region in ((Role.TRAINEE, "620102"), (Role.INSTITUTION, "620102"), (Role.REGULATOR, "110000")):
        headers = bearer(context, someone(context, role, region=region))
        assert client.post(address(case), headers=headers).status_code == 404


@pytest.mark.parametrize("query", ["from=-1", "from=x", "pictures=maybe", "everything=1"])
def test_what_cannot_be_asked_is_said(client: FlaskClient, case: Case, regulator: dict[str, str], query: str) -> None:
    answer = client.post(f"{address(case)}?{query}", headers=regulator)
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"


def test_a_size_the_log_never_had_is_said(client: FlaskClient, case: Case, regulator: dict[str, str]) -> None:
    with case.sequencing():
        answer = client.post(address(case) + "?from=123456789", headers=regulator)
    assert (answer.status_code, answer.get_json()["type"]) == (422, "no-such-size")


def test_an_unsigned_log_is_said(
    client: FlaskClient, case: Case, regulator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SECONDS_TO_SIGN", 0.1)
    answer = client.post(address(case), headers=regulator)
    assert (answer.status_code, answer.get_json()["type"]) == (503, "log-not-signed")


@pytest.fixture
def sparing(context: Context) -> Flask:
    """The installation when it gives two bundles an hour to each member of staff and one to a trainee."""
    settings = replace(context.settings, evidence_exports="2 per hour", own_evidence_exports="1 per hour")
    return create_app(context=replace(context, settings=settings))


def test_nobody_takes_bundles_without_end(
    sparing: Flask, context: Context, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SECONDS_TO_SIGN", 0)
    headers = [bearer(context, someone(context, Role.REGULATOR)) for _ in range(2)]
    client = sparing.test_client()
    exports = [client.post(address(case), headers=headers[0]).status_code for _ in range(3)]
    assert exports == [503, 503, 429], "even what could not be signed in time stands in the chain"
    refused = client.post(address(case), headers={**headers[0], "Accept-Language": "en"})
    assert refused.content_type == "application/problem+json"
    assert (refused.status_code, refused.get_json()["type"]) == (429, "too-many")
    assert "evidence bundles" in refused.get_json()["detail"] and "min." in refused.get_json()["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert refused.get_json()["retry_after"] == int(refused.headers["Retry-After"])
    assert client.post(address(case), headers=headers[1]).status_code == 503, "another person's are her own"


def test_what_is_taken_from_pages_counts_with_the_rest_and_is_refused_on_a_page(
    sparing: Flask, context: Context, case: Case
) -> None:
    who = someone(context, Role.REGULATOR)
    browser = Browser(sparing)
    browser.sign_in(who)
    page = f"/enrolments/{case.enrolment.id}/evidence"
    with case.sequencing():
        taken = browser.post(page, look="/account", buffered=True)
        assert (taken.status_code, taken.content_type) == (200, "application/zip")
        again = sparing.test_client().post(address(case), headers=bearer(context, who), buffered=True)
        assert again.status_code == 200
    refused = browser.post(page, look="/account", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    assert "您下载证据包的次数过多。请约" in refused.text


def test_a_link_makes_no_bundle(app: Flask, context: Context, case: Case) -> None:
    """A cookie goes along with a link from elsewhere; a bundle writes two leaves for ever."""
    browser = Browser(app)
    browser.sign_in(someone(context, Role.REGULATOR))
    with context.database.reading() as session:
        before = queries.chain_length(session, case.chain)
    for url in (f"/enrolments/{case.enrolment.id}/evidence", address(case)):
        assert browser.get(url).status_code == 405
        assert browser.client.post(url).status_code in (400, 403), "without the form's token"
    with context.database.reading() as session:
        assert queries.chain_length(session, case.chain) == before


def test_a_trainee_may_take_fewer_than_those_who_audit_many(sparing: Flask, context: Context, case: Case) -> None:
    headers = bearer(context, someone(context, Role.TRAINEE))
    answers = [sparing.test_client().post(address(case), headers=headers).status_code for _ in range(2)]
    assert answers == [404, 429]


def test_the_largest_random_draw_is_within_what_a_regulator_may_take(context: Context) -> None:
    minute, hour = (int(part.split()[0]) for part in context.settings.evidence_exports.split(";"))
    assert minute >= 60 and hour >= 2 * MOST_DRAWN


def test_what_the_verifier_is_made_of_is_published_for_everybody(
    client: FlaskClient, case: Case, tmp_path: Path
) -> None:
    """An auditor keeps this list, and holds a bundle's program against it with a tool of her own."""
    listed = client.get("/log/verifier")
    assert (listed.status_code, listed.mimetype) == (200, "text/plain")
    folder = laid_out(tmp_path / "bundle", unpacked(case.bundle()))
    (tmp_path / "verifier.sha256").write_bytes(listed.data)
    check = ["sha256sum", "--check", "--strict", "--quiet", str(tmp_path / "verifier.sha256")]
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0
    (folder / parts.LAUNCHER).write_text('print("VERIFIED")')
    altered = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    assert altered.returncode == 1
    assert altered.stdout == "verify.py: FAILED\n"
    assert digest(program()) == hashlib.sha256(listed.data).hexdigest()
