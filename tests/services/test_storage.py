"""The store: what is not in it, and what cannot be said because it does not answer, are two things."""

from __future__ import annotations

import pytest

from xueji.kernel.context import Context
from xueji.kernel.storage import StoreDown


def test_what_is_not_there_and_a_store_that_fails_are_told_apart(context: Context) -> None:
    store = context.store
    store.put("a", b"kept")
    assert store.get("a") == b"kept"
    with pytest.raises(FileNotFoundError):
        store.get("b")
    with pytest.raises(StoreDown):
        store.get("a/b")  # a file where the folder should be: the disk answers with an error
