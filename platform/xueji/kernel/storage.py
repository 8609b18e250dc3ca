"""Files too large for the database: pictures (always encrypted by the caller), films, bundles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from xueji.kernel.errors import Unavailable
from xueji.kernel.permits import PermitGivenBack
from xueji.kernel.settings import Settings

_CLIENT: Any = {"connect_timeout": "2s", "timeout": "20s"}
_RETRIES: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=6)}
"""An object store that hangs counts as away while the caller still listens. In twenty seconds a piece of 8 MiB is
written over 4 Mbit/s; nothing is tried again later than six seconds after it began."""


class StoreDown(Unavailable):
    """The store cannot be reached or does not answer; what lies in it may well be there still."""

    type = "store-down"


@contextmanager
def _asked() -> Iterator[None]:
    try:
        with PermitGivenBack():
            yield
    except BaseError as error:
        raise StoreDown from error


class Store:
    """One interface for a local folder, S3 and memory. Paths are relative, with forward slashes."""

    def __init__(self, backend: Any, root: Path | None = None) -> None:
        self._backend = backend
        self._root = root

    @classmethod
    def open(cls, settings: Settings) -> Store:
        if settings.storage_url:
            return cls(from_url(settings.storage_url, client_options=_CLIENT, retry_config=_RETRIES))
        return cls.in_folder(settings.data / "files")

    @classmethod
    def in_folder(cls, folder: Path) -> Store:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(str(folder)), folder)

    @classmethod
    def in_memory(cls) -> Store:
        return cls(MemoryStore())

    def put(self, path: str, data: bytes | Path) -> None:
        """Raises StoreDown."""
        with _asked():
            obstore.put(self._backend, path, data)

    def get(self, path: str) -> bytes:
        """Raises FileNotFoundError, StoreDown."""
        with _asked():
            return bytes(obstore.get(self._backend, path).bytes())

    def size(self, path: str) -> int:
        """In bytes. Raises FileNotFoundError, StoreDown."""
        with _asked():
            return int(obstore.head(self._backend, path)["size"])

    def exists(self, path: str) -> bool:
        """Raises StoreDown."""
        try:
            self.size(path)
        except FileNotFoundError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Deleting what is not there is no error. Raises StoreDown."""
        try:
            with _asked():
                obstore.delete(self._backend, path)
        except FileNotFoundError:
            return

    def list(self, prefix: str) -> Iterator[str]:
        for batch in obstore.list(self._backend, prefix):
            yield from (str(item["path"]) for item in batch)

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine, for programs that need a file; None when it does not."""
        return self._root / path if self._root is not None else None
