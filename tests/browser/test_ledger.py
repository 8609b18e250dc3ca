"""The same figures on every screen, in the export and in the bundle: after a failed check, and after making up."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest
from browser.campus import LEFT_ALONE, Campus, Trainee
from browser.classroom import Classroom
from browser.visitor import PHONE, Visitor
from browser.webcam import Webcam, reference_photo
from playwright.sync_api import Page, expect

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser


class Figures(NamedTuple):
    """Exact ms, as every screen carries them beside the seconds it shows."""

    counted: int
    provisional: int
    held: int


@dataclass
class Screens:
    """Everywhere these figures can be read. Her other lesson stays untouched, so one lesson's are those of all."""

    campus: Campus
    trainee: Trainee
    classroom: Classroom
    hers: Page
    staff: Page
    folder: Path

    def all(self) -> dict[str, Figures]:
        return {
            "lesson page": self.lesson_page(),
            "seek bar": self.marks("[data-part=marks]"),
            "bar": self.marks("[data-part=credited-bar]"),
            "home": self.of_home(),
            "statement": self.of_statement(self.hers),
            "statement, to staff": self.of_statement(self.staff),
            "interface": self.of_interface(),
            "institution's list": self.of_list(),
            "export": self.of_export(),
            "bundle": self.of_bundle(),
        }

    def agree(self) -> Figures:
        """What all of them say, once the page has settled."""
        statement = self.campus.statement(self.trainee).online
        said = Figures(statement.counted_ms, statement.provisional_ms, statement.held_ms)
        expect(self.classroom.page.locator("[data-part=ledger-counted]")).to_have_attribute(
            "data-ms", str(said.counted)
        )
        expect(self.classroom.page.locator("[data-part=ledger-held]")).to_have_attribute("data-ms", str(said.held))
        assert self.all() == dict.fromkeys(self.all(), said)
        self.adds_up()
        return said

    def lesson_page(self) -> Figures:
        places = [self.classroom.page.locator(f"[data-part=ledger-{name}]") for name in Figures._fields]
        return Figures(*(int(place.get_attribute("data-ms") or -1) for place in places))

    def adds_up(self) -> None:
        """The five figures of the lesson page, to the second, are the film's."""
        page = self.classroom.page
        names = (*Figures._fields, "refused", "unseen")
        shown = [int(page.locator(f"[data-part=ledger-{name}]").get_attribute("data-seconds") or -1) for name in names]
        whole = page.locator(".ledger-sum dd").get_attribute("data-seconds")
        assert sum(shown) == int(whole or -1), shown

    def marks(self, bar: str) -> Figures:
        lengths = (
            self.classroom.page.locator(bar)
            .locator(".mark")
            .evaluate_all("marks => marks.map(mark => [mark.className, mark.dataset.to - mark.dataset.from])")
        )
        sums = {
            name: sum(ms for look, ms in lengths if f"is-{name}" in look)
            for name in ("confirmed", "provisional", "held")
        }
        return Figures(*sums.values())

    def of_home(self) -> Figures:
        self.hers.goto("/training")
        return self._legend(self.hers.locator("article.training").first.locator(".legend").first.locator("li"))

    @staticmethod
    def _legend(items: Any) -> Figures:
        found = dict.fromkeys(("confirmed", "provisional", "held"), 0)
        for look, value in items.evaluate_all(
            "items => items.map(item => [item.querySelector('i').className, item.querySelector('data').value])"
        ):
            found[look.removeprefix("is-")] = int(value)
        return Figures(*found.values())

    def of_statement(self, page: Page) -> Figures:
        page.goto(f"/enrolments/{self.trainee.enrolment_id}/hours")
        tiles = page.locator(".tiles").first.locator("data.hours")
        in_tiles = Figures(*(int(tiles.nth(at).get_attribute("value") or -1) for at in range(3)))
        in_lesson = self._legend(page.locator(".lesson-accounts .legend").first.locator("li"))
        assert in_tiles == in_lesson
        return in_tiles

    def of_interface(self) -> Figures:
        answer = self.hers.request.get(f"/api/v1/enrolments/{self.trainee.enrolment_id}/statement").json()
        return Figures(answer["counted_ms"], answer["provisional_ms"], answer["held_ms"])

    def _list_path(self) -> str:
        self.staff.goto(f"/enrolments/{self.trainee.enrolment_id}/hours")
        with self.campus.context.database.reading() as session:
            from xueji.enrolment.models import Enrolment

            return f"/cohorts/{session.get_one(Enrolment, self.trainee.enrolment_id).cohort_id}/hours"

    def of_list(self) -> Figures:
        self.staff.goto(self._list_path())
        cells = self.staff.locator("tbody tr").first.locator("td.number")
        return Figures(*(int(self._value(cells.nth(at))) for at in range(3)))

    @staticmethod
    def _value(cell: Any) -> str:
        data = cell.locator("data")
        return data.get_attribute("value") if data.count() else "0"

    def of_export(self) -> Figures:
        text = self.staff.request.get(f"{self._list_path()}.csv").body().decode("utf-8-sig")
        _head, row = csv.reader(io.StringIO(text))
        return Figures(*(round(float(seconds) * 1000) for seconds in row[2:5]))

    def of_bundle(self) -> Figures:
        page = self.hers
        page.goto(f"/enrolments/{self.trainee.enrolment_id}/hours")
        with page.expect_download() as started:
            page.get_by_role("button", name="下载证据包").first.click()
        bundle = self.folder / "evidence.zip"
        started.value.save_as(bundle)
        with ZipFile(bundle) as archive:
            online = json.loads(archive.read("statement.json"))["online"]
        return Figures(online["counted_ms"], online["provisional_ms"], online["held_ms"])


ASKED_ONCE = {**LEFT_ALONE, "retries": 0}
"""One check somewhere in each film, and after one that failed the next at once."""


def _come_back(classroom: Classroom) -> None:
    """Open the page anew and study on."""
    classroom.page.reload()
    _begin(classroom)


def _begin(classroom: Classroom) -> bool:
    """Press the page's button and say so; a check that is under way by then opens by itself."""
    begin = classroom.overlay.get_by_role("button").first
    expect(begin.or_(classroom.dialog).first).to_be_visible()
    classroom.page.wait_for_timeout(3_000)
    if classroom.dialog.is_visible():
        return False
    begin.click()
    return True


@pytest.fixture
def screens(visit: Visit, campus: Campus, tmp_path: Path) -> Screens:
    """Her shorter lesson."""
    trainee = campus.trainee("沈若男", photo=reference_photo(), plan=ASKED_ONCE)
    visitor = visit(trainee.account, size=PHONE, camera=True)
    classroom = Classroom.enter(visitor, trainee, lesson=1)
    return Screens(campus, trainee, classroom, visitor.another_tab().page, visit("institution").page, tmp_path)


def test_after_a_failed_check_and_after_a_good_one_every_screen_says_the_same(screens: Screens, webcam: Webcam) -> None:
    classroom = screens.classroom
    webcam.show_nobody()
    classroom.start()
    go_on = classroom.dialog.get_by_role("button", name="继续学习")
    expect(go_on).to_be_visible()
    # What she studied while the answer was owed was held already; on a slow machine that is all of it.
    expect(classroom.dialog).to_contain_text(re.compile(r"(因为这次核验，|现在一共有 )\d+ 秒先不算"))
    failed = screens.agree()
    assert (failed.counted, failed.provisional, failed.held > 0) == (0, 0, True)

    go_on.click()
    classroom.film("video.pause();")
    webcam.show_person(classroom.page)
    _come_back(classroom)
    # The next check comes with the next study. It passes, and confirms nothing: what lies before it is held.
    expect(classroom.dialog).to_contain_text("核验通过")
    expect(classroom.dialog).to_contain_text(re.compile(r"这次确认了 0 秒。前面有一次核验没有通过，还有 \d+ 秒先不算"))
    expect(classroom.dialog).to_be_hidden()
    classroom.film("video.pause();")
    expect(classroom.saving).not_to_have_class(re.compile("is-bad"))
    classroom.page.wait_for_timeout(3_000)
    passed = screens.agree()
    assert passed.counted == 0
    assert passed.held >= failed.held


def test_what_is_held_is_made_up_as_a_mode_and_every_screen_says_what_was_won_back(
    screens: Screens, webcam: Webcam
) -> None:
    classroom = screens.classroom
    webcam.show_nobody()
    classroom.start()
    expect(classroom.dialog.get_by_role("button", name="继续学习")).to_be_visible()
    held = screens.agree().held
    classroom.film("video.pause();")

    # From the statement: a press on the lesson's way, and the page does the rest.
    webcam.show_person(classroom.page)
    page = classroom.page
    page.goto(f"/enrolments/{screens.trainee.enrolment_id}/hours")
    page.get_by_role("link", name=re.compile("补学第 2 课")).click()
    # What is owed is asked for first, and then again at the end; in between only what is held is played.
    begun = _begin(classroom)
    expect(classroom.dialog).to_contain_text("核验通过")
    expect(classroom.dialog).to_be_hidden()
    if not begun:
        classroom.overlay.get_by_role("button", name="开始补学").click()
    expect(classroom.page.locator("[data-part=make-up-line]")).to_contain_text("还要补")
    expect(classroom.overlay).to_contain_text(re.compile("已补回 [1-9]"))
    after = screens.agree()
    assert after.held == 0
    assert held <= after.counted <= held + 1_000
    played = [piece for beat in screens.campus.leaves(screens.trainee, "beat") for piece in beat["credited"]]
    assert max(last for _first, last in played) <= held + 1_000, "nothing new was played"
    expect(classroom.overlay.get_by_role("button", name="继续学习")).to_be_visible()


def test_making_up_works_in_the_sitting_under_way(screens: Screens, webcam: Webcam) -> None:
    classroom = screens.classroom
    webcam.show_nobody()
    classroom.start()
    go_on = classroom.dialog.get_by_role("button", name="继续学习")
    expect(go_on).to_be_visible()
    go_on.click()
    classroom.film("video.pause();")
    webcam.show_person(classroom.page)
    _come_back(classroom)
    expect(classroom.dialog).to_contain_text("核验通过")
    expect(classroom.dialog).to_be_hidden()
    classroom.page.locator("[data-part=make-up]").click()
    expect(classroom.overlay).to_contain_text(re.compile("已补回 [1-9]"))
    after = screens.agree()
    assert (after.held, after.counted > 0) == (0, True)
    assert len(screens.campus.leaves(screens.trainee, "sitting.open")) == 1
