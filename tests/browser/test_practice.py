"""A movement tried before any check: what is seen of it is said at once, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser.campus import Campus
from browser.visitor import PHONE, Visitor
from browser.webcam import Webcam, reference_photo
from playwright.sync_api import Request, expect

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser


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
    visitor.page.get_by_role("button", name="试做一个动作").click()
    expect(visitor.page.get_by_text("请慢慢向左转头")).to_be_visible()
    expect(visitor.page.get_by_text("看到动作了")).to_be_visible()
    assert sent == [], "nothing of the practice leaves the browser"
