"""A trainee with a telephone: its photos, and the browsers inside other programs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from browser.campus import Campus, Trainee
from browser.classroom import Classroom
from browser.visitor import PHONE, Visitor
from browser.webcam import reference_photo
from playwright.sync_api import Page, Request, expect

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser

WITHOUT_CAMERA = """
Object.defineProperty(navigator, "userAgent", { get: () => "Mozilla/5.0 (Linux; Android 10) MicroMessenger/8.0.49" });
Object.defineProperty(navigator, "mediaDevices", { get: () => undefined });
"""
"""A kernel that gives no page a camera, as old ones inside WeChat do."""


def shows_the_way_out(page: Page, address: str) -> None:
    expect(page.get_by_text("请点右上角“…”，选“在浏览器打开”")).to_be_visible()
    expect(page.locator(".own-address")).to_have_text(address)
    page.get_by_role("button", name="复制地址").click()
    expect(page.get_by_role("button", name="地址已复制")).to_be_visible()


def test_inside_another_program_the_way_to_a_browser_is_shown_with_the_address(visit: Visit, campus: Campus) -> None:
    trainee = campus.trainee("覃小满")
    visitor = visit(trainee.account, size=PHONE)
    page = visitor.page
    page.add_init_script(WITHOUT_CAMERA)
    page.goto("/account/photos?next=/")
    page.get_by_role("button", name="打开摄像头").click()
    shows_the_way_out(page, f"{campus.url}/account/photos")
    expect(page.get_by_role("heading", name="拍一张或选一张照片")).to_be_visible()


def test_a_check_lies_over_the_film_and_shows_the_way_out(visit: Visit, campus: Campus) -> None:
    trainee = campus.trainee("覃大满", photo=reference_photo())
    visitor = visit(trainee.account, size=PHONE)
    visitor.page.add_init_script(WITHOUT_CAMERA)
    classroom = Classroom.enter(visitor, trainee)
    film = visitor.page.locator("video[data-part=video]")
    expect(film).to_be_visible()
    assert film.get_attribute("x5-video-player-type") == "h5-page"
    classroom.start()
    shows_the_way_out(visitor.page, campus.url + campus.lesson_path(trainee))
    expect(film).to_be_hidden()
    visitor.page.get_by_role("button", name="摄像头不能用").first.click()
    # The next check comes with the next study, sooner than anybody outside could look.
    visitor.page.evaluate("""() => document.querySelector('dialog.check').addEventListener('close', () => {
        const film = document.querySelector('video[data-part=video]');
        document.documentElement.dataset.film = getComputedStyle(film).display;
    }, { once: true })""")
    visitor.page.get_by_role("button", name="继续学习").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-film", "block")


def large_photo() -> bytes:
    """A reference photo as a telephone takes it: 24 million pixels."""
    picture = cv2.imdecode(np.frombuffer(reference_photo(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    grown = cv2.resize(picture, (5712, round(5712 * height / width)), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", grown, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def test_a_telephone_s_photo_is_made_smaller_before_it_travels(visit: Visit, campus: Campus) -> None:
    trainee: Trainee = campus.trainee("覃中满")
    page = visit(trainee.account, size=PHONE).page
    sent: list[int] = []

    def heard(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/account/photos"):
            sent.append(int(request.header_value("content-length") or 0))

    page.on("requestfinished", heard)
    page.goto("/account/photos")
    page.get_by_role("button", name="选一张照片上传").click()
    photo = large_photo()
    page.locator("input[type=file]").set_input_files(
        files={"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": photo}
    )
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_text("登记照片已保存。")).to_be_visible()
    assert len(photo) > 1_500_000
    assert sent and 10_000 < sent[0] < len(photo) / 3
