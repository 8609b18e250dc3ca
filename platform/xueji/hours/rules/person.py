"""What cannot be of one person although each of her enrolments agrees with itself: she was in two of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from xueji.hours.rules.attendance import judge_attendance, who_counts
from xueji.hours.rules.impossible import Suspicions
from xueji.hours.rules.records import AttendanceFacts, Evidence
from xueji.hours.rules.statement import Flag, FlagCode
from xueji.rulebook.intervals import Interval, intersect, length, union


def person_flags(accounts: Mapping[str, Evidence]) -> tuple[Flag, ...]:
    """The flags over all enrolments of one person, by the name of each one's chain; none where she has but one.

    Ids are chains, for sessions ``chain:session``. Within one chain `assess` looks itself.
    """
    suspicions = Suspicions(())
    studied = {name: _studied(evidence) for name, evidence in accounts.items()}
    rooms = {
        name: who_counts(judge_attendance(evidence.enrolment, evidence.attendance))
        for name, evidence in accounts.items()
    }
    for first, second in combinations(sorted(accounts), 2):
        twice = intersect(studied[first], studied[second])
        if twice:
            suspicions.add(FlagCode.SERVER_TIME_TWICE, length(twice), first, second)
        _in_two_rooms(suspicions, first, rooms[first], second, rooms[second])
        for room, elsewhere in ((first, second), (second, first)):
            _in_a_room_and_online(suspicions, room, rooms[room], elsewhere, studied[elsewhere])
    return suspicions.flags()


def _studied(evidence: Evidence) -> list[Interval]:
    return union((each.server_ms, each.server_ms + each.to_ms - each.from_ms) for each in evidence.segments)


def _in_two_rooms(
    suspicions: Suspicions, first: str, here: Sequence[AttendanceFacts], second: str, there: Sequence[AttendanceFacts]
) -> None:
    for one in here:
        for other in there:
            both = intersect([one.occupied], [other.occupied]) if one.ms and other.ms else []
            if both:
                ids = (f"{first}:{one.session}", f"{second}:{other.session}")
                suspicions.add(FlagCode.TWO_SESSIONS_AT_ONCE, length(both), *ids)


def _in_a_room_and_online(
    suspicions: Suspicions, room: str, rooms: Sequence[AttendanceFacts], elsewhere: str, studied: Sequence[Interval]
) -> None:
    for each in rooms:
        both = intersect([each.occupied], studied) if each.ms else []
        if both:
            suspicions.add(FlagCode.IN_PERSON_WHILE_ONLINE, length(both), f"{room}:{each.session}", elsewhere)
