"""The files the offline verifier is made of: where they lie beside the one that runs, and what they are in a bundle.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from xueji.evidence import bundle as parts
from xueji.python38 import cache

VERIFIER_FILES = (
    "__init__.py",
    "python38.py",
    "trace/__init__.py",
    *(
        f"trace/{name}.py"
        for name in ("canonical", "der", "ed25519", "merkle", "note", "publickeys", "rules", "tokens")
    ),
    "evidence/__init__.py",
    "evidence/bundle.py",
    "evidence/launcher.py",
    "evidence/program.py",
    "evidence/verify.py",
    "evidence/claims/*.py",
    "hours/__init__.py",
    "hours/rules/*.py",
    "rulebook/__init__.py",
    "rulebook/*.py",
)
"""The platform's own files that make up the verifier, copied byte for byte into each bundle."""
ROOT = Path(__file__).resolve().parents[1]
"""The package this runs from: the platform's, or the copy in a bundle."""


@cache
def program() -> Mapping[str, bytes]:
    """The running program's files, by the names they have in a bundle; they do not change while it runs."""
    found = {parts.LAUNCHER: (ROOT / "evidence" / "launcher.py").read_bytes()}
    for pattern in VERIFIER_FILES:
        for path in sorted(ROOT.glob(pattern)):
            found[f"{parts.VERIFIER}xueji/{path.relative_to(ROOT).as_posix()}"] = path.read_bytes()
    return MappingProxyType(found)


def listing(files: Mapping[str, bytes]) -> str:
    """A program's files with their SHA-256, one a line, as ``sha256sum`` writes and checks them."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))


def digest(files: Mapping[str, bytes]) -> str:
    """One SHA-256 (hex) for a whole program: that of its `listing`."""
    return hashlib.sha256(listing(files).encode()).hexdigest()
