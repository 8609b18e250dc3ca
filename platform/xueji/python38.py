"""What newer Pythons have and 3.8 has not, for the files that travel with a bundle (see `evidence.program`).

Offices where a bundle is opened run Pythons as old as 3.8. Under a newer one each name here
is the standard library's own.
Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import re
import sys
from datetime import date, datetime

if sys.version_info >= (3, 11):
    from dataclasses import dataclass
    from datetime import UTC
    from enum import StrEnum
    from functools import cache
    from itertools import pairwise
    from typing import Self
else:
    import dataclasses
    from datetime import timezone
    from enum import Enum
    from functools import lru_cache
    from itertools import tee
    from typing import Any as Self

    UTC = timezone.utc
    cache = lru_cache(maxsize=None)

    class StrEnum(str, Enum):
        """Members are text, and print as their value."""

        __str__ = str.__str__
        __format__ = str.__format__

    def pairwise(values):
        """Each value with the one after it."""
        first, second = tee(values)
        next(second, None)
        return zip(first, second)

    def dataclass(cls=None, *, slots=False, kw_only=False, **others):
        """Without slots, which save memory, and without enforcing names, which this program always gives."""
        return dataclasses.dataclass(cls, **others)


__all__ = ["UTC", "Self", "StrEnum", "cache", "dataclass", "day", "moment", "pairwise"]

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{3}(?:\d{3})?)?)?)(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def moment(written: str) -> datetime:
    """A time as RFC 3339 writes it, to whole seconds, milliseconds or microseconds; without an offset it has none.

    Pythons differ in what else they read, and a bundle must not be judged by which one is at hand. Raises ValueError.
    """
    found = _MOMENT.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is no time as RFC 3339 writes it")
    return datetime.fromisoformat(found.group(1) + (found.group(2) or "").replace("Z", "+00:00"))


def day(written: str) -> date:
    """``2026-11-21``, in this spelling alone. Raises ValueError."""
    if _DAY.fullmatch(written) is None:
        raise ValueError(f"{written!r} is no date")
    return date.fromisoformat(written)
