"""What an installation needs in order to work, asked of each thing itself: for ``/readyz`` and for `xueji doctor`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import redis
from sqlalchemy import text

from xueji.kernel import clock, schema
from xueji.kernel.context import Context
from xueji.trace import queries as trace

SEQUENCER_LATE = timedelta(seconds=30)
"""A checkpoint is signed every second; one this old while leaves wait means the sequencer stands still."""
_ANSWER_SECONDS = 2.0


class Failing(Exception):
    """Something the installation needs is not there; the message says what."""


def database(context: Context) -> None:
    with context.database.reading() as session:
        session.execute(text("SELECT 1"))


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
    """Reading is asked; a file store that cannot be written to says so in `xueji doctor`."""
    context.store.exists("ready")


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
    "broker": broker,
    "store": store,
    "sequencer": sequencer,
}


def bound(context: Context) -> dict[str, Callable[[], None]]:
    return {name: partial(probe, context) for name, probe in ALL.items()}
