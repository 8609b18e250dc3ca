"""The JSON interface of identity, and what attackers try on it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from support.people import PASSWORD, Browser, HarmlessFaces, Someone, bearer, consented, someone, with_factor

from media_pipeline.behind import Behind
from media_pipeline.quality import QualityCode
from xueji.app import create_app
from xueji.identity import tokens
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.trace.models import LeafRow


def _token(client: FlaskClient, account: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/api/v1/tokens", json={"account": account, "password": password, **more})


def _refused(response: Any, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.get_json()["type"] == kind
    return response.json  # type: ignore[no-any-return]


def _photo(number: int = 1) -> dict[str, Any]:
    return {"photo": (io.BytesIO(bytes([number]) + b" a picture"), "me.jpg")}


def test_a_token_says_who_i_am_until_it_is_given_back(client: FlaskClient, context: Context) -> None:
    who = someone(context, Role.REGULATOR, region="620100", name="赵检察")
    made = _token(client, who.account)
    assert made.status_code == 201
    assert made.get_json()["roles"] == ["regulator"]
    headers = {"Authorization": f"Bearer {made.get_json()['token']}"}
    me = client.get("/api/v1/me", headers=headers).get_json()
    assert (me["name"], me["roles"], me["region"]) == ("赵检察", ["regulator"], "620100")
    assert me["id_number_masked"] == who.id_number[:4] + "*" * 10 + who.id_number[-4:]
    assert who.id_number not in str(me)
    assert client.delete("/api/v1/tokens/current", headers=headers).status_code == 204
    ended = _refused(client.get("/api/v1/me", headers=headers), 401, "session-ended")
    assert ended["reason"] == "signed_out"


@pytest.mark.parametrize(
    "header", ["Bearer ", "Bearer x", "Basic eDp5", "bearer", "Bearer " + "A" * 116, "Bearer " + "é" * 60]
)
def test_a_garbled_token_is_signed_out_and_never_an_error(client: FlaskClient, header: str) -> None:
    _refused(client.get("/api/v1/me", headers={"Authorization": header}), 401, "signed-out")


def test_guessing_from_one_address_ends_for_a_while_and_says_for_how_long(context: Context) -> None:
    settings = replace(context.settings, sign_in_failures="2 per minute")
    client = create_app(context=replace(context, settings=settings)).test_client()
    for number in range(2):
        _refused(_token(client, f"nobody{number}"), 401, "wrong-password")
    refused = _refused(_token(client, "nobody2"), 429, "too-many")
    assert refused["detail"] == "从您的网络地址登录失败的次数过多。请约1分钟后再试。"
    assert 0 < refused["retry_after"] <= 60


def test_without_a_token_one_is_signed_out(client: FlaskClient) -> None:
    _refused(client.get("/api/v1/me"), 401, "signed-out")


def test_a_token_signed_by_another_installation_is_nobody_s(client: FlaskClient, context: Context) -> None:
    who = someone(context, Role.ADMINISTRATOR)
    claims = tokens.Claims(who.id, uuid4(), frozenset({Role.ADMINISTRATOR}), who.organisation_id, "620102")
    forged = tokens.issue(Keyring(b"k" * 32), claims)
    _refused(client.get("/api/v1/me", headers={"Authorization": f"Bearer {forged}"}), 401, "signed-out")
    ours = tokens.issue(context.keyring, claims)  # well signed, but for a session that never was
    _refused(client.get("/api/v1/me", headers={"Authorization": f"Bearer {ours}"}), 401, "session-ended")


def test_the_first_place_is_told_that_the_learner_signed_in_elsewhere(client: FlaskClient, context: Context) -> None:
    who = someone(context)
    first = bearer(context, who)
    assert client.get("/api/v1/me", headers=first).status_code == 200
    second = bearer(context, who)
    ended = _refused(client.get("/api/v1/me", headers=first), 401, "session-ended")
    assert ended["reason"] == "signed_in_elsewhere"
    assert "别处" in ended["detail"]
    assert client.get("/api/v1/me", headers=second).status_code == 200


def test_using_a_session_keeps_it_alive_and_leaving_it_ends_it(client: FlaskClient, context: Context) -> None:
    with clock.fixed(clock.now()) as time:
        headers = bearer(context, someone(context, Role.INSTITUTION))
        for _ in range(3):
            time.advance(timedelta(minutes=29))
            assert client.get("/api/v1/me", headers=headers).status_code == 200
        time.advance(timedelta(minutes=30))
        ended = _refused(client.get("/api/v1/me", headers=headers), 401, "session-ended")
    assert ended["reason"] == "expired"


def test_known_and_unknown_accounts_are_refused_in_the_same_words(client: FlaskClient, context: Context) -> None:
    who = someone(context)
    known, unknown = _token(client, who.account, "wrong-password-1"), _token(client, "nobody", "wrong-password-1")
    assert known.status_code == unknown.status_code == 401
    assert known.json == unknown.get_json()


def test_a_locked_account_is_told_until_when(client: FlaskClient, context: Context) -> None:
    who = someone(context)
    for _ in range(5):
        response = _token(client, who.account, "wrong-password-1")
    locked = _refused(response, 429, "locked-out")
    assert 0 < int(response.headers["Retry-After"]) <= 901
    assert locked["locked_until"].endswith("Z")
    _refused(_token(client, who.account), 429, "locked-out")


def test_guessing_from_one_address_is_stopped_whatever_the_account(context: Context) -> None:
    app = create_app(context=replace(context, settings=replace(context.settings, sign_in_failures="9 per minute")))
    client = app.test_client()
    for number in range(9):
        assert _token(client, f"account{number}", "wrong-password-1").status_code == 401
    response = _token(client, "account99", "wrong-password-1")
    _refused(response, 429, "too-many")
    # What is left of the minute since the first guess.
    assert 0 < int(response.headers["Retry-After"]) <= 60
    elsewhere = app.test_client().post(
        "/api/v1/tokens",
        json={"account": "a", "password": "b"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert elsewhere.status_code == 401


def test_a_whole_class_behind_one_address_signs_in(client: FlaskClient, context: Context) -> None:
    who = someone(context)
    for _ in range(40):
        assert _token(client, who.account).status_code == 201


def test_a_code_is_asked_for_by_name(client: FlaskClient, context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    totp, _codes = with_factor(context, who)
    _refused(_token(client, who.account), 401, "code-needed")
    _refused(_token(client, who.account, code="000000"), 401, "wrong-code")
    code = totp.at(clock.now())
    assert _token(client, who.account, code=code).status_code == 201
    _refused(_token(client, who.account, code=code), 401, "wrong-code")


def test_a_temporary_password_gives_no_token(client: FlaskClient, context: Context) -> None:
    who = someone(context, temporary=True)
    refused = _refused(_token(client, who.account), 403, "set-up-needed")
    assert refused["step"] == "new_password"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/api/v1/tokens", {"account": "a", "password": "b", "roles": ["administrator"]}),
        ("put", "/api/v1/me/proof-route", {"route": "supervised", "person_id": str(uuid4())}),
        ("post", "/api/v1/me/consents", {"kind": "face", "text_version": "2026-12", "given_at": "2020-01-01"}),
    ],
)
def test_a_field_too_many_is_refused(
    client: FlaskClient, context: Context, method: str, path: str, body: dict[str, Any]
) -> None:
    headers = bearer(context, someone(context)) if "/me/" in path else {}
    refused = _refused(getattr(client, method)(path, json=body, headers=headers), 422, "invalid")
    assert len(refused["errors"]) == 1


def test_nothing_of_the_input_is_repeated_in_a_refusal(client: FlaskClient) -> None:
    response = client.post("/api/v1/tokens", json={"account": "a", "password": {"secret": "hunter2"}})
    _refused(response, 422, "invalid")
    assert "hunter2" not in response.text


def test_consent_photos_and_withdrawal(client: FlaskClient, context: Context) -> None:
    HarmlessFaces.in_(context)
    who = someone(context)
    headers = bearer(context, who)
    words = client.get("/api/v1/me/consents/face", headers=headers).get_json()
    assert words["standing"] is None
    assert "撤回" in words["text"]["zh"]
    assert "withdraw" in words["text"]["en"]
    put = client.put("/api/v1/me/proof-route", json={"route": "face"}, headers=headers)
    _refused(put, 409, "consent-needed")
    _refused(client.post("/api/v1/me/reference-photos", data=_photo(), headers=headers), 409, "consent-needed")
    given = client.post(
        "/api/v1/me/consents", json={"kind": "face", "text_version": words["text_version"]}, headers=headers
    )
    assert given.status_code == 201
    enrolled = client.post("/api/v1/me/reference-photos", data=_photo(), headers=headers)
    assert enrolled.status_code == 201
    assert enrolled.get_json()["quality"] == []
    me = client.get("/api/v1/me", headers=headers).get_json()
    assert (me["proof_route"], me["reference_photos"]) == ("face", 1)
    assert client.delete("/api/v1/me/consents/face", headers=headers).status_code == 204
    me = client.get("/api/v1/me", headers=headers).get_json()
    assert (me["proof_route"], me["reference_photos"], me["consent"]) == ("supervised", 0, None)
    assert list(context.store.list("faces/")) == []


def test_an_unusable_photo_names_its_problems(client: FlaskClient, context: Context) -> None:
    twin = HarmlessFaces.in_(context)
    twin.codes = (QualityCode.TOO_DARK, QualityCode.SEVERAL_FACES)
    who = someone(context)
    consented(context, who)
    response = client.post("/api/v1/me/reference-photos", data=_photo(), headers=bearer(context, who))
    refused = _refused(response, 422, "photo-unusable")
    assert refused["problems"] == ["too_dark", "several_faces"]
    assert "光线太暗" in refused["detail"]


def test_who_else_is_in_view_is_said_before_a_check_and_kept_nowhere(client: FlaskClient, context: Context) -> None:
    twin = HarmlessFaces.in_(context)
    who = someone(context)
    headers = bearer(context, who)

    def ask() -> Any:
        two = {"first": (io.BytesIO(b"1"), "1.jpg"), "later": (io.BytesIO(b"2"), "2.jpg")}
        return client.post("/api/v1/me/view", data=two, headers=headers)

    _refused(ask(), 409, "consent-needed")
    consented(context, who)
    before = _leaves(context)
    for behind in Behind:
        twin.behind = behind
        assert ask().json == {"behind": behind.value}
    twin.down = True
    _refused(ask(), 503, "unavailable")
    assert _leaves(context) == before
    assert list(context.store.list("faces/")) == []


def _leaves(context: Context) -> int:
    with context.database.reading() as session:
        return session.scalar(select(func.count()).select_from(LeafRow)) or 0


def _enrolled(client: FlaskClient, context: Context) -> tuple[Someone, dict[str, str], str]:
    HarmlessFaces.in_(context)
    who = someone(context)
    consented(context, who)
    headers = bearer(context, who)
    made = client.post("/api/v1/me/reference-photos", data=_photo(), headers=headers)
    return who, headers, made.get_json()["photo_id"]


def test_another_person_s_photo_does_not_exist(client: FlaskClient, context: Context) -> None:
    _who, headers, photo_id = _enrolled(client, context)
    others = [bearer(context, someone(context))]
    for other in others:
        for method, path in (
            ("get", f"/api/v1/me/reference-photos/{photo_id}/picture"),
            ("delete", f"/api/v1/me/reference-photos/{photo_id}"),
        ):
            _refused(getattr(client, method)(path, headers=other), 404, "not-found")
    assert len(client.get("/api/v1/me/reference-photos", headers=headers).get_json()["photos"]) == 1
    staff = bearer(context, someone(context, Role.ADMINISTRATOR))
    response = client.get(f"/api/v1/me/reference-photos/{photo_id}/picture", headers=staff)
    _refused(response, 403, "forbidden")


def test_even_her_own_look_is_noted(client: FlaskClient, context: Context) -> None:
    _who, headers, photo_id = _enrolled(client, context)
    picture = client.get(f"/api/v1/me/reference-photos/{photo_id}/picture", headers=headers)
    assert picture.data == b"\x01 a picture"
    assert picture.headers["Cache-Control"] == "no-store"
    (look,) = client.get("/api/v1/me/face-views", headers=headers).get_json()["looks"]
    assert (look["own"], look["purpose"], look["picture"]) == (True, "own", photo_id)


def test_a_deleted_photo_is_gone(client: FlaskClient, context: Context) -> None:
    _who, headers, photo_id = _enrolled(client, context)
    assert client.delete(f"/api/v1/me/reference-photos/{photo_id}", headers=headers).status_code == 204
    _refused(client.get(f"/api/v1/me/reference-photos/{photo_id}/picture", headers=headers), 404, "not-found")
    assert list(context.store.list("faces/")) == []


def test_the_cookie_counts_for_nothing_beside_a_token(app: Flask, context: Context) -> None:
    """Else a page elsewhere could use the cookie without the anti-forgery token by adding any header it likes."""
    browser = Browser(app)
    browser.sign_in(someone(context))
    assert browser.client.get("/api/v1/me").status_code == 200
    beside = browser.client.get("/api/v1/me", headers={"Authorization": "Bearer x"})
    _refused(beside, 401, "signed-out")


def test_the_api_takes_a_cookie_only_with_the_page_s_token(app: Flask, context: Context) -> None:
    browser = Browser(app)
    browser.sign_in(someone(context))
    body = {"route": "supervised"}
    _refused(browser.client.put("/api/v1/me/proof-route", json=body), 400, "csrf")
    page = browser.get("/account").text
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    taken = browser.client.put("/api/v1/me/proof-route", json=body, headers={"X-CSRFToken": token})
    assert taken.status_code == 200
