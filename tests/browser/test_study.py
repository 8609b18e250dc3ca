"""Studying when the network goes, when somebody tries to gain time, and in two places at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from browser.campus import LEFT_ALONE, Campus, Trainee
from browser.classroom import Classroom
from browser.visitor import PHONE, Visitor
from playwright.sync_api import expect

from xueji.identity.rules import ProofRoute

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser

# The film is put in its place right after the button was pressed, as it happens where the player is slow to come.
FILM_AFTER_THE_BUTTON = """
    const { set, ...rest } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "src");
    Object.defineProperty(HTMLMediaElement.prototype, "src", { ...rest, set(film) {
        document.documentElement.dataset.film = "held";
        document.addEventListener("click", () => set.call(this, film), { once: true });
    } });
"""
# Keeps at hand what the film's data is put into.
BUFFER_AT_HAND = """
    const add = MediaSource.prototype.addSourceBuffer;
    MediaSource.prototype.addSourceBuffer = function (type) { return (window.buffer = add.call(this, type)); };
"""
# A film's piece whose length is beyond all measure; not taken while another piece is being put in.
PUT_IN_WHAT_IS_NO_FILM = """() => {
    try {
        buffer.appendBuffer(new Uint8Array(64).fill(255).fill(0, 0, 3).fill(1, 3, 4));
        return true;
    } catch {
        return false;
    }
}"""
ERROR_NEVER_TOLD = """
    document.addEventListener("error", (event) => {
        if (event.target instanceof HTMLVideoElement) event.stopImmediatePropagation();
    }, true);
"""
SLOWLY = {"offline": False, "latency": 20, "downloadThroughput": 200_000, "uploadThroughput": 1_000_000}
"""Bytes a second: a little more than the film takes."""
# What the plan forgives a request that took long (its `slack_ms`), and once more for the time between two looks.
SLACK_MS = 10_000


@pytest.fixture
def trainee(campus: Campus) -> Trainee:
    """On the route without a camera, checked in: nothing interrupts her."""
    return campus.trainee("向晚晴", route=ProofRoute.SUPERVISED, plan=LEFT_ALONE)


def test_a_button_pressed_while_the_film_comes_starts_it(visit: Visit, trainee: Trainee) -> None:
    visitor = visit(trainee.account)
    visitor.page.add_init_script(FILM_AFTER_THE_BUTTON)
    classroom = Classroom.enter(visitor, trainee)
    expect(classroom.page.locator("html[data-film=held]")).to_be_attached()
    classroom.start()
    expect(classroom.overlay).to_be_hidden()


def test_a_browser_that_plays_the_film_is_handed_it(visit: Visit, campus: Campus, trainee: Trainee) -> None:
    classroom = Classroom.enter(visit(trainee.account), trainee)
    classroom.start()
    classroom.wait_until_credited(6_000)
    (opened,) = campus.leaves(trainee, "sitting.open")
    assert opened["from_page"] is True
    assert any(beat.get("handed_out") for beat in campus.leaves(trainee, "beat"))
    statement = campus.statement(trainee)
    assert (statement.online.unplayed_ms, statement.online.held_ms, statement.marks) == (0, 0, ())


@pytest.mark.parametrize("first", ["the element tells of it", "the film's next piece finds it"])
def test_a_film_that_breaks_goes_on_by_itself_where_it_was(
    visit: Visit, campus: Campus, trainee: Trainee, first: str
) -> None:
    visitor = visit(trainee.account)
    visitor.page.add_init_script(BUFFER_AT_HAND)
    if first != "the element tells of it":
        # What is attached anew before its error was told never tells of it. Slow pieces leave one to find it.
        visitor.page.add_init_script(ERROR_NEVER_TOLD)
        network = visitor.context.new_cdp_session(visitor.page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", SLOWLY)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    classroom.film("""
        video.addEventListener("emptied", () => { document.documentElement.dataset.film = "broken"; }, { once: true });
    """)
    classroom.page.wait_for_function(PUT_IN_WHAT_IS_NO_FILM)
    expect(classroom.page.locator("html[data-film=broken]")).to_be_attached()
    classroom.wait_until_credited(campus.credited(trainee) + 4_000)
    assert [beat["refused"] for beat in campus.leaves(trainee, "beat") if beat["refused"]] == []


def test_study_goes_on_without_the_network_and_counts_once_it_is_back(
    visit: Visit, campus: Campus, trainee: Trainee
) -> None:
    visitor = visit(trainee.account, size=PHONE, forgiven=("net::ERR_INTERNET_DISCONNECTED",))
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    visitor.context.set_offline(True)
    # What was under way when the network went has arrived, or never will, by the time the next beats are kept.
    expect(classroom.saving).to_contain_text(
        re.compile(r"网断了，可以继续学：([2-9]|\d\d) 条记录存在本机，还能断 \d+ 分")
    )
    before_ms = campus.credited(trainee)
    expect(classroom.saving).to_contain_text(re.compile(r"([4-9]|\d\d) 条记录存在本机"))
    expect(classroom.saving, "nothing is lost yet").to_have_class(re.compile("is-warning"))
    assert campus.credited(trainee) == before_ms

    visitor.context.set_offline(False)
    expect(classroom.saving).to_contain_text("学习记录已保存")
    # The lost while came back whole: no hole between what was counted before and what is counted now.
    classroom.wait_until_credited(before_ms + 6_000)
    beats = campus.leaves(trainee, "beat")
    counted = [piece for beat in beats for piece in beat["credited"]]
    assert counted[0][0] == 0
    assert all(one[1] == other[0] for one, other in pairwise(counted))
    assert [beat["seq"] for beat in beats] == sorted({beat["seq"] for beat in beats})


def test_seeking_and_speed_gain_nothing(visit: Visit, campus: Campus, trainee: Trainee) -> None:
    classroom = Classroom.enter(visit(trainee.account), trainee)
    classroom.start()
    # The page's own guards first …
    classroom.film("video.currentTime = 50;")
    expect(classroom.remark).to_contain_text("不能跳过")
    classroom.film("video.playbackRate = 4;")
    expect(classroom.remark).to_contain_text("原速")
    assert classroom.film("return video.playbackRate;") == 1
    # … then without them: whoever takes them out of the page still meets the server's clock.
    began, before_ms = classroom.film("return performance.now();"), campus.credited(trainee)
    classroom.film("""
        const refuse = (event) => event.stopImmediatePropagation();
        for (const name of ["seeking", "ratechange"]) window.addEventListener(name, refuse, true);
        video.playbackRate = 4;
    """)
    expect(classroom.page.locator("[data-part=ledger-reasons]")).to_contain_text(re.compile("[1-9]"))
    after_ms, ended = campus.credited(trainee), classroom.film("return performance.now();")
    assert after_ms <= before_ms + (ended - began) + SLACK_MS
    reasons = {piece["reason"] for beat in campus.leaves(trainee, "beat") for piece in beat["refused"]}
    assert reasons & {"too_fast", "faster_than_clock", "ahead"}


def test_one_person_studies_in_one_place(visit: Visit, campus: Campus, trainee: Trainee) -> None:
    visitor = visit(trainee.account)
    here = Classroom.enter(visitor, trainee)
    here.start()
    # Another tab of hers: a second sign-in would already have ended the first.
    there = Classroom.enter(visitor.another_tab(), trainee)
    expect(there.overlay).to_contain_text("您正在另一个页面或设备上学习")
    there.overlay.get_by_role("button", name="在此继续").click()
    expect(here.overlay).to_contain_text("学习已在另一处继续")
    expect(here.saving).to_contain_text("本页不再记录")
    assert here.film("return video.paused;")
    there.start()
    assert len(campus.leaves(trainee, "lease.take")) == 1


def test_another_device_takes_over(visit: Visit, trainee: Trainee) -> None:
    desk = Classroom.enter(visit(trainee.account), trainee)
    desk.start()
    phone = Classroom.enter(visit(trainee.account, size=PHONE), trainee)
    phone.overlay.get_by_role("button", name="在此继续").click()
    phone.start()
    # Signed out or without its turn, whichever it hears of first: it says so and stands still.
    expect(desk.saving).to_have_class(re.compile("is-bad"))
    expect(desk.overlay).to_be_visible()
    assert desk.film("return video.paused;")


def test_a_page_that_comes_back_goes_on_where_the_record_ends(visit: Visit, campus: Campus, trainee: Trainee) -> None:
    visitor = visit(trainee.account)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    classroom.wait_until_credited(4_000)
    visitor.page.goto("about:blank")
    classroom = Classroom.enter(visitor, trainee)
    expect(classroom.overlay).to_contain_text(re.compile(r"从 0:\d\d 继续学习"))
    classroom.start()
    classroom.wait_until_credited(8_000)
    # The same sitting went on: no second one was opened, and nothing had to be said when the page was left.
    assert len(campus.leaves(trainee, "sitting.open")) == 1


def test_a_reload_keeps_its_sitting_also_where_the_browser_has_no_locks(
    visit: Visit, campus: Campus, trainee: Trainee
) -> None:
    visitor = visit(trainee.account, size=PHONE)
    visitor.page.add_init_script("delete Navigator.prototype.locks;")
    classroom = Classroom.enter(visitor, trainee)
    assert not visitor.page.evaluate("'locks' in navigator")
    classroom.start()
    classroom.wait_until_credited(4_000)
    visitor.page.reload()
    expect(classroom.overlay).to_contain_text(re.compile(r"从 0:\d\d 继续学习"))
    classroom.start()
    assert len(campus.leaves(trainee, "sitting.open")) == 1
    assert campus.leaves(trainee, "beat.conflict") == []
