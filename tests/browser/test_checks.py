"""Somebody, somebody else, nobody or two before the camera: what a check makes of it, and what becomes of the time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.campus import Campus, Trainee
from browser.classroom import Classroom
from browser.visitor import PHONE, Visitor
from browser.webcam import Webcam, reference_photo
from playwright.sync_api import expect

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser


@pytest.fixture
def trainee(campus: Campus) -> Trainee:
    """On the face route, with a reference photo."""
    return campus.trainee("沈若男", photo=reference_photo())


def test_she_consents_is_photographed_studies_and_her_time_is_confirmed(
    visit: Visit, campus: Campus, webcam: Webcam
) -> None:
    trainee = campus.trainee("沈若男", route=None)
    visitor = visit(trainee.account, size=PHONE, camera=True)
    page = visitor.page
    # Both ways to prove herself stand side by side; she takes the camera, after a consent of its own.
    page.get_by_role("button", name="使用人脸核验").click()
    page.get_by_role("button", name="我已阅读并单独同意人脸核验").click()
    webcam.show_for_enrolment()
    page.get_by_role("button", name="打开摄像头").click()
    expect(page.get_by_text("光线合适")).to_be_visible()
    page.get_by_role("button", name="拍照").click()
    expect(page.get_by_role("heading", name="已保存的登记照片")).to_contain_text("1 / 3")

    webcam.show_person(page)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    expect(classroom.outcome("核验通过")).to_be_visible()
    classroom.wait_until_credited(1)
    assert campus.statement(trainee).online.counted_ms == 0, "nobody has held her photo against her document yet"
    desk = visit("institution").page
    desk.goto("/references")
    desk.locator("li.panel", has=desk.get_by_role("heading", name=trainee.name)).get_by_role(
        "button", name="与证件一致"
    ).first.click()
    confirmed_ms = classroom.wait_until_confirmed()
    page.goto(f"/enrolments/{trainee.enrolment_id}/hours")
    expect(page.get_by_text("核验通过").first).to_be_visible()
    assert campus.statement(trainee).online.counted_ms >= confirmed_ms > 0


@pytest.mark.parametrize(
    ("feed", "outcome", "words"),
    [
        ("stranger", "mismatch", "与登记照片不一致"),
        ("two", "several_faces", "画面中不止一人"),
        ("nobody", "no_face", "没有看到人脸"),
    ],
)
def test_whoever_is_not_she_alone_gains_nothing(
    visit: Visit, campus: Campus, webcam: Webcam, trainee: Trainee, feed: str, outcome: str, words: str
) -> None:
    getattr(webcam, f"show_{feed}")()
    visitor = visit(trainee.account, camera=True)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    # The plan allows one more try; only then is the outcome final.
    expect(classroom.outcome(words)).to_be_visible()
    expect(classroom.dialog.get_by_role("button", name="继续学习")).to_be_visible()
    expect(classroom.outcome(words)).to_be_visible()
    # After a failure the next check is asked at once, and may have come to its end too by now.
    first, *later = campus.outcomes(trainee)
    assert (first, set(later) - {None}) in [(outcome, set()), (outcome, {outcome})]
    verdicts = campus.leaves(trainee, "check.verdict")
    assert [(verdict["attempt"], verdict["outcome"]) for verdict in verdicts[:2]] == [(1, outcome), (2, outcome)]
    time = campus.statement(trainee).online
    assert time.counted_ms == 0
    assert time.held_ms > 0


SLOW_QUESTION = """
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (asked) =>
        new Promise((done) => setTimeout(done, 4000)).then(() => open(asked));
"""
"""As a browser that asks for the camera each time it is opened, and somebody who takes four seconds to answer."""


def test_no_time_runs_while_the_browser_asks_for_the_camera(
    visit: Visit, campus: Campus, webcam: Webcam, trainee: Trainee
) -> None:
    visitor = visit(trainee.account, size=PHONE, camera=True)
    webcam.show_person(visitor.page)
    visitor.page.add_init_script(SLOW_QUESTION)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    expect(classroom.dialog.get_by_text("正在打开摄像头")).to_be_visible()
    expect(classroom.dialog.get_by_role("timer")).to_be_hidden()
    expect(classroom.outcome("核验通过")).to_be_visible()
    assert [leaf["question"] for leaf in campus.leaves(trainee, "check.extend")] == ["asked", "answered"]
    assert campus.outcomes(trainee) == ["match"]


def test_a_check_under_way_ends_when_she_takes_back_her_consent_elsewhere(
    visit: Visit, campus: Campus, webcam: Webcam, trainee: Trainee
) -> None:
    visitor = visit(trainee.account, camera=True)
    webcam.show_person(visitor.page)
    visitor.page.add_init_script(SLOW_QUESTION.replace("4000", "60000"))
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    expect(classroom.dialog.get_by_text("正在打开摄像头")).to_be_visible()
    other = visitor.page.context.new_page()
    other.goto("/account")
    other.get_by_role("button", name="撤回同意并删除照片").click()
    expect(classroom.outcome("不再拍照核验")).to_be_visible()
    assert campus.outcomes(trainee) == ["service_down"]
    assert campus.leaves(trainee, "check.answer") == []


@pytest.mark.parametrize(
    "how",
    [
        {"rate": 10, "growth_ms": 1_000, "reaction_ms": 900},
        {"rate": 15, "growth_ms": 3_000, "reaction_ms": 1_200},
        {"rate": 30, "growth_ms": 500, "reaction_ms": 2_500},
    ],
    ids=["ten pictures a second", "three seconds for a movement", "late"],
)
def test_whoever_follows_passes_at_the_first_try(
    visit: Visit, campus: Campus, webcam: Webcam, trainee: Trainee, how: dict[str, int]
) -> None:
    visitor = visit(trainee.account, size=PHONE, camera=True)
    webcam.show_person(visitor.page, **how)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    expect(classroom.outcome("核验通过")).to_be_visible()
    verdicts = campus.leaves(trainee, "check.verdict")
    assert [(verdict["attempt"], verdict["outcome"]) for verdict in verdicts] == [(1, "match")], verdicts
    (answer,) = campus.leaves(trainee, "check.answer")
    assert [frame.get("movement") for frame in answer["frames"] if "movement" in frame] == [
        place for place, _prompt in enumerate(answer["prompts"])
    ]


def test_a_camera_that_she_does_not_allow_is_named_and_holds_her_time(
    visit: Visit, campus: Campus, trainee: Trainee
) -> None:
    classroom = Classroom.enter(visit(trainee.account, size=PHONE, camera=False), trainee)
    classroom.start()
    expect(classroom.outcome("摄像头没有得到允许")).to_be_visible()
    expect(classroom.dialog).to_contain_text("把“摄像头”改为允许")
    classroom.dialog.get_by_role("button", name="摄像头不能用").click()
    expect(classroom.outcome("没有可用的摄像头")).to_be_visible()
    expect(classroom.dialog.get_by_role("link", name="改用现场核验")).to_be_visible()
    assert campus.outcomes(trainee) == ["no_camera"]
    time = campus.statement(trainee).online
    assert (time.counted_ms, time.held_ms > 0) == (0, True)


def test_a_check_cannot_be_waved_away_with_the_escape_key(visit: Visit, webcam: Webcam, trainee: Trainee) -> None:
    webcam.show_nobody()
    classroom = Classroom.enter(visit(trainee.account, camera=True), trainee)
    classroom.start()
    expect(classroom.dialog).to_be_visible()
    # The page may refuse once or twice; after that a browser closes any dialog without asking.
    for _ in range(5):
        classroom.page.keyboard.press("Escape")
    expect(classroom.dialog).to_be_visible()
    expect(classroom.dialog).to_contain_text(re.compile("请在 .* 秒内完成"))
