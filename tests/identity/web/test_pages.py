"""Identity's pages as a browser uses them, and as an attacker would."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import (
    PASSWORD,
    Browser,
    HarmlessFaces,
    Someone,
    consented,
    identity_number,
    organisation,
    signed_in,
    someone,
    with_factor,
)

from media_pipeline.quality import QualityCode
from xueji.app import create_app
from xueji.identity import queries, services
from xueji.identity.models import DuplicateFlag, FileJoining, LoginSession, Membership, Organisation, Person
from xueji.identity.rules import OrganisationKind, ProofRoute, SessionKind
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


def _logins(context: Context, who: Someone) -> list[LoginSession]:
    with context.database.reading() as session:
        chosen = select(LoginSession).where(LoginSession.person_id == who.id).order_by(LoginSession.started_at)
        return list(session.scalars(chosen))


def _cookie(browser: Browser) -> str:
    cookie = browser.client.get_cookie("xueji")
    return cookie.value if cookie is not None else ""


# Signing in ---------------------------------------------------------------------------------------------------------


def test_staff_sign_in_and_out(browser: Browser, context: Context) -> None:
    who = someone(context, Role.INSTITUTION, name="钱老师")
    assert browser.sign_in(who).location == "/"
    assert "钱老师" in browser.get("/account").text
    assert browser.post("/sign-out").location == "/sign-in"
    gone = browser.get("/account")
    assert gone.status_code == 302
    assert gone.location == "/sign-in?next=/account"
    assert _logins(context, who)[0].ended_reason == "signed_out"


def test_a_wrong_password_says_so_and_keeps_the_account_s_name(browser: Browser, context: Context) -> None:
    response = browser.sign_in(someone(context), "wrong")
    assert response.status_code == 401
    assert "账号或密码不正确" in response.text
    assert 'value="person' in response.text
    assert "wrong" not in re.sub(r"wrong-password", "", response.text)


def test_a_locked_account_reads_until_when(browser: Browser, context: Context) -> None:
    who = someone(context)
    for _ in range(5):
        response = browser.sign_in(who, "wrong")
    assert response.status_code == 429
    assert re.search(r"请于\d\d:\d\d:\d\d后再试", response.text)


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example", "/\\evil.example", "%2F%2Fevil.example"])
def test_signing_in_never_leads_to_another_site(browser: Browser, context: Context, target: str) -> None:
    assert browser.sign_in(someone(context, Role.INSTITUTION), next=target).location == "/"
    assert browser.get(f"/sign-in?next={target}").location == "/"


def test_signing_in_leads_back_to_where_one_was_going(browser: Browser, context: Context) -> None:
    assert browser.sign_in(someone(context, Role.INSTITUTION), next="/account/looks").location == "/account/looks"


def test_a_cookie_planted_before_signing_in_is_worth_nothing_after(
    app: Flask, browser: Browser, context: Context
) -> None:
    attacker, victim = someone(context, Role.INSTITUTION), someone(context, Role.INSTITUTION)
    browser.sign_in(attacker)
    planted = _cookie(browser)
    anti_forgery = re.search(r'csrf-token" content="([^"]+)', browser.get("/account").text)
    browser.get("/sign-in")
    browser.post("/sign-out", look="/account")
    browser.client.set_cookie("xueji", planted)
    browser.sign_in(victim)
    assert _cookie(browser) != planted
    spy = Browser(app)
    spy.client.set_cookie("xueji", planted)
    assert spy.get("/account").status_code == 302
    # Nor does the anti-forgery token from before work in the session after.
    assert anti_forgery is not None
    forged = browser.client.post("/sign-out", data={"csrf_token": anti_forgery.group(1)})
    assert forged.status_code == 400


def test_signing_in_again_ends_the_session_the_browser_had(browser: Browser, context: Context) -> None:
    first, second = someone(context, Role.INSTITUTION), someone(context, Role.INSTITUTION)
    browser.sign_in(first)
    page = browser.get("/account")
    assert page.status_code == 200
    browser.client.post(
        "/sign-in",
        data={
            "csrf_token": re.search(r'csrf-token" content="([^"]+)', page.text).group(1),  # type: ignore[union-attr]
            "account": second.account,
            "password": PASSWORD,
        },
    )
    assert _logins(context, first)[0].ended_at is not None
    assert _logins(context, second)[0].ended_at is None


def test_a_cookie_kept_after_signing_out_is_worth_nothing(app: Flask, browser: Browser, context: Context) -> None:
    browser.sign_in(someone(context, Role.INSTITUTION))
    kept = _cookie(browser)
    browser.post("/sign-out", look="/account")
    thief = Browser(app)
    thief.client.set_cookie("xueji", kept)
    assert thief.get("/account").status_code == 302


def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in_page_and_not_back_to_itself(
    browser: Browser, context: Context
) -> None:
    who = someone(context)
    browser.sign_in(who)
    browser.get("/account")
    signed_in(context, who)
    assert browser.post("/account/proof-route", {"route": "supervised"}).location == "/sign-in"


def test_the_place_signed_out_from_elsewhere_is_told_why(app: Flask, browser: Browser, context: Context) -> None:
    who = someone(context)
    browser.sign_in(who)
    signed_in(context, who)
    assert browser.get("/account").status_code == 302
    assert "刚刚在别处登录" in browser.get("/sign-in").text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/password", "/account/proof-route"])
def test_a_form_from_another_site_does_nothing(browser: Browser, context: Context, path: str) -> None:
    who = someone(context)
    browser.sign_in(who)
    response = browser.client.post(path, data={"account": who.account, "password": PASSWORD, "route": "supervised"})
    assert response.status_code == 400
    assert "页面已过期" in response.text
    assert _logins(context, who)[0].ended_at is None


def test_a_field_the_form_does_not_have_is_refused(browser: Browser, context: Context) -> None:
    who = someone(context)
    response = browser.post("/sign-in", {"account": who.account, "password": PASSWORD, "role": "administrator"})
    assert response.status_code == 422
    assert _logins(context, who) == []


def test_the_language_of_the_browser_is_spoken(browser: Browser) -> None:
    assert "登录" in browser.get("/sign-in", headers={"Accept-Language": "zh-CN"}).text


def test_only_a_demonstration_names_its_accounts(context: Context, browser: Browser) -> None:
    made = {"accounts": [{"account": "demo-one", "password": "demo-pass-1", "role": "trainee"}]}
    (context.settings.data / "demo.json").write_text(json.dumps(made), "utf-8")
    assert "demo-one" not in browser.get("/sign-in").text
    shown = replace(context, settings=replace(context.settings, demo=True))
    text = Browser(create_app(context=shown)).get("/sign-in").text
    assert "demo-one" in text
    assert "demo-pass-1" in text


def test_one_tap_signs_in_in_a_demonstration_alone(context: Context, browser: Browser) -> None:
    who, other = someone(context, Role.REGULATOR), someone(context)
    made = {"accounts": [{"account": who.account, "password": PASSWORD, "role": "regulator"}]}
    (context.settings.data / "demo.json").write_text(json.dumps(made), "utf-8")
    assert browser.post(f"/sign-in/as/{who.account}", look="/sign-in").status_code == 404
    shown = replace(context, settings=replace(context.settings, demo=True))
    there = Browser(create_app(context=shown))
    assert there.post(f"/sign-in/as/{other.account}", look="/sign-in").status_code == 404
    assert there.post(f"/sign-in/as/{who.account}", look="/sign-in").status_code == 302
    assert len(_logins(context, who)) == 1 and _logins(context, other) == []


def test_a_page_that_has_expired_leads_back_to_itself_and_to_no_other_site(browser: Browser, context: Context) -> None:
    browser.sign_in(someone(context))
    page, elsewhere = "http://localhost/account", "http://localhost.example/account"
    expired = browser.client.post("/account/proof-route", headers={"Referer": page})
    assert expired.status_code == 400
    assert f'href="{page}"' in expired.text
    assert elsewhere not in browser.client.post("/account/proof-route", headers={"Referer": elsewhere}).text


# The second step ----------------------------------------------------------------------------------------------------


def test_a_code_is_a_second_page_and_the_password_alone_opens_nothing(browser: Browser, context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    totp, _codes = with_factor(context, who)
    assert browser.sign_in(who, next="/account/looks").location == "/sign-in/code"
    assert browser.get("/account").status_code == 302
    assert browser.post("/sign-in/code", {"code": "000000"}).status_code == 401
    code = totp.at(clock.now())
    assert browser.post("/sign-in/code", {"code": code}).location == "/account/looks"
    assert browser.get("/account").status_code == 200
    again = Browser(browser.app)
    again.sign_in(who)
    assert again.post("/sign-in/code", {"code": code}).status_code == 401


def test_the_second_page_alone_is_no_way_in(browser: Browser) -> None:
    for path in ("/sign-in/code", "/sign-in/new-password", "/sign-in/set-up-code"):
        response = browser.get(path)
        assert response.status_code == 302
        assert response.location.startswith("/sign-in?")


def test_the_second_step_waits_ten_minutes(browser: Browser, context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    with_factor(context, who)
    with clock.fixed(clock.now()) as time:
        browser.sign_in(who)
        assert browser.get("/sign-in/code").status_code == 200
        time.advance(timedelta(minutes=10, seconds=1))
        assert browser.get("/sign-in/code").status_code == 302


def test_staff_set_a_second_factor_up_at_the_first_sign_in_where_it_is_required(context: Context) -> None:
    strict = replace(context, settings=replace(context.settings, staff_second_factor="required"))
    browser = Browser(create_app(context=strict))
    who = someone(context, Role.REGULATOR)
    assert browser.sign_in(who).location == "/sign-in/set-up-code"
    page = browser.get("/sign-in/set-up-code").text
    assert 'src="data:image/svg+xml' in page
    secret = re.search(r'<code class="hash">([A-Z2-7]{32})</code>', page)
    assert secret is not None
    assert browser.post("/sign-in/set-up-code", {"code": "000000"}).status_code == 401
    done = browser.post("/sign-in/set-up-code", {"code": pyotp.TOTP(secret.group(1)).at(clock.now())})
    assert done.status_code == 200
    assert len(re.findall(r"<code class=\"hash\">[0-9a-z]{5}-[0-9a-z]{5}</code>", done.text)) == 10
    assert browser.get("/account").status_code == 200


def test_a_temporary_password_is_replaced_on_the_way_in(browser: Browser, context: Context) -> None:
    who = someone(context, temporary=True)
    assert browser.sign_in(who).location == "/sign-in/new-password"
    path = "/sign-in/new-password"
    assert browser.post(path, {"password": "battery-staple-9", "again": "another-9-one"}).status_code == 422
    assert browser.post(path, {"password": "short", "again": "short"}).status_code == 422
    done = browser.post(path, {"password": "battery-staple-9", "again": "battery-staple-9"})
    assert done.location.startswith("/welcome")
    assert Browser(browser.app).sign_in(who, "battery-staple-9").location.startswith("/welcome")


def test_a_second_factor_is_switched_on_and_off_from_the_account(browser: Browser, context: Context) -> None:
    who = someone(context, Role.ENTERPRISE)
    browser.sign_in(who)
    path = "/account/second-factor"
    assert browser.get(f"{path}/set-up").location == path
    assert browser.post(path, {"current": "wrong"}, look=path).status_code == 401
    assert browser.post(path, {"current": PASSWORD}, look=path).location == f"{path}/set-up"
    page = browser.get(f"{path}/set-up").text
    secret = re.search(r'<code class="hash">([A-Z2-7]{32})</code>', page)
    assert secret is not None
    code = pyotp.TOTP(secret.group(1)).at(clock.now())
    assert browser.post(f"{path}/set-up", {"code": "000000"}).status_code == 401
    elsewhere = Browser(browser.app)
    elsewhere.sign_in(who)
    assert "恢复码" in browser.post(f"{path}/set-up", {"code": code}, look=f"{path}/set-up").text
    assert elsewhere.get("/account").status_code == 302
    look = "/account/second-factor"
    assert browser.post("/account/second-factor/drop", {"current": "wrong"}, look=look).status_code == 401
    assert browser.post("/account/second-factor/drop", {"current": PASSWORD}, look=look).location == "/account"
    assert Browser(browser.app).sign_in(who).location == "/"


# One's own account --------------------------------------------------------------------------------------------------


def test_a_new_trainee_sees_both_ways_of_one_size_before_anything_else(browser: Browser, context: Context) -> None:
    who = someone(context)
    welcome = browser.sign_in(who, next="/lessons").location
    assert welcome == "/welcome?next=/lessons"
    page = browser.get(welcome).text
    assert page.count('<section class="route"') == 2
    assert page.index("人脸核验") < page.index("现场核验")
    done = browser.post("/account/proof-route", {"route": "supervised", "next": "/lessons"}, look=welcome)
    assert done.location == "/lessons"
    assert Browser(browser.app).sign_in(who, next="/lessons").location == "/lessons"


def test_each_way_is_one_click_from_the_other(browser: Browser, context: Context) -> None:
    HarmlessFaces.in_(context)
    who = someone(context)
    browser.sign_in(who)
    asked = browser.post("/account/proof-route", {"route": "face"}, look="/account").location
    assert asked == "/account/consents/face"
    agreed = browser.post(asked, {"text_version": "2026-12", "next": ""}, look=asked)
    assert agreed.location == "/account/photos"
    for route in (ProofRoute.SUPERVISED, ProofRoute.FACE):
        back = browser.post("/account/proof-route", {"route": route.value}, look="/account")
        assert back.location == "/account"
        with context.database.reading() as session:
            assert session.get_one(Person, who.id).proof_route is route


def test_a_photo_by_form_its_problems_and_the_withdrawal(browser: Browser, context: Context) -> None:
    twin = HarmlessFaces.in_(context)
    who = someone(context)
    browser.sign_in(who)
    consented(context, who)

    def send() -> Any:
        photo = (io.BytesIO(b"\x01 a picture"), "me.jpg")
        return browser.post(
            "/account/photos", {"photo": photo}, look="/account/photos", content_type="multipart/form-data"
        )

    twin.codes = (QualityCode.TURNED_AWAY,)
    refused = send()
    assert refused.status_code == 422
    assert "请正对镜头" in refused.text
    twin.codes = ()
    assert send().location == "/account/photos"
    page = browser.get("/account/photos").text
    picture = re.search(r'href="(/account/photos/[0-9a-f-]{36}/picture)"', page)
    assert picture is not None
    assert browser.client.get(picture.group(1)).data == b"\x01 a picture"
    assert "本人查看" in browser.get("/account/looks").text
    stranger = Browser(browser.app)
    stranger.sign_in(someone(context))
    assert stranger.get(picture.group(1)).status_code == 404
    assert stranger.post(picture.group(1).replace("picture", "delete"), look="/account").status_code == 404
    assert browser.post("/account/consents/face/withdraw", look="/account").location == "/account"
    assert browser.get(picture.group(1)).status_code == 404
    assert list(context.store.list("faces/")) == []


def test_the_password_is_changed_with_the_old_one_and_ends_other_sign_ins(browser: Browser, context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    other = Browser(browser.app)
    for each in (browser, other):
        each.sign_in(who)
    new = {"password": "battery-staple-9", "again": "battery-staple-9"}
    assert browser.post("/account/password", {"current": "wrong", **new}).status_code == 401
    assert browser.post("/account/password", {"current": PASSWORD, **new}).location == "/account"
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert Browser(browser.app).sign_in(who, "battery-staple-9").status_code == 302


def test_one_ends_one_s_own_sign_ins_and_nobody_else_s(browser: Browser, context: Context) -> None:
    who, stranger = someone(context, Role.INSTITUTION), someone(context, Role.INSTITUTION)
    elsewhere = signed_in(context, who, SessionKind.COOKIE).claims.login_session_id
    foreign = signed_in(context, stranger).claims.login_session_id
    browser.sign_in(who)
    assert browser.post(f"/account/sign-ins/{elsewhere}/end", look="/account").status_code == 302
    assert browser.post(f"/account/sign-ins/{foreign}/end", look="/account").status_code == 404
    assert [login.ended_at is None for login in _logins(context, stranger)] == [True]
    assert sum(login.ended_at is None for login in _logins(context, who)) == 1


def test_one_acts_for_one_organisation_at_a_time(browser: Browser, context: Context) -> None:
    who = someone(context, Role.ENTERPRISE)
    city = organisation(context, OrganisationKind.AUTHORITY, "620100")
    with context.database.writing() as session:
        session.add(Membership(person_id=who.id, organisation_id=city.id, role=Role.REGULATOR, since=clock.now()))
    browser.sign_in(who)
    assert browser.client.get("/api/v1/me").get_json()["roles"] == ["regulator"]
    assert browser.post(f"/account/organisation/{who.organisation_id}", look="/account").status_code == 302
    assert browser.client.get("/api/v1/me").get_json()["roles"] == ["enterprise"]
    assert browser.post(f"/account/organisation/{uuid4()}", look="/account").status_code == 404


# The administrator --------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(browser: Browser, context: Context) -> Browser:
    browser.sign_in(someone(context, Role.ADMINISTRATOR, name="管理员甲"))
    return browser


@pytest.mark.parametrize("path", ["", "/organisations", "/people/new", "/duplicates"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_administer(browser: Browser, context: Context, path: str, role: Role) -> None:
    browser.sign_in(someone(context, role))
    assert browser.get(f"/administration{path}").status_code == 403


def test_an_organisation_and_a_person_are_registered_and_found(admin: Browser, context: Context) -> None:
    path = "/administration/organisations"
    form = {"name": "兰州安全培训中心", "kind": "institution", "region": "620100", "uscc": ""}
    assert admin.post(path, form).location == path
    assert admin.post(path, form).status_code == 409
    for nowhere in ("62", "999999", ""):
        assert admin.post(path, {**form, "region": nowhere}).status_code == 422
    assert "甘肃省兰州市" in admin.get(path).text
    with context.database.reading() as session:
        where = session.scalars(select(Organisation).where(Organisation.name == "兰州安全培训中心")).one()
    number = identity_number(777)
    person = {
        "name": "周老师",
        "id_number": number,
        "account": "zhou",
        "organisation_id": str(where.id),
        "role": "institution",
    }
    path = "/administration/people/new"
    assert admin.post(path, {**person, "id_number": "123"}).status_code == 422
    made = admin.post(path, person)
    password = re.search(r"<dd>([a-z0-9]{5}-[a-z0-9]{5})</dd>", made.text)
    assert password is not None
    newcomer = Browser(admin.app)
    first = newcomer.post("/sign-in", {"account": "zhou", "password": password.group(1)})
    assert first.location == "/sign-in/new-password"
    for sought in ("周老师", number, "zho"):
        assert "周**" in admin.post("/administration", {"q": sought}, look="/administration").text
    page = admin.post("/administration", {"q": number}, look="/administration").text
    assert number not in page.replace(f'value="{number}"', "")
    again = admin.post(path, {**person, "account": "zhou2", "role": "trainee"}, look=path)
    assert "此人已有账号" in again.text


def test_an_administrator_suspends_restores_and_unlocks(admin: Browser, context: Context) -> None:
    who = someone(context)
    page = f"/administration/people/{who.id}"
    visitor = Browser(admin.app)
    visitor.sign_in(who)
    assert admin.post(f"{page}/suspend", look=page).location == page
    assert visitor.get("/account").status_code == 302
    assert "账号已停用" in Browser(admin.app).sign_in(who).text
    admin.post(f"{page}/restore", look=page)
    for _ in range(5):
        locked = Browser(admin.app).sign_in(who, "wrong")
    assert locked.status_code == 429
    assert "锁定至" in admin.get(page).text
    admin.post(f"{page}/unlock", look=page)
    assert Browser(admin.app).sign_in(who).status_code == 302


def test_roles_are_given_and_taken(admin: Browser, context: Context) -> None:
    who = someone(context)
    page = f"/administration/people/{who.id}"
    company = organisation(context, OrganisationKind.ENTERPRISE)
    form = {"organisation_id": str(company.id), "role": "enterprise"}
    admin.post(f"{page}/memberships", form, look=page)
    with context.database.reading() as session:
        given = queries.memberships(session, who.id)
    assert [member.role for member in given] == [Role.TRAINEE, Role.ENTERPRISE]
    assert admin.post(f"{page}/memberships", {**form, "role": "regulator"}, look=page).status_code == 422
    assert admin.post(f"{page}/memberships", {**form, "organisation_id": "x"}, look=page).status_code == 404
    admin.post(f"/administration/memberships/{given[1].membership_id}/remove", look=page)
    with context.database.reading() as session:
        assert len(queries.memberships(session, who.id)) == 1


def test_look_alikes_are_looked_at_and_decided_on_and_the_person_is_told(admin: Browser, context: Context) -> None:
    HarmlessFaces.in_(context)
    one, two = someone(context), someone(context)
    photos = []
    for who in (one, two):
        consented(context, who)
        photos.append(services.enrol_photo(context, person_id=who.id, photo=b"\x05 a picture"))
    services.compare_with_everybody(context, photos[1])
    with context.database.reading() as session:
        flag = session.scalars(select(DuplicateFlag)).one()
    page = admin.get("/administration/duplicates").text
    assert one.id_number not in page
    picture = f"/administration/duplicates/{flag.id}/pictures"
    assert admin.client.get(f"{picture}/{photos[0]}").data == b"\x05 a picture"
    assert admin.get(f"{picture}/{uuid4()}").status_code == 404
    with context.database.reading() as session:
        assert [look.purpose for look in queries.face_views(session, one.id)] == ["duplicate"]
    decided = admin.post(
        f"/administration/duplicates/{flag.id}",
        {"finding": "two", "reason": "双胞胎", "stands": ""},
        look="/administration/duplicates",
    )
    assert decided.status_code == 302
    assert admin.get(f"{picture}/{photos[0]}").status_code == 404
    assert "没有待处理的提示" in admin.get("/administration/duplicates").text


def test_two_files_are_joined_and_put_apart_over_the_pages(admin: Browser, context: Context) -> None:
    one, two = someone(context), someone(context)
    second = Browser(admin.app)
    who = someone(context, Role.ADMINISTRATOR)
    second.sign_in(who)
    with context.database.writing() as session:
        session.execute(update(Membership).values(since=clock.now() - timedelta(days=9)))
    page = f"/administration/people/{one.id}"
    reason = {"reason": "登记时录错号码"}
    assert admin.post(f"/people/{one.id}/joinings", {"account": "nobody-here", **reason}, look=page).status_code == 404
    assert admin.post(f"/people/{one.id}/joinings", {"account": two.account, **reason}, look=page).status_code == 302
    with context.database.reading() as session:
        asked = session.scalars(select(FileJoining)).one()
        joined = session.get_one(Person, asked.joined_id)
    assert "登记时录错号码" in second.get("/joinings").text
    assert admin.post(f"/joinings/{asked.id}/confirm", look="/joinings").status_code == 404
    assert second.post(f"/joinings/{asked.id}/confirm", look="/joinings").status_code == 302
    assert "已并入" in admin.get(f"/administration/people/{joined.id}").text
    restored = admin.post(f"/administration/people/{joined.id}/restore", look="/joinings")
    assert restored.status_code == 409
    assert admin.post(f"/people/{joined.id}/partings", {"reason": "是两个人"}, look="/joinings").status_code == 302
    with context.database.reading() as session:
        parting = session.scalars(select(FileJoining).where(FileJoining.parts)).one()
    assert second.post(f"/joinings/{parting.id}/refuse", look="/joinings").status_code == 302
    assert "已合并的档案" in admin.get("/joinings").text
