"""One person in several enrolments: what each of them could be by itself, and all of them together cannot."""

from support.trace_stories import HOUR, MINUTE, NINE, Story

from xueji.hours.rules import evidence, person_flags
from xueji.rulebook.shanghai import DAY_MS


def enrolled() -> Story:
    return Story(rules=2, subject=None)


def room(story: Story, first: int, last: int) -> None:
    """A session planned the day before, and she was there for all of it."""
    story.now = max(story.now, last)
    times = {"began": first, "ended": last, "from": first, "to": last, "planned": first - DAY_MS}
    story.leaf("attendance", session="room", part="practical", method="roster", **times)


def flags(**stories: Story) -> dict[str, tuple[tuple[str, ...], int]]:
    found = person_flags({name: evidence(story.leaves) for name, story in stories.items()})
    return {flag.code: (flag.ids, flag.ms) for flag in found}


def test_in_a_room_here_and_online_there() -> None:
    one, other = enrolled(), enrolled()
    one.watched(0, 30 * MINUTE)
    room(other, NINE + 10 * MINUTE, NINE + 3 * HOUR)
    assert flags(one=one, other=other) == {"in_person_while_online": (("one", "other:room"), 20 * MINUTE)}
    assert flags(one=one) == flags(other=other) == {}


def test_in_two_rooms_of_two_cohorts() -> None:
    one, other = enrolled(), enrolled()
    room(one, NINE, NINE + 2 * HOUR)
    room(other, NINE + HOUR, NINE + 3 * HOUR)
    assert flags(one=one, other=other) == {"two_sessions_at_once": (("one:room", "other:room"), HOUR)}


def test_the_same_server_time_in_two_enrolments() -> None:
    one, other = enrolled(), enrolled()
    one.watched(0, 30 * MINUTE)
    other.watched(0, 10 * MINUTE)
    assert flags(one=one, other=other) == {"server_time_twice": (("one", "other"), 10 * MINUTE)}


def test_one_after_the_other_is_an_honest_day() -> None:
    one, other, third = enrolled(), enrolled(), enrolled()
    one.watched(0, HOUR)
    room(other, NINE + HOUR, NINE + 3 * HOUR)
    third.watched(0, HOUR, NINE + 3 * HOUR)
    assert flags(one=one, other=other, third=third) == {}


def test_what_does_not_count_contradicts_nothing() -> None:
    one, other = enrolled(), enrolled()
    one.watched(0, 30 * MINUTE)
    room(other, NINE, NINE + HOUR)
    other.leaf("attendance.deny", session="room")
    assert flags(one=one, other=other) == {}


def test_study_takes_as_long_as_what_was_watched_of_the_film() -> None:
    one, other = enrolled(), enrolled()
    one.watched(50 * MINUTE, HOUR)
    other.watched(0, 10 * MINUTE, NINE + 10 * MINUTE)
    assert flags(one=one, other=other) == {}


def test_attendance_of_no_length_was_nowhere() -> None:
    """In the first releases a leaf said only for how long somebody was there: it may have been any part."""

    def entered(ms: int) -> Story:
        story = Story()
        story.now = NINE + 3 * HOUR
        story.leaf(
            "attendance", session="room", part="practical", method="roster", began=NINE, ended=NINE + HOUR, ms=ms
        )
        return story

    online = enrolled()
    online.watched(0, 30 * MINUTE)
    assert flags(one=entered(0), other=entered(MINUTE)) == flags(one=entered(MINUTE), other=entered(0)) == {}
    assert flags(one=entered(0), other=online) == {}
    assert flags(one=entered(MINUTE), other=entered(1)).keys() == {"two_sessions_at_once"}
    assert flags(one=entered(MINUTE), other=online).keys() == {"in_person_while_online"}
