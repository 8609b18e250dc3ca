"""Getting hours confirmed without being the one who watched: each trick meets a check that stands in its way."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from support.lesson_page import Page, judge_all

from media_pipeline.judge import FaceJudge, Judge
from xueji.hours.queries import statement_of
from xueji.identity import queries as identity
from xueji.identity.services import delete_photo
from xueji.proctoring import services as proctoring


def study(page: Page, ms: int = 10_000) -> dict[str, Any]:
    page.scenario.time.advance(timedelta(milliseconds=ms))
    answer = page.send(page.beat(ms, interacted=True))
    assert answer.status_code == 200, answer.json
    return dict(answer.json or {})


def until_scheduled(page: Page) -> dict[str, Any]:
    while True:
        check = study(page)["check"]
        if check is not None and check["kind"] == "scheduled":
            return dict(check)
        assert page.at_ms < 20 * 60_000, "twenty minutes of study without a scheduled check"


def held_ms(page: Page) -> int:
    with page.scenario.context.database.reading() as session:
        return statement_of(session, page.student.enrolment.id).online.held_ms


def ask(page: Page) -> int:
    return page.client.post(f"/api/v1/sittings/{page.sitting_id}/checks").status_code


@pytest.mark.parametrize("swept", [False, True])
def test_offers_that_always_stand_open_never_stand_in_for_a_scheduled_check(page: Page, swept: bool) -> None:
    while True:
        if swept:
            with page.scenario.context.database.writing() as session:
                proctoring.sweep_missed(session)
        ask(page)
        check = study(page)["check"]
        if check is not None and check["kind"] == "scheduled":
            break
        assert page.at_ms < 20 * 60_000, "twenty minutes of study without a scheduled check"
    assert {leaf["kind"] for leaf in page.leaves("check.due")} == {"voluntary", "scheduled"}
    page.scenario.time.advance(timedelta(seconds=20))
    study(page)
    page.scenario.time.advance(timedelta(seconds=70))
    study(page)
    assert held_ms(page) > 0, "the scheduled check was missed, and that holds the time"


def test_references_taken_away_leave_no_check_undecided(page: Page) -> None:
    check = until_scheduled(page)
    context = page.scenario.context
    with context.database.writing() as session:
        for photo in identity.reference_photos(session, page.student.actor.person_id):
            delete_photo(session, context.keyring, context.store, context.events, photo)
    for _attempt in range(3):
        assert page.answer(check).status_code == 202
        judge_all(page)
        check = page.check_state(check)
    assert (check["state"], check["outcome"], check["signals"]) == ("decided", "unclear", ["no_reference"])
    assert held_ms(page) > 0


def strip() -> bytes:
    """A picture that is eight thousand pixels wide and one high, and another one each time."""
    picture = Image.frombytes("L", (8000, 1), uuid4().bytes * 500)
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def test_a_picture_that_trips_the_judge_leaves_no_check_undecided(page: Page) -> None:
    class Tripped:
        name, model = "tripped", "none"

        def find_faces(self, *_asked: object) -> None:
            raise ValueError("whatever these pictures did")

    page.scenario.context.outside[Judge] = FaceJudge(Tripped())  # type: ignore[arg-type]
    check = until_scheduled(page)
    for _attempt in range(3):
        assert page.answer(check, strip()).status_code == 202
        judge_all(page)
        check = page.check_state(check)
    assert (check["state"], check["outcome"], check["signals"]) == ("decided", "unclear", ["judge_tripped"])
    assert held_ms(page) > 0


def test_an_offer_that_was_not_taken_hides_no_failure_before_it(page: Page) -> None:
    check = until_scheduled(page)
    url = f"/api/v1/checks/{check['check_id']}/refuse"
    assert page.client.post(url, json={"nonce": check["nonce"]}).status_code == 200
    page.scenario.time.advance(timedelta(seconds=10))
    assert ask(page) == 201
    page.scenario.time.advance(timedelta(seconds=70))
    again = Page(page.app, page.scenario, page.student)
    opened = again.open(continue_here=True).json or {}
    assert opened["check"] is not None, "after a failed check she shows herself before anything is played"
