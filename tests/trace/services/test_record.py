"""Facts are recorded with the change they speak of, in chains without gaps, and cannot be changed afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from support.growing_log import BEGINNING, growing_log
from support.people import someone

from bench.loose_leaves import loose
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.trace import queries, rules, sealing, services
from xueji.trace.canonical import NotCanonical
from xueji.trace.leaf import Entry, LeafTooLarge
from xueji.trace.models import Pending, SealedOpening
from xueji.trace.rules import Event


def beats(chain: str, count: int) -> list[Entry]:
    return [Entry(loose(Event.BEAT, {"number": number}), chain, "someone") for number in range(count)]


def test_a_chain_counts_its_leaves_and_names_the_one_before(context: Context) -> None:
    with context.database.writing() as session:
        first = services.record(session, loose(Event.SITTING_OPEN, {"lesson": "课"}), chain="a", who="someone")
        services.record(session, loose(Event.BEAT, {}), chain="b", who="someone")
        second = services.record(
            session, loose(Event.BEAT, {}), chain="a", who="someone", occurred="2026-11-21T07:59:59.000Z"
        )
    with context.database.reading() as session:
        leaves = list(queries.chain(session, "a"))
        written = [leaf for _, leaf in queries.chain_bytes(session, "a")]
        assert queries.chain_length(session, "a") == 2
        assert queries.chain_length(session, "nobody") == 0
    assert [leaf["n"] for leaf in leaves] == [0, 1]
    assert leaves[0]["prev"] == "0" * 64
    assert leaves[1]["prev"] == first.hex == rules.leaf_hash(written[0]).hex()
    assert second == (1, rules.leaf_hash(written[1]))
    assert leaves[1]["occurred"] == "2026-11-21T07:59:59.000Z"
    assert "occurred" not in leaves[0]


def test_many_at_once_are_the_same_as_one_by_one(context: Context) -> None:
    entries = beats("a", 3) + beats("b", 2) + beats("a", 1)
    with clock.fixed(BEGINNING):
        with context.database.writing() as session:
            together = services.record_many(session, entries)
            session.rollback()
        with context.database.writing() as session:
            apart = [services.record(session, entry.leaf, chain=entry.chain, who=entry.who) for entry in entries]
    # No two leaves have the same hash, whatever they say: each has a salt of its own.
    assert [each.n for each in together] == [each.n for each in apart]
    assert not {each.hex for each in together} & {each.hex for each in apart}
    assert [recorded.n for recorded in together] == [0, 1, 2, 0, 1, 3]


def test_a_chain_just_begun_is_never_waited_for_while_holding_another(context: Context) -> None:
    """Two transactions that need the same two chains, one of them new: the later waits before it locks anything."""
    with context.database.writing() as session:
        services.record_many(session, beats("a", 1))
    later = threading.Thread(target=_record, args=(context, [*beats("a", 1), *beats("new", 1)]))
    with context.database.writing() as session:
        services.record_many(session, beats("new", 1))
        later.start()
        later.join(0.3)
        assert later.is_alive()
        services.record_many(session, beats("a", 1))
    later.join()
    with context.database.reading() as session:
        assert [queries.chain_length(session, chain) for chain in ("a", "new")] == [3, 2]


def _record(context: Context, entries: list[Entry]) -> None:
    with context.database.writing() as session:
        services.record_many(session, entries)


def test_a_rolled_back_change_leaves_no_trace(context: Context) -> None:
    with pytest.raises(RuntimeError), context.database.writing() as session:
        services.record_many(session, beats("a", 3))
        raise RuntimeError
    with context.database.writing() as session:
        assert services.record_many(session, beats("a", 1))[0].n == 0
    with context.database.reading() as session:
        assert len(list(queries.chain(session, "a"))) == 1


def test_nothing_recorded_is_nothing_written(context: Context) -> None:
    with context.database.writing() as session:
        assert services.record_many(session, []) == []


@pytest.mark.parametrize(
    ("values", "refusal"),
    [({"score": 0.5}, NotCanonical), ({"number": 2**53}, NotCanonical), ({"long": "x" * 65536}, LeafTooLarge)],
)
def test_what_no_leaf_may_hold_is_refused(
    context: Context, values: dict[str, object], refusal: type[Exception]
) -> None:
    with context.database.writing() as session:
        with pytest.raises(refusal):
            services.record(session, loose(Event.BEAT, values), chain="a", who="someone")
        session.rollback()


def test_time_never_runs_backwards_within_a_chain(context: Context) -> None:
    with clock.fixed(BEGINNING) as time:
        for by in (timedelta(0), timedelta(seconds=-4)):
            time.advance(by)
            with context.database.writing() as session:
                services.record_many(session, beats("a", 1))
        time.advance(timedelta(seconds=-60))
        with pytest.raises(services.ClockBehind), context.database.writing() as session:
            services.record_many(session, beats("a", 1))
        with context.database.writing() as session:
            services.record_many(session, beats("b", 1))
    with context.database.reading() as session:
        assert [leaf["at"] for leaf in queries.chain(session, "a")] == ["2026-11-21T08:00:00.000Z"] * 2


def test_threads_that_write_one_chain_take_turns(context: Context) -> None:
    def write() -> None:
        for _ in range(10):
            with context.database.writing() as session:
                services.record_many(session, [*beats("shared", 2), *beats(threading.current_thread().name, 1)])

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with context.database.reading() as session:
        shared = list(queries.chain_bytes(session, "shared"))
    assert [n for n, _ in shared] == list(range(160))
    previous = rules.FIRST_PREVIOUS
    for _, leaf in shared:
        assert json.loads(leaf)["prev"] == previous.hex()
        previous = rules.leaf_hash(leaf)


def test_a_reader_sees_a_chain_whole_while_it_moves_into_the_tree(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 5)
        log.settle()
        log.record("a", 5)
        with context.database.reading() as session:
            assert [leaf["n"] for leaf in queries.chain(session, "a")] == list(range(10))
            assert session.scalars(select(Pending.n).where(Pending.chain == "a").order_by(Pending.id)).all() == [
                5, 6, 7, 8, 9,
            ]  # fmt: skip


def test_a_commitment_opens_until_it_is_erased(context: Context) -> None:
    mine, others = someone(context), someone(context)
    with context.database.writing() as session:
        kept = services.commit(session, "Redmi Note 12", chain="a", field="device", person=str(mine.id))
        other = services.commit(session, "Redmi Note 12", chain="a", field="device", person=str(others.id))
        reason = services.commit(session, "看错了", chain="a", field="reason", person=str(mine.id))
    assert kept != other, "the same value twice must not be seen to be the same"
    with context.database.reading() as session:
        opened = sealing.unseal(session, queries.openings(session, "a")[kept])
    assert opened.value == b"Redmi Note 12"
    assert hmac.new(opened.key, opened.value, hashlib.sha256).hexdigest() == kept
    with context.database.writing() as session:
        assert (
            services.erase(session, chain="a", who="officer", what="device", field="device", person=str(mine.id)) == 1
        )
    with context.database.reading() as session:
        assert set(queries.openings(session, "a")) == {other, reason}
        (leaf,) = queries.chain(session, "a")
    assert leaf["event"] == "erase"
    assert leaf["values"] == {"what": "device", "count": 1, "commitments": [kept]}


def test_erasing_everything_by_mistake_is_refused(context: Context) -> None:
    with context.database.writing() as session, pytest.raises(ValueError, match="which openings"):
        services.erase(session, chain="a", who="officer", what="everything")


def test_many_erasures_stay_within_a_leaf(context: Context) -> None:
    with context.database.writing() as session:
        for number in range(1100):
            services.commit(session, str(number), chain="a", field="device")
        assert services.erase(session, chain="a", who="officer", what="device", field="device") == 1100
    with context.database.reading() as session:
        assert [leaf["values"]["count"] for leaf in queries.chain(session, "a")] == [500, 500, 100]
        assert session.scalar(select(SealedOpening)) is None


SEAT_BELT = [
    "UPDATE trace_leaf SET leaf = leaf WHERE position = 2",
    "DELETE FROM trace_leaf WHERE position = 2",
    "INSERT INTO trace_leaf (position, log, chain, n, leaf) VALUES (9999, 1, 'x', 0, 'y')",
    "INSERT INTO trace_leaf (position, log, chain, n, leaf) VALUES (2, 1, 'x', 0, 'y')",
    "DELETE FROM trace_tile",
    "UPDATE trace_tile SET hashes = root",
    "INSERT INTO trace_tile (log, level, number, hashes, root) SELECT log, level, 7, hashes, root FROM trace_tile",
    "DELETE FROM trace_checkpoint",
    "UPDATE trace_checkpoint SET note = 'x'",
    "INSERT INTO trace_checkpoint (log, size, time, note) SELECT log, size - 1, time, note FROM trace_checkpoint",
    "DELETE FROM trace_key",
    "UPDATE trace_log SET first_position = 7",
]
SQLITE_ONLY = [
    "REPLACE INTO trace_leaf (position, log, chain, n, leaf) VALUES (2, 1, 'x', 0, 'y')",
    "REPLACE INTO trace_leaf (position, log, chain, n, leaf)"
    " SELECT (SELECT MAX(position) + 1 FROM trace_leaf), log, chain, n, leaf FROM trace_leaf WHERE position = 3",
    "REPLACE INTO trace_tile (log, level, number, hashes, root) SELECT log, level, number, root, root FROM trace_tile",
    "REPLACE INTO trace_checkpoint (log, size, time, note) SELECT log, size, time, 'x' FROM trace_checkpoint",
    "REPLACE INTO trace_key (log, key, purpose, from_size) SELECT log, key, purpose, 99 FROM trace_key",
    "REPLACE INTO trace_log (id, origin, first_position, opened_at) SELECT id, origin, 5, opened_at FROM trace_log",
    "REPLACE INTO trace_log (id, origin, first_position, opened_at) SELECT id + 1, origin, 5, opened_at FROM trace_log",
]
POSTGRESQL_ONLY = [
    "TRUNCATE trace_leaf",
    "INSERT INTO trace_leaf (position, log, chain, n, leaf) SELECT position, log, chain, n, 'x' FROM trace_leaf"
    " WHERE position = 2 ON CONFLICT (position) DO UPDATE SET leaf = 'x'",
]


def test_the_database_itself_refuses_to_change_the_log(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 300)
        log.settle()
    mine = SQLITE_ONLY if context.database.is_sqlite else POSTGRESQL_ONLY
    for statement in SEAT_BELT + mine:
        with (
            pytest.raises(DBAPIError, match=r"can only grow|is not the next|duplicate key"),
            context.database.writing() as session,
        ):
            session.execute(text(statement))
            pytest.fail(statement)
    with context.database.reading() as session:
        assert len(list(queries.chain(session, "a"))) == 300
