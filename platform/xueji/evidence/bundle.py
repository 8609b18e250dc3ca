"""What an evidence bundle is made of: the names of its parts, and reading them from a folder or a zip.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import json
import os
import stat
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

LARGEST_PART = 16 * 1024 * 1024
"""Bytes of any part but the events; an honest one of an account of 20,000 leaves is a twentieth of it."""
LARGEST_EVENTS = 128 * 1024 * 1024
LARGEST_BUNDLE = 1024 * 1024 * 1024
"""Bytes of all parts together, as they are when extracted."""
MOST_PARTS = 20_000
LEFT_BY_DESKTOPS = frozenset(
    {".ds_store", ".localized", ".apdisk", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"}
)
"""What a file manager leaves in a folder it has shown; nobody reads it, and nobody put it there to be read."""
APPLE_DOUBLE = "._"
"""So begins the file that macOS writes beside each file where a disk has no place for its attributes (exFAT, FAT)."""
LEFT_BY_SYSTEMS = frozenset(
    {
        *("__macosx", ".trashes", ".spotlight-v100", ".fseventsd", ".temporaryitems", ".documentrevisions-v100"),
        *("$recycle.bin", "system volume information", "lost+found"),
    }
)
"""Folders that a system makes for itself on a disk or in an archive; they are not looked into."""
DEEPEST = 4
"""So many folders may lie around a bundle, one in the other: each packing and unpacking may add one."""

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
        """Where the parts lie, when they lie in a folder; there may be others around it."""
        self._zip: zipfile.ZipFile | None = None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self.passed_over = 0
        """Files and folders that desktops and systems left behind."""
        try:
            if place.is_dir():
                self.folder = place
            elif place.is_file():
                self._zip = zipfile.ZipFile(place)
            else:
                raise BundleError("it is neither a file nor a folder")
            self._names = self._listed()
        except _UNREADABLE as error:
            raise BundleError(f"{place} is no bundle: {error}") from error

    def _listed(self) -> list[str]:
        """The names of the parts. Raises BundleError for more, larger or other things than a bundle holds."""
        found = self._in_folder() if self.folder is not None else self._in_zip()
        if len(found) > MOST_PARTS:
            raise BundleError(f"it holds more than {MOST_PARTS} files")
        if sum(size for _, size in found) > LARGEST_BUNDLE:
            raise BundleError(f"its files are larger than {LARGEST_BUNDLE} bytes together")
        names = sorted(name for name, _ in found)
        around = _folders_around(names)
        if self.folder is not None:
            self.folder /= around
        self._entries = {name[len(around) :]: entry for name, entry in self._entries.items()}
        return [name[len(around) :] for name in names]

    def _in_folder(self) -> list[tuple[str, int]]:
        assert self.folder is not None
        found: list[tuple[str, int]] = []
        waiting = [self.folder]
        while waiting and len(found) <= MOST_PARTS:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    name = Path(entry.path).relative_to(self.folder).as_posix()
                    if _is_left_behind(name):
                        self.passed_over += 1
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if not stat.S_ISREG(status.st_mode):
                        raise BundleError(f"{name} is no regular file")
                    found.append((name, status.st_size))
        return found

    def _in_zip(self) -> list[tuple[str, int]]:
        assert self._zip is not None
        found = []
        for entry in self._zip.infolist():
            name = entry.filename.replace("\\", "/")  # as some programs on Windows write it
            if _is_left_behind(name):
                self.passed_over += 1
                continue
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise BundleError(f"{entry.filename} is no regular file")
            if not name.endswith("/"):
                found.append((name, entry.file_size))
                self._entries[name] = entry
        return found

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
            most = LARGEST_EVENTS if name == EVENTS else LARGEST_PART
            if self.folder is not None:
                return _regular(self.folder / name, most)
            assert self._zip is not None
            entry = self._entries[name]
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BundleError("it is compressed in a way that bundles are not")
            if entry.file_size > most:
                raise BundleError(f"it is larger than {most} bytes")
            return self._zip.read(entry)
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


def _is_left_behind(name: str) -> bool:
    """Whether a file was put there by a desktop or an operating system, and by nobody to be read."""
    parts = name.lower().split("/")
    return not LEFT_BY_SYSTEMS.isdisjoint(parts) or parts[-1] in LEFT_BY_DESKTOPS or parts[-1].startswith(APPLE_DOUBLE)


def _folders_around(names: list[str]) -> str:
    """The folders, each the only thing in the one around it, that lie about a bundle packed with its folder."""
    around = ""
    for _ in range(DEEPEST):
        first, slash, _ = (names[0] if names else "")[len(around) :].partition("/")
        if not slash or not all(name.startswith(f"{around}{first}/") for name in names):
            break
        around += f"{first}/"
    return around


def _regular(file: Path, most: int) -> bytes:
    """A file's bytes. What became a link or a pipe since it was listed is not opened, what grew is not read on."""
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BundleError("it is no regular file")
        data = opened.read(most + 1)
    if len(data) > most:
        raise BundleError(f"it is larger than {most} bytes")
    return data


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
