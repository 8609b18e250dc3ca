"""The pictures of the README, taken of the running demonstration: `make pictures` makes them anew.

Nobody real is on them: the people are invented, the pictures of the checks drawn.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.campus import LEFT_ALONE, Campus
from browser.classroom import Classroom
from browser.visitor import DESK, PHONE, Visitor
from PIL import Image
from playwright.sync_api import expect

from xueji.identity.rules import ProofRoute

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.pictures

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
LANGUAGES = {"zh": "zh-CN", "en": "en"}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def come(visit: Visit, language: str) -> Callable[..., Visitor]:
    """A visitor who reads this language, before a screen as fine as a telephone's when it is one."""

    def come(account: str, size: dict[str, int]) -> Visitor:
        return visit(account, size=size, language=LANGUAGES[language], scale=2 if size is PHONE else 1)

    return come


def keep(visitor: Visitor, name: str) -> None:
    """As a PNG of few colours, which is a third of the size and looks the same."""
    visitor.page.wait_for_load_state("networkidle")
    image = Image.open(io.BytesIO(visitor.page.screenshot(animations="disabled"))).convert("RGB")
    PICTURES.mkdir(exist_ok=True)
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    few.save(PICTURES / f"{name}.png", optimize=True)


def test_lesson(come: Callable[..., Visitor], campus: Campus, language: str) -> None:
    # Her own for each language: another device would first be asked whether to continue here.
    trainee = campus.trainee("赵虚构", route=ProofRoute.SUPERVISED, plan=LEFT_ALONE)
    visitor = come(trainee.account, PHONE)
    classroom = Classroom.enter(visitor, trainee)
    classroom.start()
    classroom.wait_until_credited(10_000)
    expect(visitor.page.locator("[data-part=credited]")).not_to_have_text("—")
    keep(visitor, f"lesson-phone-{language}")


def test_statement(come: Callable[..., Visitor], campus: Campus, language: str) -> None:
    visitor = come(campus.history.account, PHONE)
    visitor.go(f"/enrolments/{campus.history.enrolment_id}/hours")
    keep(visitor, f"statement-phone-{language}")


def test_replay(come: Callable[..., Visitor], campus: Campus, language: str) -> None:
    visitor = come("regulator", DESK)
    visitor.go(f"/oversight/sittings/{campus.history.sitting_id}")
    expect(visitor.page.locator("[data-replay] canvas, [data-replay] .replay-canvas").first).to_be_visible()
    keep(visitor, f"replay-desk-{language}")


def test_check_ins(come: Callable[..., Visitor], campus: Campus, language: str) -> None:
    visitor = come("institution", DESK)
    visitor.go("/check-ins")
    visitor.page.get_by_role("link", name="低压电工初训演示班").first.click()
    keep(visitor, f"check-ins-desk-{language}")


def test_cohort(come: Callable[..., Visitor], campus: Campus, language: str) -> None:
    visitor = come("institution", DESK)
    visitor.go(f"/cohorts/{campus.history.cohort_id}")
    keep(visitor, f"cohort-desk-{language}")
