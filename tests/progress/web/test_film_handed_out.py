"""Evidence of playing: what the server handed out of the film. Scripts that never ask for it, and honest players."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from support.lesson_page import Page, opened_page
from support.scenario import MINUTE, Scenario, playing

from courses.models import Film
from xueji.desks.replay import timeline
from xueji.hours.rules import Statement, evidence
from xueji.identity.rules import ProofRoute
from xueji.kernel.errors import Unavailable
from xueji.kernel.groupcommit import GroupCommitter
from xueji.progress.models import Sitting
from xueji.trace import queries as trace

FILE_MS = 4_000
LESSON_MS = 12 * MINUTE


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app, lessons=2, lesson_ms=LESSON_MS, film_handed_out=True) as scenario:
        make_films(scenario)
        yield scenario


def make_films(scenario: Scenario) -> None:
    """Files of the names and lengths that films have; what is in them nobody looks at."""
    store = scenario.context.store
    with scenario.context.database.reading() as session:
        folders = list(session.scalars(select(Film.folder)))
    count = LESSON_MS // FILE_MS
    listed = "".join(f"#EXTINF:{FILE_MS / 1000:.6f},\n{number:05d}.m4s\n" for number in range(count))
    for folder in folders:
        store.put(f"{folder}/360p/index.m3u8", f"#EXTM3U\n#EXT-X-VERSION:7\n{listed}#EXT-X-ENDLIST\n".encode())
        for number in range(count):
            store.put(f"{folder}/360p/{number:05d}.m4s", b"film")


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    return opened_page(app, scenario)


def address_of(page: Page) -> str:
    return str((page.open().json or {})["media"]["hls"]).removesuffix("master.m3u8")


def fetch(page: Page, from_ms: int, to_ms: int, *, base: str = "") -> set[int]:
    """What a player asks for to play this much; the answers' status."""
    base = base or address_of(page)
    numbers = range(from_ms // FILE_MS, -(-to_ms // FILE_MS))
    return {page.client.get(f"{base}360p/{number:05d}.m4s").status_code for number in numbers}


def play(page: Page, ms: int, *, asks: bool = True) -> None:
    """Watch for so long, or only say so."""
    base = address_of(page)
    for at_ms in range(page.at_ms, page.at_ms + ms, 10_000):
        page.at_ms = at_ms
        if asks:
            assert fetch(page, at_ms, min(at_ms + 30_000, LESSON_MS), base=base) == {200}
        answer = page.watch()
        if answer["ledger"] is not None:
            same_line(page, answer["ledger"])
        if answer["check"] is not None:
            page.show_face(answer["check"])


def same_line(page: Page, said: dict[str, Any]) -> None:
    """What the page is told is what the statement says."""
    line = page.account().lessons[page.lesson]
    assert (said["held_ms"], said["provisional_ms"]) == (line.held_ms, line.provisional_ms)


def confirmed(page: Page) -> Statement:
    """Her account after a check that shows her, of her own wish if none waits."""
    check = (page.open().json or {})["check"] or (page.ask_check().json or {})["check"]
    page.show_face(check)
    return page.account()


def marks_of(page: Page) -> dict[str, int]:
    return dict(page.account().marks)


def test_a_script_that_never_asks_for_the_film_earns_nothing_and_is_marked(app: Flask, scenario: Scenario) -> None:
    script = Page(app, scenario, scenario.student())
    assert script.open(page="").status_code == 201
    play(script, 2 * MINUTE, asks=False)
    account = confirmed(script)
    assert (account.online.counted_ms, account.online.provisional_ms) == (0, 0)
    assert account.online.held_ms == account.online.unplayed_ms == 120_000
    assert account.lessons[0].make_up == ((0, 120_000),)
    assert marks_of(script) == {"no_page": 1, "not_handed_out": 12}
    assert not account.flags


def test_who_plays_the_film_hears_nothing_of_this(page: Page) -> None:
    play(page, 2 * MINUTE)
    account = confirmed(page)
    assert (account.online.counted_ms, account.online.held_ms) == (120_000, 0)
    assert marks_of(page) == {}


def test_a_part_is_written_down_once_and_stands_in_the_leaf_of_what_it_earned(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    submit = GroupCommitter.submit

    def count(committer: Any, item: Any) -> Any:
        written.append(getattr(item, "part", None))
        return submit(committer, item)

    base = address_of(page)
    monkeypatch.setattr(GroupCommitter, "submit", count)
    fetch(page, 0, 90_000, base=base)
    fetch(page, 0, 90_000, base=base)
    assert written == [(0, 70_000), (50_000, 130_000)]
    page.watch()
    page.watch()
    first, second = page.leaves("beat")
    assert [part[:2] for part in first["handed_out"]] == [[0, 70_000], [50_000, 130_000]]
    assert "handed_out" not in second


def test_what_was_not_handed_out_is_made_up_by_playing_it(app: Flask, page: Page) -> None:
    play(page, MINUTE, asks=False)
    play(page, MINUTE)
    account = confirmed(page)
    assert (account.online.held_ms, account.online.unplayed_ms) == (MINUTE, MINUTE)
    again = Page(app, page.scenario, page.student)
    assert (again.open(continue_here=True).json or {})["make_up"] == [[0, MINUTE]]
    play(again, MINUTE)
    account = confirmed(again)
    assert (account.online.counted_ms, account.online.held_ms) == (2 * MINUTE, 0)


def test_making_up_without_asking_for_the_film_either_stays_held(app: Flask, page: Page) -> None:
    play(page, MINUTE, asks=False)
    again = Page(app, page.scenario, page.student)
    assert again.open(continue_here=True).status_code == 201
    play(again, MINUTE, asks=False)
    assert confirmed(again).online.counted_ms == 0


def test_what_is_asked_for_afterwards_does_not_speak_for_what_was_reported_before(page: Page) -> None:
    play(page, MINUTE, asks=False)
    fetch(page, 0, LESSON_MS)
    play(page, MINUTE, asks=False)
    account = confirmed(page)
    assert (account.online.counted_ms, account.online.held_ms) == (MINUTE, MINUTE)


def test_a_page_that_begins_in_the_middle_of_a_part_has_the_part(app: Flask, page: Page) -> None:
    play(page, 90_000)
    again = Page(app, page.scenario, page.student, at_ms=90_000)
    assert again.open(continue_here=True).status_code == 201
    play(again, 30_000)
    assert confirmed(again).online.counted_ms == 120_000


def test_what_lies_in_the_browser_s_store_needs_no_asking_again(page: Page) -> None:
    """She goes back, or plays the film a second time: the sitting was handed all of it."""
    play(page, MINUTE)
    page.at_ms = 0
    page.watch()
    assert confirmed(page).online.counted_ms == MINUTE
    assert marks_of(page) == {}


def test_beats_kept_while_the_network_was_away_count(page: Page) -> None:
    fetch(page, 0, 4 * MINUTE)
    page.scenario.time.advance(timedelta(minutes=3))
    assert page.send(*(page.beat() for _ in range(18))).status_code == 200
    assert confirmed(page).online.counted_ms == 3 * MINUTE


def test_a_reload_goes_on_with_what_its_sitting_was_handed(app: Flask, page: Page) -> None:
    fetch(page, 0, MINUTE)
    page.watch()
    reloaded = Page(app, page.scenario, page.student, page.sitting_id, seq=page.seq, at_ms=page.at_ms)
    assert reloaded.open().status_code == 201
    reloaded.watch()
    assert confirmed(reloaded).online.counted_ms == 20_000


def test_another_film_or_another_s_sitting_speaks_for_nothing(app: Flask, scenario: Scenario, page: Page) -> None:
    other = opened_page(app, scenario)
    with scenario.context.database.reading() as session:
        films = [session.get_one(Film, lesson.film_id) for lesson in scenario.lessons]
    wrong_film = f"/media/{films[1].id}/{page.sitting_id}/"
    wrong_sitting = f"/media/{films[0].id}/{other.sitting_id}/"
    assert fetch(page, 0, MINUTE, base=wrong_film) == fetch(page, 0, MINUTE, base=wrong_sitting) == {200}
    assert fetch(page, 0, MINUTE, base=f"/media/{films[0].id}/{uuid4()}/") == {200}
    play(page, MINUTE, asks=False)
    play(other, MINUTE, asks=False)
    assert confirmed(page).online.counted_ms == confirmed(other).online.counted_ms == 0


def test_nobody_is_handed_what_cannot_be_written_down(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable

    base = address_of(page)
    with monkeypatch.context() as patched:
        patched.setattr(GroupCommitter, "submit", away)
        assert fetch(page, 0, FILE_MS, base=base) == {503}
    assert fetch(page, 0, FILE_MS, base=base) == {200}
    page.watch()
    assert confirmed(page).online.counted_ms == 10_000


def test_who_studies_without_a_camera_plays_the_film_too(app: Flask, scenario: Scenario) -> None:
    page = opened_page(app, scenario, ProofRoute.SUPERVISED)
    play(page, MINUTE, asks=False)
    play(page, 2 * MINUTE)
    scenario.round()
    account = page.account()
    assert account.online.unplayed_ms == account.online.held_ms == MINUTE
    assert account.online.counted_ms == 2 * MINUTE


def test_a_plan_that_does_not_ask_holds_nothing(app: Flask) -> None:
    with playing(app, lessons=1, lesson_ms=LESSON_MS) as scenario:
        page = opened_page(app, scenario)
        for _ in range(6):
            page.watch()
        account = confirmed(page)
    assert (account.online.counted_ms, account.marks) == (MINUTE, ())


def test_the_lesson_s_page_carries_what_its_sittings_are_opened_with(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    shown = page.client.get(f"/learn/{page.student.enrolment.id}/{scenario.lessons[0].id}").text
    assert f'data-page="{page.ticket()}"' in shown
    page.open()
    assert marks_of(page) == {}
    # Hers speaks for nobody else, and for no other lesson.
    other = Page(app, scenario, scenario.student())
    assert other.open(page=page.ticket()).status_code == 201
    assert marks_of(other) == {"no_page": 1}


def test_the_statement_says_what_was_not_played_and_how_it_counts(page: Page) -> None:
    play(page, MINUTE, asks=False)
    shown = page.client.get(f"/enrolments/{page.student.enrolment.id}/hours").text
    assert "没有播放" in shown
    assert "视频还没有发出就报来的学习" in shown


def test_a_replay_shows_when_the_film_was_handed_out(app: Flask, page: Page) -> None:
    play(page, MINUTE)
    with page.scenario.context.database.reading() as session:
        leaves = list(trace.chain(session, str(page.student.enrolment.id)))
    with app.test_request_context():
        shown = timeline(leaves, str(page.sitting_id), evidence(leaves), [], device="", pictures={})
    (film,) = (track["items"] for track in shown["tracks"] if track["name"] == "发出视频")
    assert [item["detail"] for item in film] == ["0:00–1:10", "0:50–2:10"]


def test_parts_that_nobody_reports_fill_nothing(page: Page) -> None:
    """Whoever fetches again and again leaves one part in one row."""
    base = address_of(page)
    for _ in range(3):
        fetch(page, 0, LESSON_MS, base=base)
    with page.scenario.context.database.reading() as session:
        kept = session.get_one(Sitting, page.sitting_id).handed_out
    assert kept is not None
    assert len(kept) < 1_000
