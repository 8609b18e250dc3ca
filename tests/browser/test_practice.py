"""A movement tried before any check: what is seen of it is said at once, and nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.campus import Campus
from browser.visitor import PHONE, Visitor
from browser.webcam import Webcam, reference_photo
from playwright.sync_api import Request, expect

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser
PICTURES = os.environ.get("XUEJI_LOOK")
"""A folder for pictures of what is seen, for whoever wants to look."""


def _picture(visitor: Visitor, name: str) -> None:
    if PICTURES:
        visitor.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def test_a_movement_can_be_tried_before_any_check(visit: Visit, campus: Campus, webcam: Webcam) -> None:
    trainee = campus.trainee("沈若男", photo=reference_photo())
    visitor = visit(trainee.account, size=PHONE, camera=True)
    webcam.show_person(visitor.page)
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            sent.append(request.url)

    visitor.page.on("request", note)
    visitor.page.goto("/account/photos")
    _picture(visitor, "offer-zh-phone")
    visitor.page.get_by_role("button", name="试做一个动作").click()
    expect(visitor.page.get_by_text("请慢慢向左转头")).to_be_visible()
    _picture(visitor, "asking-zh-phone")
    expect(visitor.page.get_by_text("看到了，就是这样")).to_be_visible()
    _picture(visitor, "seen-zh-phone")
    assert sent == [], "nothing of the practice leaves the browser"


def test_who_makes_no_movement_is_told_what_to_do(visit: Visit, campus: Campus, webcam: Webcam) -> None:
    trainee = campus.trainee("沈若男", photo=reference_photo())
    visitor = visit(trainee.account, camera=True, language="en")
    webcam.show_person(visitor.page, growth_ms=10_000_000)
    visitor.page.goto("/account/photos")
    _picture(visitor, "offer-en-desk")
    visitor.page.get_by_role("button", name="Try a movement").click()
    expect(visitor.page.get_by_text("No movement was seen")).to_be_visible()
    _picture(visitor, "unseen-en-desk")
    expect(visitor.page.get_by_role("button", name="Try another")).to_be_visible()


def test_the_operator_s_page_fits(visit: Visit, campus: Campus) -> None:
    for language, size, name in (("zh-CN", PHONE, "zh-phone"), ("en", None, "en-desk")):
        page = visit("admin", language=language, **({"size": size} if size else {}))
        page.page.goto("/installation")
        _picture(page, f"installation-{name}")
        learner = visit("history", language=language, **({"size": size} if size else {}))
        learner.page.goto("/account/consents/calibration")
        _picture(learner, f"calibration-{name}")
        learner.page.goto("/account")
        _picture(learner, f"account-{name}")
