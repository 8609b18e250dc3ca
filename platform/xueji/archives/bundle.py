"""What an evidence bundle is made of: the names of its parts, and reading them from a folder or a zip.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

EVENTS = "events.jsonl"
INCLUSION = "inclusion.json"
CHECKPOINT = "checkpoint"
ANCHORS = "anchors.json"
TIMESTAMPS = "timestamps/"
CONSISTENCY = "consistency.json"
OPENINGS = "openings.json"
PICTURES = "pictures/"
POLICY = "policy.json"
STATEMENT = "statement.json"
RULEBOOK = "rulebook.json"
SUBJECT = "subject.json"
MANIFEST = "manifest.json"
README = "README.txt"
LAUNCHER = "verify.py"
VERIFIER = "verifier/"

LARGEST_PART = 512 * 1024 * 1024
LEFT_BY_DESKTOPS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What a file manager leaves in a folder it has shown; nobody reads it, and nobody put it there to be read."""

_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    ValueError,
    OverflowError,
    RuntimeError,  # an encrypted part; NotImplementedError, what this Python's zipfile does not know, is one too
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""Everything `zipfile` and a file system are known to raise over damaged bytes and impossible names."""


class BundleError(ValueError):
    """The bundle is not put together as it should be; the message names the part."""


class Bundle:
    """A bundle's parts by name, wherever they lie; nothing is ever written or extracted."""

    def __init__(self, place: Path) -> None:
        """Raises BundleError when there is no bundle at the place."""
        self.folder: Path | None = None
        self._zip: zipfile.ZipFile | None = None
        try:
            if place.is_dir():
                self.folder = place
            else:
                self._zip = zipfile.ZipFile(place)
            self._names = self._listed()
        except _UNREADABLE as error:
            raise BundleError(f"{place} is no bundle: {error}") from error

    def _listed(self) -> list[str]:
        if self.folder is not None:
            found = (path for path in self.folder.rglob("*") if not path.is_dir())
            return sorted(
                path.relative_to(self.folder).as_posix() for path in found if path.name not in LEFT_BY_DESKTOPS
            )
        assert self._zip is not None
        return sorted(name for name in self._zip.namelist() if not name.endswith("/"))

    def names(self, prefix: str = "") -> list[str]:
        """The parts whose names begin so, in order."""
        return [name for name in self._names if name.startswith(prefix)]

    def repeated(self) -> str | None:
        """A name under which two parts stand, so that two readers would read two things."""
        return next((name for name, count in Counter(self._names).items() if count > 1), None)

    def has(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        """Raises BundleError."""
        if not self.has(name):
            raise BundleError(f"{name} is missing")
        try:
            if self.folder is not None:
                file = self.folder / name
                size, read = file.stat().st_size, file.read_bytes
            else:
                assert self._zip is not None
                zipped, entry = self._zip, self._zip.getinfo(name)
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise BundleError("it is compressed in a way that bundles are not")
                size, read = entry.file_size, lambda: zipped.read(entry)
            if size > LARGEST_PART:
                raise BundleError("it is too large")
            return read()
        except _UNREADABLE as error:
            raise BundleError(f"{name} cannot be read: {error}") from error

    def read_text(self, name: str) -> str:
        """Raises BundleError."""
        try:
            return self.read(name).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BundleError(f"{name} is not text") from error

    def read_json(self, name: str) -> Any:
        """Raises BundleError."""
        return json_value(self.read_text(name), name)

    def lines(self, name: str) -> list[bytes]:
        """The lines of a part that ends with a line break. Raises BundleError."""
        data = self.read(name)
        if not data.endswith(b"\n"):
            raise BundleError(f"{name} is cut short")
        return data[:-1].split(b"\n")


def json_value(written: str, name: str) -> Any:
    """What JSON says to every reader alike: no key twice in an object, whole numbers only. Raises BundleError."""
    try:
        return json.loads(written, object_pairs_hook=_each_once, parse_float=_refuse, parse_constant=_refuse)
    except RecursionError as error:
        raise BundleError(f"{name} is nested too deeply") from error
    except ValueError as error:
        raise BundleError(f"{name} is not JSON as bundles write it: {error}") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return values


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is not a whole number")
