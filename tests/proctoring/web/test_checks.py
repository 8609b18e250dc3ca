"""Checks from the first telling to the last word: what each outcome does to the time, and what no trick buys."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from support.lesson_page import Page, judge_all, sweep
from support.people import bearer, someone
from support.scenario import LESSON_MS, MINUTE, portrait

from media_pipeline.harmless import scripted
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.identity.queries import used_photos
from xueji.kernel.actor import Role
from xueji.kernel.events import Announcement
from xueji.proctoring import rules
from xueji.proctoring.models import Attempt, Picture


def until_check(page: Page) -> dict[str, Any]:
    """Watch until a check is asked for."""
    while True:
        answer = page.watch()
        if answer["question"]:
            url = f"/api/v1/sittings/{page.sitting_id}/presence"
            page.client.post(url, json={"question_id": answer["question"]["question_id"]})
        if answer["check"]:
            return dict(answer["check"])
        assert page.at_ms < LESSON_MS, "a lesson without a check"


def test_the_socket_says_of_a_check_what_the_answer_to_the_beat_says(page: Page) -> None:
    heard: list[Announcement] = []
    page.scenario.context.events.subscribe(Announcement, heard.append)
    asked = until_check(page)
    assert [said.payload for said in heard if said.event == "check.due"] == [asked]


def judged(page: Page, outcome: Judged) -> dict[str, Any]:
    """Answer the next check so that every attempt at it ends in ``outcome``; its state afterwards."""
    check = until_check(page)
    page.scenario.judge.otherwise = scripted(outcome)
    while True:
        assert page.answer(check).status_code == 202
        judge_all(page)
        state = page.check_state(check)
        if state["state"] != "due":
            return state
        check = state


def test_a_check_comes_within_the_plans_longest_gap_and_stays_in_every_answer(page: Page) -> None:
    check = until_check(page)
    assert 290_000 <= page.at_ms <= 910_000
    assert len(check["prompts"]) in (2, 3)
    assert len(check["pulses"]) == len(check["prompts"])
    page.scenario.time.advance(timedelta(seconds=5))
    again = page.send(page.beat(0, state="paused")).json or {}
    assert again["check"] == check


def test_a_match_confirms_the_time_before_it(page: Page) -> None:
    assert judged(page, Judged.MATCH)["outcome"] == "match"
    before = page.at_ms
    statement = page.account()
    assert statement.online.counted_ms == before
    page.watch()
    assert page.account().online.provisional_ms == 10_000


@pytest.mark.parametrize("outcome", [Judged.MISMATCH, Judged.NO_FACE, Judged.SEVERAL_FACES, Judged.UNCLEAR])
def test_a_picture_that_does_not_match_may_be_taken_again_and_then_holds_the_time(page: Page, outcome: Judged) -> None:
    state = judged(page, outcome)
    assert (state["outcome"], state["attempt"]) == (outcome, 3)
    statement = page.account()
    assert statement.online.counted_ms == 0
    assert statement.online.held_ms == page.at_ms


def test_the_verdict_keeps_score_threshold_engine_and_model(page: Page) -> None:
    judged(page, Judged.MATCH)
    (leaf,) = [leaf for leaf in page.leaves("check.verdict") if leaf["final"]]
    with page.scenario.context.database.reading() as session:
        (attempt,) = session.scalars(select(Attempt).where(Attempt.outcome == Judged.MATCH))
        kept = {name: getattr(attempt, name) for name in ("score", "threshold", "mismatch", "engine", "model")}
        assert attempt.references == [str(photo.id) for photo in used_photos(session, attempt.pictures[0].person_id)]
    assert kept.items() <= leaf.items() and None not in kept.values()
    assert (kept["threshold"], kept["mismatch"]) == (500_000, 625_000)
    assert len(leaf["references"]) == 1


def test_an_engine_that_is_down_blames_nobody_and_is_asked_again(page: Page) -> None:
    check = until_check(page)
    page.scenario.judge.down = True
    page.answer(check)
    judge_all(page)
    judge_all(page)
    assert page.check_state(check)["outcome"] is None
    assert [leaf["outcome"] for leaf in page.leaves("check.verdict")] == ["service_down"]
    statement = page.account()
    assert (statement.online.held_ms, statement.online.provisional_ms) == (0, page.at_ms)
    page.scenario.judge.down = False
    judge_all(page)
    assert page.check_state(check)["outcome"] == "match"
    assert page.account().online.counted_ms == page.at_ms


def test_no_answer_is_missed_at_the_end_of_its_window(page: Page) -> None:
    until_check(page)
    page.scenario.time.advance(timedelta(seconds=20))
    page.send(page.beat(0, state="paused"))
    page.scenario.time.advance(timedelta(minutes=3))
    assert sweep(page) == 1
    assert [leaf["outcome"] for leaf in page.leaves("check.verdict")] == ["missed"]
    assert page.account().online.held_ms == page.at_ms


def test_closing_the_page_before_a_check_never_buys_a_longer_gap(page: Page) -> None:
    for _ in range(40):
        answer = page.watch()
        if answer["check"]:
            return
        page.scenario.time.advance(timedelta(seconds=61))
        page = Page(page.app, page.scenario, page.student, at_ms=page.at_ms)
        assert page.open(continue_here=True).status_code == 201
    for _ in range(51):
        page.scenario.time.advance(timedelta(seconds=10))
        if (page.send(page.beat(interacted=True)).json or {})["check"]:
            return
    raise AssertionError("fifteen minutes of study without a check")


class TestPictures:
    def test_a_nonce_is_used_once(self, page: Page) -> None:
        check = until_check(page)
        assert page.answer(check).status_code == 202
        again = page.answer(check)
        assert (again.status_code, again.json["type"]) == (409, "check-over")  # type: ignore[index]

    def test_a_picture_answers_only_the_attempt_it_was_asked_for(self, page: Page) -> None:
        check = until_check(page)
        answer = page.answer(check, nonce="x" * 32)
        assert (answer.status_code, answer.json["type"]) == (409, "check-nonce")  # type: ignore[index]
        assert list(page.scenario.context.store.list("faces/checks")) == []

    def test_too_late_is_too_late(self, page: Page) -> None:
        check = until_check(page)
        page.scenario.time.advance(timedelta(seconds=61))
        assert page.answer(check).status_code == 409

    def test_somebody_elses_check_is_not_found(self, page: Page) -> None:
        check = until_check(page)
        stranger = Page(page.app, page.scenario, page.scenario.student("赵六"))
        assert stranger.answer(check).status_code == 404
        assert stranger.client.get(f"/api/v1/checks/{check['check_id']}").status_code == 404

    @pytest.mark.parametrize("frames", [(b"",), (b"x" * (2 * 1024 * 1024 + 1),), tuple(b"y" for _ in range(13))])
    def test_unusable_uploads_are_named_and_the_check_stays_open(self, page: Page, frames: tuple[bytes, ...]) -> None:
        check = until_check(page)
        answer = page.answer(check, *frames)
        assert answer.status_code in (413, 422)
        assert page.answer(check).status_code == 202

    def test_no_frames_at_all(self, page: Page) -> None:
        check = until_check(page)
        answer = page.client.post(f"/api/v1/checks/{check['check_id']}/frames", data={"nonce": check["nonce"]})
        assert answer.status_code == 422

    def test_the_store_holds_only_ciphertext(self, page: Page) -> None:
        picture = portrait("secret")
        check = until_check(page)
        page.answer(check, picture)
        store = page.scenario.context.store
        (path,) = store.list("faces/checks")
        assert picture[:64] not in store.get(path)
        assert store.get(path)[:2] != picture[:2]

    def test_a_picture_shown_before_under_another_name_is_no_match(self, page: Page) -> None:
        picture = portrait()
        other = Page(page.app, page.scenario, page.scenario.student("赵六"))
        assert other.open().status_code == 201
        check = until_check(other)
        assert other.answer(check, picture).status_code == 202
        judge_all(other)
        page.sign_in()
        page.open()
        check = until_check(page)
        page.answer(check, picture)
        judge_all(page)
        state = page.check_state(check)
        assert (state["outcome"], state["last_outcome"]) == (None, "unclear")
        assert "shown_by_another" in state["signals"]

    def test_each_movement_is_one_picture_and_its_leaf_says_which(self, page: Page) -> None:
        check = until_check(page)
        strips = [portrait(f"strip {place}") for place, _prompt in enumerate(check["prompts"])]
        assert page.answer(check, movements=strips).status_code == 202
        judge_all(page)
        (asked,) = page.scenario.judge.asked
        assert [strip.data for strip in asked.movements] == strips
        assert [list(strip.moments_ms) for strip in asked.movements] == check["pulses"]
        (leaf,) = page.leaves("check.answer")
        assert [frame.get("movement") for frame in leaf["frames"]] == [None] * 3 + list(range(len(strips)))
        assert (leaf["prompts"], leaf["pulses"]) == (check["prompts"], check["pulses"])

    def test_a_movement_that_is_not_sent_is_an_empty_picture(self, page: Page) -> None:
        check = until_check(page)
        page.answer(check)
        judge_all(page)
        (asked,) = page.scenario.judge.asked
        assert [strip.data for strip in asked.movements] == [b""] * len(check["prompts"])

    def test_one_picture_of_the_same_bytes_is_told_to_the_judge_however_it_is_kept(self, page: Page) -> None:
        before, strip = portrait("once"), portrait("a movement")
        for number in range(2):
            check = (page.ask_check().json or {})["check"]
            assert page.answer(check, before, portrait(f"{number}"), movements=[strip]).status_code == 202
            judge_all(page)
        shown = {hashlib.sha256(picture).hexdigest() for picture in (before, strip)}
        assert {picture.sha256 for picture in page.scenario.judge.asked[1].earlier} - {""} == shown
        with page.scenario.context.database.reading() as session:
            kept = session.query(Picture).all()
        assert not shown & {picture.mark for picture in kept}, "kept under the installation's key, not in clear"
        assert all(
            (picture.likeness or b"")[:8] not in (hashlib.sha256(before).hexdigest().encode(),) for picture in kept
        )

    def test_what_pictures_are_known_again_by_goes_with_her_consent(self, page: Page) -> None:
        check = until_check(page)
        page.answer(check)
        judge_all(page)
        assert page.client.delete("/api/v1/me/consents/face").status_code == 204
        with page.scenario.context.database.reading() as session:
            kept = session.query(Picture).all()
        assert kept
        assert {(picture.mark, picture.likeness_mark, picture.likeness) for picture in kept} == {(None, None, None)}

    def test_every_look_is_recorded_and_an_employer_sees_no_face(self, page: Page) -> None:
        check = until_check(page)
        page.answer(check)
        judge_all(page)
        context = page.scenario.context
        with context.database.reading() as session:
            attempt = session.query(Attempt).filter_by(check_id=UUID(check["check_id"])).one()
            url = f"/api/v1/pictures/{attempt.pictures[0].id}"
        looked = page.app.test_client().get(url, headers=bearer(context, page.scenario.regulator))
        assert looked.status_code == 200
        assert looked.mimetype == "image/jpeg"
        assert [leaf["purpose"] for leaf in page.leaves("face.view")] == ["audit"]
        employer = someone(context, Role.ENTERPRISE)
        assert page.app.test_client().get(url, headers=bearer(context, employer)).status_code == 404
        elsewhere = someone(context, Role.REGULATOR, region="140000")
        assert page.app.test_client().get(url, headers=bearer(context, elsewhere)).status_code == 404
        assert page.app.test_client().get(url).status_code == 401


class TestNoPicture:
    @pytest.mark.parametrize("cause", ["not_found", "denied", "blocked", "in_use", "too_low", "lost"])
    def test_a_camera_that_fails_says_which_of_six_causes(self, page: Page, cause: str) -> None:
        check = until_check(page)
        url = f"/api/v1/checks/{check['check_id']}/unable"
        answer = page.client.post(url, json={"nonce": check["nonce"], "reason": cause})
        assert (answer.json or {})["outcome"] == "no_camera"
        assert page.leaves("check.answer")[0]["signals"] == [{"code": f"camera_{cause}"}]
        assert page.account().online.held_ms == page.at_ms

    def test_a_refusal_is_an_outcome_of_its_own(self, page: Page) -> None:
        check = until_check(page)
        answer = page.client.post(f"/api/v1/checks/{check['check_id']}/refuse", json={"nonce": check["nonce"]})
        assert (answer.json or {})["outcome"] == "refused"


class TestSecondLooks:
    def test_an_accepted_appeal_confirms_the_time(self, page: Page) -> None:
        state = judged(page, Judged.MISMATCH)
        url = f"/api/v1/checks/{state['check_id']}"
        assert page.client.post(f"{url}/appeal", json={"reason": "灯坏了，是我本人。"}).status_code == 201
        assert page.client.post(f"{url}/appeal", json={"reason": "再说一次"}).status_code == 409
        staff = page.app.test_client()
        headers = bearer(page.scenario.context, page.scenario.school.head.who)
        decided = staff.post(f"{url}/review", json={"outcome": "accept", "reason": "照片可辨认。"}, headers=headers)
        assert decided.status_code == 200, decided.json
        statement = page.account()
        assert (statement.online.held_ms, statement.online.counted_ms) == (0, page.at_ms)
        assert (
            staff.post(f"{url}/review", json={"outcome": "reject", "reason": "改判"}, headers=headers).status_code
            == 409
        )

    def test_nobody_decides_her_own_appeal(self, page: Page) -> None:
        state = judged(page, Judged.MISMATCH)
        url = f"/api/v1/checks/{state['check_id']}/review"
        assert page.client.post(url, json={"outcome": "accept", "reason": "我同意"}).status_code == 403

    def test_held_time_is_made_up_by_watching_exactly_that_part_again(self, page: Page) -> None:
        judged(page, Judged.NO_FACE)
        held = page.account().online.held_ms
        page.scenario.judge.otherwise = scripted(Judged.MATCH)
        page.scenario.time.advance(timedelta(seconds=61))
        again = Page(page.app, page.scenario, page.student)
        opened = again.open(continue_here=True).json or {}
        assert opened["make_up"] == [[0, held]]
        check = opened["check"]
        assert check is not None, "after a failed check she shows herself before anything is played"
        while True:
            if check:
                assert again.answer(check).status_code == 202
                judge_all(again)
            if again.at_ms >= held:
                break
            again.scenario.time.advance(timedelta(seconds=10))
            answer = again.send(again.beat(interacted=True)).json or {}
            assert answer["refused"] == []
            check = answer["check"]
        asked = again.client.post(f"/api/v1/sittings/{again.sitting_id}/checks").json or {}
        assert again.answer(asked["check"]).status_code == 202
        judge_all(again)
        statement = page.account()
        assert (statement.online.counted_ms, statement.online.held_ms) == (held, 0)


def finished(page: Page, monkeypatch: pytest.MonkeyPatch) -> tuple[Page, dict[str, Any]]:
    """Watch the whole lesson on a new page, pass its checks at ten and twenty minutes; the page and its last answer."""
    monkeypatch.setattr(rules, "draw_schedule", lambda *_asked, **_more: (10 * MINUTE, 20 * MINUTE))
    page = Page(page.app, page.scenario, page.student)
    assert page.open(continue_here=True).status_code == 201
    answer: dict[str, Any] = {}
    while page.at_ms < LESSON_MS:
        page.scenario.time.advance(timedelta(seconds=10))
        answer = page.send(page.beat(interacted=True)).json or {}
        if page.at_ms in (10 * MINUTE, 20 * MINUTE):
            assert page.answer(answer["check"]).status_code == 202
            judge_all(page)
        elif page.at_ms < LESSON_MS:
            assert answer["check"] is None
    return page, answer


def test_a_finished_lesson_asks_for_a_closing_check_that_confirms_it(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, answer = finished(page, monkeypatch)
    assert answer["check"]["kind"] == "closing"
    assert page.answer(answer["check"]).status_code == 202
    judge_all(page)
    statement = page.account()
    assert (statement.online.counted_ms, statement.online.provisional_ms) == (LESSON_MS, 0)


def test_a_closing_check_that_is_ignored_costs_nothing_and_confirms_nothing(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, answer = finished(page, monkeypatch)
    closing = answer["check"]
    page.scenario.time.advance(timedelta(minutes=10))
    assert sweep(page) == 1
    assert page.check_state(closing)["outcome"] == "missed"
    online = page.account().online
    assert (online.counted_ms, online.provisional_ms, online.held_ms) == (20 * MINUTE, 10 * MINUTE, 0)
    opened = Page(page.app, page.scenario, page.student).open(continue_here=True).json or {}
    assert opened["check"] is None, "an offer that was left alone is no failure"
