"""What an evidence bundle is made of: the names of its parts, and reading them from a folder or a zip.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
README = "README.txt"
LAUNCHER = "verify.py"
VERIFIER = "verifier/"

LARGEST_PART = 512 * 1024 * 1024


class BundleError(ValueError):
    """The bundle is not put together as it should be."""


class Bundle:
    """A bundle's parts by name, wherever they lie; nothing is ever written or extracted."""

    def __init__(self, place: Path) -> None:
        """Raises BundleError when there is no bundle at the place."""
        self._folder: Path | None = None
        self._zip: zipfile.ZipFile | None = None
        if place.is_dir():
            self._folder = place
        else:
            try:
                self._zip = zipfile.ZipFile(place)
            except (OSError, zipfile.BadZipFile) as error:
                raise BundleError(f"{place} is no bundle: {error}") from error

    def read(self, name: str) -> bytes:
        """Raises BundleError."""
        try:
            if self._folder is not None:
                return (self._folder / name).read_bytes()
            assert self._zip is not None
            if self._zip.getinfo(name).file_size > LARGEST_PART:
                raise BundleError(f"{name} is too large")
            return self._zip.read(name)
        except (OSError, KeyError, zipfile.BadZipFile, RuntimeError) as error:
            raise BundleError(f"{name} is missing or damaged") from error

    def has(self, name: str) -> bool:
        if self._folder is not None:
            return (self._folder / name).is_file()
        return self._zip is not None and name in self._zip.NameToInfo

    def read_text(self, name: str) -> str:
        """Raises BundleError."""
        try:
            return self.read(name).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BundleError(f"{name} is not text") from error

    def read_json(self, name: str) -> Any:
        """Raises BundleError."""
        written = self.read_text(name)
        try:
            return json.loads(written)
        except ValueError as error:
            raise BundleError(f"{name} is not JSON") from error

    def lines(self, name: str) -> list[bytes]:
        """The lines of a part that ends with a line break. Raises BundleError."""
        data = self.read(name)
        if not data.endswith(b"\n"):
            raise BundleError(f"{name} is cut short")
        return data[:-1].split(b"\n")

    def names(self, prefix: str) -> Iterator[str]:
        """The parts under a prefix that ends with a slash."""
        if self._folder is not None:
            folder = self._folder / prefix
            yield from sorted(prefix + each.name for each in folder.iterdir()) if folder.is_dir() else ()
        elif self._zip is not None:
            yield from sorted(name for name in self._zip.namelist() if name.startswith(prefix) and name != prefix)
