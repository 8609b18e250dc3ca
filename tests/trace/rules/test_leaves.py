"""What a leaf is: its times have one spelling, its size a bound, its hash a prefix of its own."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.loose_leaves import loose
from xueji.enrolment.leaves import OpeningCorrected
from xueji.kernel import clock
from xueji.progress.leaves import LeaseExpired
from xueji.python38 import moment
from xueji.trace import rules
from xueji.trace.leaf import (
    Chain,
    Entry,
    LeafTooLarge,
    OfPlatform,
    Unnamed,
    WrongChain,
    kind_of,
    leaf,
    leaf_bytes,
    may_stand,
)
from xueji.trace.leaves import KeyRotated, LogOpened
from xueji.trace.rules import BY, STAFF_NAME, STAFF_ORGANISATION, SYSTEM, By, Event


@given(st.integers(0, 7_258_118_400_000))
def test_a_time_reads_back_as_it_was_written(at_ms: int) -> None:
    read = rules.epoch_ms(clock.rfc3339(clock.from_ms(at_ms)))
    assert read == at_ms and type(read) is int


@pytest.mark.parametrize(
    "at",
    [
        "",
        "2026-11-21T08:00:00Z",
        "2026-11-21T08:00:00.000+",
        "2026-11-21 08:00:00.000Z",
        "2026-W47-6T08:00:00.000Z",
        "2026-11-21T08:00:00,000Z",
        "2026-11-31T08:00:00.000Z",
        "2026-11-21T08:00:61.000Z",
        "2026-11-21T08:00:00.00xZ",
    ],
)
def test_another_spelling_of_a_time_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        rules.epoch_ms(at)


def test_what_is_no_time_is_quoted() -> None:
    with pytest.raises(ValueError, match=r"^'today' is no time as RFC 3339 writes it$"):
        moment("today")
    with pytest.raises(ValueError, match=r"^'today' is not a time as leaves write it$"):
        rules.epoch_ms("today")


def test_a_leaf_says_what_was_asked_in_one_way() -> None:
    entry = Entry(loose(Event.BEAT, {"b": 1, "a": "课"}), "chain", "who", occurred="2026-11-21T08:00:00.000Z")
    written = leaf_bytes(entry, n=7, previous=bytes(32), at="2026-11-21T08:00:01.000Z", salt=bytes(range(16)))
    assert written.startswith(b'{"at":"2026-11-21T08:00:01.000Z","chain":"chain","event":"beat","n":7,"occurred":')
    assert json.loads(written)["values"] == {"a": "课", "b": 1}
    assert (json.loads(written)["v"], json.loads(written)["occurred"]) == (1, "2026-11-21T08:00:00.000Z")
    assert json.loads(written)["salt"] == "000102030405060708090a0b0c0d0e0f"
    assert rules.leaf_hash(written) == hashlib.sha256(b"\x00" + written).digest()


def test_the_largest_leaf_fits_an_entry_bundle() -> None:
    def sized(filling: int) -> bytes:
        entry = Entry(loose(Event.BEAT, {"x": "x" * filling}), "chain", "who")
        return leaf_bytes(entry, n=0, previous=bytes(32), at="2026-11-21T08:00:00.000Z", salt=bytes(16))

    room = rules.LARGEST_LEAF - len(sized(0))
    assert len(sized(room)) == 65535
    with pytest.raises(LeafTooLarge, match=r"^beat: 65536 bytes$"):
        sized(room + 1)


def test_it_is_settled_of_every_event_whose_act_it_is() -> None:
    assert set(BY) == set(Event)


@pytest.mark.parametrize("event", [event for event in Event if BY[event] is By.STAFF])
def test_an_act_of_staff_names_who_acted(event: Event) -> None:
    name, organisation = {STAFF_NAME: "c" * 64}, {STAFF_ORGANISATION: "d" * 64}
    may_stand(Entry(loose(event, {**name, **organisation}), "chain", "pseudonym"))
    for short in ({}, name, organisation):
        with pytest.raises(Unnamed):
            may_stand(Entry(loose(event, short), "chain", "pseudonym"))
    may_stand(Entry(loose(event, {}), "chain", SYSTEM))


def test_events_are_named_once() -> None:
    assert len({event.value for event in Event}) == len(Event)
    assert str(Event.LOG_OPEN) == "log.open"


def test_a_leaf_stands_on_its_own_kind_of_chain_alone() -> None:
    """What is a trainee's cannot be recorded on a cohort's chain by mistake, nor the other way."""
    chains = {"an enrolment's id": Chain.ENROLMENT, "cohort/a": Chain.COHORT, "platform": Chain.PLATFORM}
    chains |= {"log/example": Chain.LOG, "holders": Chain.HOLDERS}
    assert {name: kind_of(name) for name in chains} == chains
    expired, rotated = LeaseExpired(sitting="s"), KeyRotated(old="", new="key")
    may_stand(Entry(expired, "an enrolment's id", "who"))
    may_stand(Entry(rotated, "platform", SYSTEM))
    for made, chain in ((expired, "platform"), (expired, "cohort/a"), (rotated, "an enrolment's id")):
        with pytest.raises(WrongChain):
            may_stand(Entry(made, chain, SYSTEM))


def test_a_field_without_a_default_is_written_and_one_that_is_none_by_default_is_left_out() -> None:
    assert LogOpened().values() == {}
    assert LogOpened(restored=0).values() == {"restored": 0}
    assert OpeningCorrected(subject=None).values() == {"subject": None}


def test_an_event_is_declared_as_the_act_of_whoever_does_it() -> None:
    with pytest.raises(TypeError, match="is an act of TRAINEE"):

        @leaf(Event.LEASE_EXPIRE)
        class Mistaken(OfPlatform):
            """A trainee's act, said to be the platform's."""
