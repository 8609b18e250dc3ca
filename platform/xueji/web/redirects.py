"""Where a page may lead on to after a form."""

from __future__ import annotations


def local_path(target: str | None) -> str | None:
    """A path on this site, or None: ``//host``, ``/\\host``, schemes and control characters lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(char) <= 32 or ord(char) == 127 for char in target):
        return None
    return target
