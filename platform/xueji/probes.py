"""What an installation needs in order to work, asked of each thing itself: for ``/readyz`` and for `xueji doctor`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import redis

from xueji import keycheck
from xueji.kernel import clock, schema
from xueji.kernel.context import Context
from xueji.kernel.models import THE_ROW, Installation
from xueji.trace import queries as trace

SEQUENCER_LATE = timedelta(seconds=30)
"""A checkpoint is signed every second; one this old while leaves wait means the sequencer stands still."""
_ANSWER_SECONDS = 2.0


class Failing(Exception):
    """Something the installation needs is not there; the message says what."""


def database(context: Context) -> None:
    """Takes a change and commits it: a full disk still reads."""
    with context.database.writing() as session:
        row = session.get(Installation, THE_ROW) or Installation(id=THE_ROW)
        row.probed_at = clock.now()
        session.add(row)


def keys(context: Context) -> None:
    """Another master key would write under pseudonyms and keys that nobody can join with what there is."""
    with context.database.reading() as session:
        try:
            keycheck.check(context, session)
        except keycheck.OtherKey as error:
            raise Failing(str(error)) from error


def migrations(context: Context) -> None:
    at, should_be = schema.current(context.database), schema.newest()
    if at != should_be:
        raise Failing(f"the database is at revision {at}, the program needs {should_be}: run `xueji upgrade`")


def broker(context: Context) -> None:
    url = context.settings.redis_url
    if url is None:
        return  # kept in memory: there is nothing that could be away
    client = redis.Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)
    try:
        client.ping()
    except redis.RedisError as error:
        raise Failing(f"the broker does not answer ({error})") from error
    finally:
        client.close()


def store(context: Context) -> None:
    """Written, read and deleted: a full disk or a closed bucket still reads."""
    path, content = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(32)
    context.store.put(path, content)
    try:
        if context.store.get(path) != content:
            raise Failing("what was written to the store came back changed")
    finally:
        context.store.delete(path)


def sequencer_lag(context: Context) -> timedelta:
    """How long the log has been waiting to be signed; nothing when nothing waits."""
    with context.database.reading() as session:
        state = trace.state(session)
    if state.pending == 0 and state.signed_size == state.size:
        return timedelta(0)
    if state.signed_time is None:
        raise Failing("the sequencer has never signed a checkpoint")
    return max(timedelta(0), clock.now() - clock.from_ms(state.signed_time * 1000))


def sequencer(context: Context) -> None:
    lag = sequencer_lag(context)
    if lag > SEQUENCER_LATE:
        raise Failing(f"leaves have been waiting for the sequencer for {lag.total_seconds():.0f} s")


ALL: dict[str, Callable[[Context], None]] = {
    "database": database,
    "migrations": migrations,
    "keys": keys,
    "broker": broker,
    "store": store,
    "sequencer": sequencer,
}


PATIENCE = {"database": 5.0, "store": 30.0}
"""Seconds for which a good answer of a probe that writes is believed: anybody may ask, and writing is not free."""


class Patient:
    """A probe whose good answer is kept for a while; a bad one never."""

    def __init__(self, probe: Callable[[], None], seconds: float) -> None:
        self._probe, self._seconds = probe, seconds
        self._good_until = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._good_until:
            self._probe()
            self._good_until = time.monotonic() + self._seconds


def bound(context: Context) -> dict[str, Callable[[], None]]:
    return {name: Patient(partial(probe, context), PATIENCE.get(name, 0.0)) for name, probe in ALL.items()}
