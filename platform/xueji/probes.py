"""What an installation needs in order to work, asked of each thing itself: for ``/readyz`` and for `xueji doctor`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import partial

import redis

from xueji import keycheck
from xueji.kernel import clock, schema
from xueji.kernel.context import Context
from xueji.kernel.models import THE_ROW, Installation
from xueji.parts import PARTS
from xueji.web.health import Failing

_ANSWER_SECONDS = 2.0


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


OF_THE_INSTALLATION: dict[str, Callable[[Context], object]] = {
    "database": database,
    "migrations": migrations,
    "keys": keys,
    "broker": broker,
    "store": store,
}


PATIENCE = {"database": 5.0, "store": 30.0}
"""Seconds for which a good answer of a probe that writes is believed: anybody may ask, and writing is not free."""


class Patient:
    """A probe whose good answer is kept for a while; a bad one never."""

    def __init__(self, probe: Callable[[], object], seconds: float) -> None:
        self._probe, self._seconds = probe, seconds
        self._good_until = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._good_until:
            self._probe()
            self._good_until = time.monotonic() + self._seconds


def all_probes() -> dict[str, Callable[[Context], object]]:
    """By name: first what every installation needs, then what its parts need."""
    return OF_THE_INSTALLATION | {name: probe for part in PARTS for name, probe in part.probes().items()}


def bound(context: Context) -> dict[str, Callable[[], None]]:
    return {name: Patient(partial(probe, context), PATIENCE.get(name, 0.0)) for name, probe in all_probes().items()}
