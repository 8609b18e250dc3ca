"""What of the film a sitting was handed: the server's own word that there was something to watch.

Pure, and kept with the sitting as short JSON. Media in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xueji.rulebook.intervals import Interval, subtract, union

MOST_NEW = 100
"""Parts that wait for a leaf. Who fetches a film of hours and never reports it has the first of them recorded."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """``media`` is everything so far, a union; ``new`` what no leaf says yet: from, to, and when (epoch ms)."""

    media: tuple[Interval, ...] = ()
    new: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def read(cls, text: str | None) -> HandedOut:
        if text is None:
            return _NOTHING
        media, new = json.loads(text)
        return cls(tuple((first, last) for first, last in media), tuple((first, last, at) for first, last, at in new))

    def write(self) -> str | None:
        return json.dumps([self.media, self.new], separators=(",", ":")) if self.media else None

    def and_of(self, part: Interval, at_ms: int) -> HandedOut:
        """With another part; itself when that was handed out before."""
        if not subtract([part], self.media) or len(self.new) >= MOST_NEW:
            return self
        return HandedOut(tuple(union([*self.media, part])), (*self.new, (*part, at_ms)))

    def told(self) -> HandedOut:
        """Once a leaf says what was new."""
        return HandedOut(self.media)

    @property
    def values(self) -> list[Sequence[Any]]:
        """What is new, as it stands in a leaf."""
        return [list(each) for each in self.new]


_NOTHING = HandedOut()
