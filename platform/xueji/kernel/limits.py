"""What the operating system lets this process have."""

from __future__ import annotations

import contextlib
import resource


def open_files() -> int:
    """How many files this process may have open, after asking for all it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft
