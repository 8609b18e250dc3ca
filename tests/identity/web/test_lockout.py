"""Over the pages: strangers lock out themselves, a device that is known to the account passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from support.people import PASSWORD, Browser, someone

from xueji.app import create_app
from xueji.identity.authentication import limiter
from xueji.kernel.actor import Role
from xueji.kernel.context import Context


def _from(browser: Browser, address: str) -> Browser:
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


def test_the_owner_comes_in_from_her_own_device_while_a_stranger_beside_her_guesses(
    app: Flask, context: Context
) -> None:
    who = someone(context, Role.INSTITUTION)
    own, stranger = _from(Browser(app), "203.0.113.7"), _from(Browser(app), "203.0.113.7")
    assert own.sign_in(who).status_code == 302
    own.post("/sign-out", look="/account")
    statuses = [stranger.sign_in(who, "wrong").status_code for _ in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    assert stranger.sign_in(who).status_code == 429
    assert own.sign_in(who).status_code == 302
    assert _from(Browser(app), "2001:db8::1").sign_in(who).status_code == 302


def test_a_forged_or_another_account_s_note_makes_no_device_known(app: Flask, context: Context) -> None:
    who, other = someone(context, Role.INSTITUTION), someone(context, Role.INSTITUTION)
    browser = _from(Browser(app), "203.0.113.7")
    browser.sign_in(other)
    note = browser.client.get_cookie("device")
    assert note is not None
    stranger = _from(Browser(app), "203.0.113.7")
    for _ in range(5):
        stranger.sign_in(who, "wrong")
    for planted in (note.value, note.value[:-4] + "AAAA", "x", "\u00e9"):
        stranger.client.set_cookie("device", planted)
        assert stranger.sign_in(who).status_code == 429


@pytest.fixture
def strict(context: Context) -> Flask:
    limiter.reset() if limiter._storage else None
    settings = replace(context.settings, sign_in_failures="3 per minute", lockout_attempts=50)
    return create_app(context=replace(context, settings=settings))


def test_a_known_device_is_not_shut_out_by_others_behind_its_address(strict: Flask, context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    own = Browser(strict)
    own.sign_in(who)
    own.post("/sign-out", look="/account")
    stranger = Browser(strict)
    for number in range(3):
        form = {"account": f"invented{number}", "password": "wrong"}
        assert stranger.post("/sign-in", form, look="/sign-in").status_code == 401
    assert Browser(strict).sign_in(who).status_code == 429
    assert own.sign_in(who, PASSWORD).status_code == 302
