"""Networks that forbid, ask for a sign-in or go: what an upload and a lesson say of each, and the way on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from browser.campus import LEFT_ALONE, Campus
from browser.classroom import Classroom
from browser.visitor import PHONE, Visitor
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select

from courses import rules
from courses.models import Upload
from courses.services import editing, uploads
from xueji.identity.rules import ProofRoute
from xueji.rulebook.vocabulary import Part

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser

PIECES = 3
DENIED = "<!doctype html><title>Access Denied</title><h1>Access Denied</h1>"
_ANSWERS = re.compile(r"/api/v1/uploads/[0-9a-f-]{36}$")


@dataclass
class Network:
    """What stands between the page and the platform: each piece meets what is ``next``, afterwards nothing."""

    page: Page
    met: list[tuple[str, str]] = field(default_factory=list)
    """Method and override of each piece that was sent."""
    does: Callable[[Route, int], None] | None = None

    def stand(self) -> None:
        self.page.route(_ANSWERS, self._piece)

    def _piece(self, route: Route) -> None:
        request = route.request
        override = request.headers.get("x-http-method-override", "")
        if "PATCH" not in (request.method, override):
            route.continue_()
            return
        self.met.append((request.method, override))
        if self.does is None:
            route.continue_()
        else:
            self.does(route, len(self.met))


@dataclass
class Editor:
    """A course's page with one lesson that may have a film, and the network it is used in."""

    visitor: Visitor
    network: Network
    file: Path
    lesson_id: UUID

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def place(self) -> Locator:
        return self.page.locator(f"[data-upload][data-lesson='{self.lesson_id}']")

    @property
    def progress(self) -> Locator:
        return self.place.locator("[data-part=progress]")

    def choose(self) -> None:
        self.place.locator("input[type=file]").set_input_files(self.file)

    def button(self, name: str) -> Locator:
        return self.progress.get_by_role("button", name=name)

    def unfinished(self) -> list[dict[str, object]]:
        found = self.page.evaluate("fetch('/api/v1/uploads').then((answer) => answer.json())")
        return [each for each in found["uploads"] if each["lesson_id"] == str(self.lesson_id)]


@pytest.fixture
def editor(visit: Visit, campus: Campus, tmp_path: Path) -> Iterator[Editor]:
    """The file is no film: it arrives whole and is then refused, which says that all of it arrived."""
    staff = campus.people["institution"].actor
    with campus.context.database.writing() as session:
        course = editing.create_course(session, actor=staff, title="上传的课程")
        lesson = editing.add_lesson(
            session, actor=staff, course_id=course.id, title="要换视频的课", part=Part.THEORY, film_id=None
        )
    file = tmp_path / "lesson.mp4"
    file.write_bytes(os.urandom((PIECES - 1) * rules.PIECE_BYTES + 1000))
    visitor = visit("institution")
    assert visitor.go(f"/courses/{course.id}").status == 200
    network = Network(visitor.page)
    network.stand()
    yield Editor(visitor, network, file, lesson.id)
    with campus.context.database.writing() as session:
        for upload in session.scalars(select(Upload).where(Upload.film_id.is_(None))):
            session.delete(upload)


def test_a_file_that_changes_is_told_and_chosen_again(editor: Editor) -> None:
    def second_is_lost(route: Route, number: int) -> None:
        if number == 1:
            route.continue_()
            return
        editor.file.write_bytes(os.urandom(100))
        route.abort()

    editor.network.does = second_is_lost
    editor.choose()
    expect(editor.progress).to_contain_text("文件在上传中被改动、移走或删除了。请重新选择这个文件")
    expect(editor.button("继续上传")).to_have_count(0)
    editor.button("关闭").click()
    expect(editor.progress).to_be_hidden()


def test_a_proxy_that_knows_no_patch_is_gone_around(editor: Editor) -> None:
    def no_patch(route: Route, _number: int) -> None:
        if route.request.method == "PATCH":
            route.fulfill(status=405, content_type="text/html", body=DENIED)
        else:
            route.continue_()

    editor.network.does = no_patch
    editor.choose()
    expect(editor.progress).to_contain_text("这个文件不能用")
    assert editor.network.met == [("PATCH", ""), *[("POST", "PATCH")] * PIECES], "asked once, and then no more"


def test_a_network_that_forbids_is_told_with_its_status_and_gone_on_from_when_it_lets_through(editor: Editor) -> None:
    def forbids(route: Route, number: int) -> None:
        if number == 1:
            route.continue_()
        else:
            route.fulfill(status=403, content_type="text/html", body=DENIED)

    editor.network.does = forbids
    editor.choose()
    expect(editor.progress).to_contain_text(re.compile(r"没有把文件转过来（状态 403），\d+ 秒后再试"))
    expect(editor.progress).to_contain_text("这个网络不让上传（状态 403）。请把这句话告诉网络管理员")
    sent = len(editor.network.met)
    editor.network.does = None
    editor.button("继续上传").click()
    expect(editor.progress).to_contain_text("这个文件不能用")
    assert len(editor.network.met) - sent == PIECES - 1, "from where it stopped"


def test_a_network_that_wants_a_sign_in_is_told_as_that(editor: Editor) -> None:
    def portal(route: Route, _number: int) -> None:
        route.fulfill(status=200, content_type="text/html", body="<h1>Wi-Fi</h1>")

    editor.network.does = portal
    editor.choose()
    expect(editor.progress).to_contain_text(re.compile(r"这个网络要先登录：请另开一个页面完成上网认证，\d+ 秒后"))
    editor.network.does = None
    expect(editor.progress).to_contain_text("这个文件不能用")


def test_a_busy_platform_is_not_called_a_dead_network(editor: Editor) -> None:
    def busy(route: Route, number: int) -> None:
        if number > 1:
            route.continue_()
            return
        body = '{"type": "unavailable", "title": "服务暂时不可用", "status": 503}'
        route.fulfill(status=503, content_type="application/problem+json", body=body)

    editor.network.does = busy
    editor.choose()
    expect(editor.progress).to_contain_text(re.compile(r"平台忙，\d+ 秒后从断点继续"))
    expect(editor.progress).to_contain_text("这个文件不能用")


def test_it_is_paused_gone_on_with_and_given_up(editor: Editor) -> None:
    def gone_after_one(route: Route, number: int) -> None:
        if number == 1:
            route.continue_()
        else:
            route.abort()

    editor.network.does = gone_after_one
    editor.choose()
    expect(editor.progress).to_contain_text(re.compile(r"网络不通，\d+ 秒后从断点继续"))
    editor.button("暂停").click()
    expect(editor.progress).to_contain_text("已暂停，可随时从断点继续")
    (kept,) = editor.unfinished()
    assert kept["offset"] == rules.PIECE_BYTES
    editor.button("放弃上传").click()
    expect(editor.progress).to_be_hidden()
    assert editor.unfinished() == []
    # Chosen once more it begins anew; paused, it goes on where it stood.
    editor.network.met.clear()
    editor.choose()
    expect(editor.progress).to_contain_text("网络不通")
    editor.button("暂停").click()
    editor.network.does = None
    editor.network.met.clear()
    editor.button("继续上传").click()
    expect(editor.progress).to_contain_text("这个文件不能用")
    assert len(editor.network.met) == PIECES - 1


def test_too_many_unfinished_uploads_are_told_at_once_and_one_given_up_makes_room(
    editor: Editor, campus: Campus
) -> None:
    staff, context = campus.people["institution"].actor, campus.context
    with context.database.writing() as session:
        for number in range(rules.MOST_UNFINISHED_UPLOADS):
            uploads.begin_upload(
                session, actor=staff, events=context.events, name=f"left-{number}.mp4", size=9, limit=10
            )
    editor.choose()
    expect(editor.progress).to_contain_text("请在课程页的“没有传完的视频”里继续或放弃几个")
    expect(editor.button("继续上传")).to_have_count(0)
    editor.page.reload()
    unfinished = editor.page.locator("#unfinished")
    expect(unfinished.locator("li.panel")).to_have_count(rules.MOST_UNFINISHED_UPLOADS)
    unfinished.get_by_role("button", name="放弃").first.click()
    editor.page.locator("dialog[open]").get_by_role("button", name="放弃").click()
    expect(editor.page.locator("#unfinished li.panel")).to_have_count(rules.MOST_UNFINISHED_UPLOADS - 1)
    editor.choose()
    expect(editor.progress).to_contain_text("这个文件不能用")


def test_a_file_chosen_before_the_page_s_script_has_come_is_taken(editor: Editor) -> None:
    waiting: list[Route] = []
    editor.page.route(re.compile(r"/built/upload-[^/]+\.js$"), lambda route: waiting.append(route))
    editor.page.reload(wait_until="commit")
    editor.choose()
    editor.page.wait_for_function("document.readyState !== 'loading'")
    assert waiting
    for route in waiting:
        route.continue_()
    expect(editor.progress).to_contain_text("这个文件不能用")


def test_the_overlay_says_who_stands_in_the_way_and_lifts_when_nobody_does(visit: Visit, campus: Campus) -> None:
    trainee = campus.trainee("吕拦网", route=ProofRoute.SUPERVISED, plan=LEFT_ALONE)
    visitor = visit(trainee.account, size=PHONE, forgiven=("net::ERR_FAILED",))

    def short(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        said["plan"]["offline_ms"] = 20_000
        route.fulfill(response=answer, json=said)

    visitor.page.route(re.compile(r"/api/v1/sittings$"), short)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    stands: dict[str, Callable[[Route], None]] = {
        "proxy": lambda route: route.fulfill(status=403, content_type="text/html", body=DENIED),
        "portal": lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Wi-Fi</h1>"),
        "gone": lambda route: route.abort(),
        "busy": lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>"),
    }
    now = "proxy"
    beats = re.compile(r"/api/v1/sittings/[0-9a-f-]{36}/beats$")
    visitor.page.route(beats, lambda route: stands[now](route))
    expect(classroom.overlay).to_contain_text("这个网络拦住了学习记录，视频已暂停")
    expect(classroom.overlay).to_contain_text("（状态 403）。请换手机热点，或请网络管理员放行本站")
    expect(classroom.saving).to_contain_text("这个网络一直拦住学习记录")
    for now, words in (
        ("portal", "您已连上网络，但它要求先登录"),
        ("gone", "断网太久，视频已暂停"),
        ("busy", "服务器一直没有收下学习记录，视频已暂停"),
    ):
        classroom.overlay.get_by_role("button", name="重试").click()
        expect(classroom.overlay, now).to_contain_text(words)
    before_ms = campus.credited(trainee)
    visitor.page.unroute(beats)
    classroom.overlay.get_by_role("button", name="重试").click()
    expect(classroom.overlay).to_be_hidden()
    expect(classroom.saving).to_contain_text(re.compile("学习记录已保存|已暂停"))
    classroom.wait_until_credited(before_ms + 1_000)
