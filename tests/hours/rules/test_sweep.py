"""Everything credited in one pass, in the order of server time: what cannot be is cut and named, the rest counts."""

from __future__ import annotations

from dataclasses import replace

from support.trace_stories import BOOK, HOUR, MINUTE, NINE, PLAN, Story

from xueji.hours.rules import Statement, assess, evidence


def flags(statement: Statement) -> dict[str, tuple[tuple[str, ...], int]]:
    return {flag.code: (flag.ids, flag.ms) for flag in statement.flags}


def lesson(duration_ms: int) -> list[dict[str, object]]:
    return [{"lesson": "lesson", "part": "theory", "duration_ms": duration_ms}]


def test_study_goes_on_counting_after_reports_that_cannot_be_at_all() -> None:
    """The second and the third report are wholly of time that was spent, the fourth wholly of film that is none."""
    story = Story(lessons=lesson(10 * MINUTE))
    story.watched(0, 3 * MINUTE)
    story.watched(7 * MINUTE, 8 * MINUTE, NINE + MINUTE)
    story.watched(8 * MINUTE, 9 * MINUTE, NINE + 2 * MINUTE)
    story.watched(10 * MINUTE, 11 * MINUTE)
    story.watched(3 * MINUTE, 5 * MINUTE)
    story.check("match")
    statement = story.statement()
    assert statement.online.counted_ms == 5 * MINUTE
    assert {item.reason: item.ms for item in statement.online.refused} == {"impossible": 3 * MINUTE}
    assert flags(statement) == {
        "server_time_twice": (("n:2", "n:3", "sitting"), 2 * MINUTE),
        "beyond_duration": (("lesson", "n:4"), MINUTE),
    }


def test_a_report_from_the_midst_of_an_unknown_lesson_is_flagged_with_its_own_length() -> None:
    story = Story()
    story.watched(7 * MINUTE, 8 * MINUTE, lesson="other")
    assert flags(story.statement()) == {"unknown_lesson": (("n:1", "other"), MINUTE)}


def test_of_two_reports_of_one_time_the_later_leaf_gives_way_however_the_evidence_is_ordered() -> None:
    story = Story()
    story.watched(0, MINUTE, NINE, sitting="a")
    story.watched(5 * MINUTE, 6 * MINUTE, NINE, sitting="b")
    story.now += MINUTE
    story.check("match")
    found = evidence(story.leaves)
    for segments in (found.segments, found.segments[::-1]):
        statement = assess(BOOK, replace(found, segments=segments), story.now)
        assert flags(statement) == {"server_time_twice": (("b", "n:2"), MINUTE)}
        assert statement.online.counted_ms == MINUTE


def test_a_room_between_two_pieces_of_study_contradicts_neither() -> None:
    story = Story()
    story.watched(0, 10 * MINUTE)
    story.attended(20 * MINUTE)
    story.now += 20 * MINUTE
    story.watched(10 * MINUTE, 20 * MINUTE)
    story.check("match")
    statement = story.statement()
    assert statement.flags == ()
    assert (statement.online.counted_ms, statement.in_person.practical_ms) == (20 * MINUTE, 20 * MINUTE)


def test_a_room_is_held_against_all_that_was_studied_in_one_go() -> None:
    story = Story()
    for minute in range(6):
        story.watched(minute * MINUTE, (minute + 1) * MINUTE)
    story.attended(2 * MINUTE, began_ms=NINE + MINUTE // 2, session="room")
    assert flags(story.statement()) == {"in_person_while_online": (("room",), 2 * MINUTE)}


def test_what_a_day_has_no_room_for_adds_up_over_its_reports() -> None:
    story = Story(rules=2, plan=replace(PLAN, daily_max_ms=HOUR))
    story.watched(0, HOUR)
    story.watched(HOUR, HOUR + 2 * MINUTE)
    story.watched(HOUR + 2 * MINUTE, HOUR + 5 * MINUTE)
    refused = {item.reason: item.ms for item in story.statement().online.refused}
    assert refused == {"daily_maximum": 5 * MINUTE}
