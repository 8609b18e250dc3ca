"""The store: what is not in it, and what cannot be said because it does not answer, are two things."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from xueji.kernel import storage
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store, StoreDown


def test_what_is_not_there_and_a_store_that_fails_are_told_apart(context: Context) -> None:
    store = context.store
    store.put("a", b"kept")
    assert store.get("a") == b"kept"
    with pytest.raises(FileNotFoundError):
        store.get("b")
    with pytest.raises(StoreDown):
        store.get("a/b")  # a file where the folder should be: the disk answers with an error


def test_an_object_store_that_hangs_is_away_before_the_caller_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_CLIENT", {**storage._CLIENT, "timeout": "1s", "allow_http": True})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "invented")
        store = Store.open(replace(Settings(data=tmp_path), storage_url="s3://bucket/xueji"))
        began = time.monotonic()
        for ask in (store.get, store.size, store.exists, store.delete):
            with pytest.raises(StoreDown):
                ask("a")
    # Left alone, the client would try ten times in three minutes.
    assert time.monotonic() - began < 40


def test_the_store_s_patience_is_shorter_than_a_caller_s() -> None:
    assert storage._CLIENT == {"connect_timeout": "2s", "timeout": "20s"}
    assert storage._RETRIES["retry_timeout"].total_seconds() <= 6
