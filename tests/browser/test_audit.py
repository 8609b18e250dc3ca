"""A regulator looks somebody up, replays how she studied, and takes the evidence away to check it herself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from browser.campus import LEFT_ALONE, Campus, Trainee
from browser.classroom import Classroom
from browser.visitor import Visitor
from playwright.sync_api import expect

from xueji.identity.rules import ProofRoute

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser


@pytest.fixture
def trainee(campus: Campus, visit: Visit) -> Trainee:
    """She has studied a little, which staff have vouched for."""
    trainee = campus.trainee("毕清秋", route=ProofRoute.SUPERVISED, plan=LEFT_ALONE)
    visitor = visit(trainee.account)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    classroom.wait_until_credited(4_000)
    visitor.page.close()
    return trainee


def test_a_regulator_replays_a_sitting_and_verifies_the_evidence_offline(
    visit: Visit, trainee: Trainee, tmp_path: Path
) -> None:
    page = visit("regulator").page
    page.goto("/oversight/trainees")
    page.get_by_label("姓名或身份证号码").fill(trainee.name)
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="毕").first.click()
    page.get_by_role("link", name="回放").first.click()
    replay = page.locator("[data-replay]")
    expect(replay.get_by_role("heading", name="此刻")).to_be_visible()
    moment = replay.get_by_role("slider", name="回放时刻")
    before = moment.input_value()
    moment.press("ArrowRight")
    expect(moment).not_to_have_value(before)
    replay.get_by_role("button", name="列表").click()
    expect(replay.get_by_role("table")).to_contain_text("学习")

    page.go_back()
    with page.expect_download() as started:
        page.get_by_role("button", name="下载证据包").first.click()
    bundle = tmp_path / "evidence.zip"
    started.value.save_as(bundle)
    folder = tmp_path / "evidence"
    with ZipFile(bundle) as archive:
        archive.extractall(folder)
    # Its own Python, no site packages, another folder: what is in the bundle has to be enough.
    verified = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    events = folder / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b'"event":"beat"', b'"event":"beau"', 1))
    tampered = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert tampered.returncode == 1, tampered.stdout


def test_a_regulator_of_another_city_finds_nobody(visit: Visit, trainee: Trainee) -> None:
    elsewhere = visit("regulator2")
    page = elsewhere.page
    page.goto("/oversight/trainees")
    page.get_by_label("姓名或身份证号码").fill(trainee.name)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text("没有找到")).to_be_visible()
    assert elsewhere.go(f"/oversight/trainees/{trainee.enrolment_id}").status == 404
    assert elsewhere.go(f"/enrolments/{trainee.enrolment_id}/hours").status == 404
