"""Whose pictures are judged next."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xueji.proctoring.judging_order import TAKEN_MS, WaitingAnswer, whose_turn

NOW = 1_000_000_000
HERS, HIS, THEIRS = (UUID(int=number) for number in (1, 2, 3))


def waits(number: int, person: UUID, answered: int, taken: int | None = None) -> WaitingAnswer:
    return WaitingAnswer(UUID(int=100 + number), person, answered, taken)


def test_who_answered_first_is_first() -> None:
    first, second = waits(1, HERS, 10), waits(2, HIS, 20)
    assert whose_turn([second, first], {}, NOW) is first


def test_many_answers_of_one_keep_another_waiting_for_one_judgement() -> None:
    many = [waits(number, HERS, number) for number in range(40)]
    other = waits(99, HIS, 1000)
    assert whose_turn([*many, other], {}, NOW) is many[0]
    assert whose_turn([*many[1:], other], {HERS: NOW - 5}, NOW) is other


def test_who_was_never_judged_comes_before_who_was_however_long_ago() -> None:
    before, never = waits(1, HERS, 10), waits(2, HIS, 20)
    assert whose_turn([before, never], {HERS: 1}, NOW) is never


def test_one_person_s_pictures_are_judged_one_after_the_other() -> None:
    taken, next_of_hers = waits(1, HERS, 1, NOW - 10), waits(2, HERS, 2)
    assert whose_turn([taken, next_of_hers], {}, NOW) is None
    assert whose_turn([taken, next_of_hers, waits(3, HIS, 9)], {}, NOW) == waits(3, HIS, 9)


def test_who_took_one_up_and_does_not_come_back_is_not_waited_for() -> None:
    left = waits(1, HERS, 1, NOW - TAKEN_MS)
    assert whose_turn([left], {}, NOW) is left
    assert whose_turn([waits(1, HERS, 1, NOW - TAKEN_MS + 1)], {}, NOW) is None


def test_what_has_just_been_tried_is_left_for_later() -> None:
    down = waits(1, HERS, 1)
    assert whose_turn([down], {}, NOW, but={down.attempt_id}) is None


@given(st.lists(st.tuples(st.sampled_from([HERS, HIS, THEIRS]), st.integers(0, 50)), min_size=1, max_size=30))
def test_nobody_waits_for_more_than_one_judgement_of_each_of_the_others(answers: list[tuple[UUID, int]]) -> None:
    waiting = [waits(number, person, answered) for number, (person, answered) in enumerate(answers)]
    judged: dict[UUID, int] = {}
    since: dict[UUID, list[UUID]] = {person: [] for person in (HERS, HIS, THEIRS)}
    now = NOW
    while waiting:
        now += 1000
        chosen = whose_turn(waiting, judged, now)
        assert chosen is not None
        waiting.remove(chosen)
        judged[chosen.person_id] = now
        for person, seen in since.items():
            if person == chosen.person_id:
                seen.clear()
            elif any(each.person_id == person for each in waiting):
                assert chosen.person_id not in seen
                seen.append(chosen.person_id)
