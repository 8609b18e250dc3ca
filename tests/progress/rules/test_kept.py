"""What a sitting's row keeps as short text reads back as it was, and what the film's parts handed out add up to."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from xueji.occasions.open_check import OpenCheck, read_open_check, write_open_check
from xueji.progress.served_media import MOST_NEW, HandedOut

AT = 1_793_000_000_000
CHECK = OpenCheck(
    check_id="check", nonce="nonce", prompts=("blink", "turn_left"), kind="scheduled", attempt=2, delivered_ms=AT,
    answer_by_ms=AT + 60_000, delivered_seq=7, acknowledged=True, excused_ms=5, redelivered=1, camera="asked",
    pulses=((-400, -150, 80), (-410, -160, 75)),
)  # fmt: skip


def test_the_open_check_reads_back_as_it_was_written() -> None:
    text = write_open_check(CHECK)
    assert text == CHECK.to_json() and read_open_check(text) == CHECK
    assert ": " not in text and ", " not in text, "kept once a sitting: short"
    check = read_open_check(text)
    assert check is not None and check.pulses == CHECK.pulses
    assert (write_open_check(None), read_open_check(None), read_open_check("")) == (None, None, None)


def test_an_open_check_of_an_earlier_release_has_no_moments() -> None:
    values = json.loads(CHECK.to_json())
    del values["pulses"]
    check = read_open_check(json.dumps(values))
    assert check is not None and check.pulses == ()


def test_an_open_check_is_read_by_the_names_of_an_earlier_release() -> None:
    former = {"delivered_ms": "told_ms", "delivered_seq": "told_seq", "acknowledged": "heard", "redelivered": "again"}
    values = {former.get(name, name): value for name, value in json.loads(CHECK.to_json()).items()}
    assert set(former.values()) < set(values)
    assert read_open_check(json.dumps(values)) == CHECK


def test_parts_that_were_handed_out_join_and_wait_for_a_leaf() -> None:
    handed = HandedOut().and_of((0, 10), AT).and_of((20, 30), AT + 1).and_of((10, 15), AT + 2)
    assert handed.media == ((0, 15), (20, 30))
    assert handed.values == [[0, 10, AT], [20, 30, AT + 1], [10, 15, AT + 2]]
    assert handed.told() == HandedOut(((0, 15), (20, 30)))
    assert handed.told().values == []
    text = handed.write()
    assert text == f"[[[0,15],[20,30]],[[0,10,{AT}],[20,30,{AT + 1}],[10,15,{AT + 2}]]]"
    assert HandedOut.read(text) == handed


def test_a_part_handed_out_again_changes_nothing() -> None:
    handed = HandedOut().and_of((0, 10), AT)
    assert handed.and_of((2, 10), AT + 1) is handed
    assert handed.and_of((2, 11), AT + 1).new == ((0, 10, AT), (2, 11, AT + 1))


def test_of_a_sitting_that_never_reports_so_many_parts_wait_and_no_more() -> None:
    handed = HandedOut()
    for n in range(MOST_NEW + 5):
        handed = handed.and_of((10 * n, 10 * n + 5), AT)
    assert len(handed.new) == MOST_NEW == len(handed.media)
    assert handed.told().and_of((10_000, 10_005), AT).new == ((10_000, 10_005, AT),)


def test_nothing_handed_out_is_kept_as_nothing() -> None:
    assert HandedOut().write() is None
    assert HandedOut.read(None) == HandedOut()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=30))
def test_what_is_kept_always_reads_back(parts: list[tuple[int, int]]) -> None:
    handed = HandedOut()
    for first, ms in parts:
        handed = handed.and_of((first, first + ms), AT)
    assert HandedOut.read(handed.write()) == handed
