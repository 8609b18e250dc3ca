"""Whether anything happens in a film: a small grey picture of each second is compared with the one before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media_pipeline.graph import STILLNESS_SIZE

# A cell is a four-hundredth of a picture's area at 64 by 36; a codec's own flicker stays below these levels of 255.
_MOVED_LEVELS = 6
_CHANGED_LEVELS = 16
_CHANGED_SHARE = 0.01
# A lecture turns its page more often than this.
_LONGEST_SLIDE_SECONDS = 300
_LEAST_SECONDS = 2


@dataclass(frozen=True)
class Stillness:
    """``seconds`` looked at; ``moved``: of them, those in which anything at all moved; ``changed``: those in which it
    was more than a corner; ``longest_seconds`` without such a change."""

    seconds: int
    moved: int
    changed: int
    longest_seconds: int

    @property
    def is_one_picture(self) -> bool:
        """Whether the whole film is one picture; shorter than two seconds nothing is concluded."""
        return self.seconds > _LEAST_SECONDS and self.moved == 0

    @property
    def is_almost_still(self) -> bool:
        """Whether it shows less than a page in five minutes, anywhere or on the whole."""
        return self.longest_seconds > 2 * _LONGEST_SLIDE_SECONDS or (
            self.seconds > _LONGEST_SLIDE_SECONDS and self.changed * _LONGEST_SLIDE_SECONDS < self.seconds
        )


def read_stillness(path: Path) -> Stillness:
    """From a file of grey pictures of 64 by 36, one of each second."""
    width, height = STILLNESS_SIZE
    pictures = np.fromfile(path, dtype=np.uint8)
    count = len(pictures) // (width * height)
    pictures = pictures[: count * width * height].reshape(count, height * width)
    moved = changed = longest = 0
    since = 0
    for second in range(1, count):
        difference = np.abs(pictures[second].astype(np.int16) - pictures[second - 1])
        moved += bool(difference.max() > _MOVED_LEVELS)
        if (difference > _CHANGED_LEVELS).mean() >= _CHANGED_SHARE:
            changed += 1
            since = second
        longest = max(longest, second - since)
    return Stillness(count, moved, changed, longest)
