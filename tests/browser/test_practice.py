"""A movement tried before any check: a poster is pointed at first, and no picture of the movement is sent."""

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
    assert [address.rsplit("/api/v1/")[-1] for address in sent] == ["me/view"], "no movement leaves the browser"


def test_a_poster_is_pointed_at_before_any_check(visit: Visit, campus: Campus, webcam: Webcam) -> None:
    trainee = campus.trainee("沈若兰", photo=reference_photo())
    visitor = visit(trainee.account, size=PHONE, camera=True)
    webcam.show_poster()
    visitor.page.goto("/account/photos")
    visitor.page.get_by_role("button", name="试做一个动作").click()
    expect(visitor.page.get_by_text("身后有一张人像")).to_be_visible(timeout=20_000)
    expect(visitor.page.get_by_role("button", name="处理好了，再看一次")).to_be_visible()
    visitor.page.get_by_role("button", name="先试动作").click()
    expect(visitor.page.get_by_text("请慢慢向左转头")).to_be_visible()
