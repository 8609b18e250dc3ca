"""Pictures made to cost more than they weigh."""

from __future__ import annotations

import io
import struct
from itertools import islice

from PIL import Image

from media_pipeline.frames import Pixels

_SIDE, _HEIGHT = 8192, 1952
"""As large as a picture may be: 16 million pixels."""


def progressive(pixels: Pixels) -> bytes:
    """As programs write a JPEG that shows while it loads: ten scans."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", progressive=True)
    return file.getvalue()


def bomb(scans: int) -> bytes:
    """A grey JPEG of ``scans`` scans, at most 1,765: one that lays it out, the others changing nothing.

    Each goes over every block again and takes some twenty bytes.
    """
    blocks = (_SIDE // 8) * (_HEIGHT // 8)
    head = b"\xff\xd8" + _segment(0xDB, bytes(1) + b"\x01" * 64)
    head += _segment(0xC2, struct.pack(">BHHB3B", 8, _HEIGHT, _SIDE, 1, 1, 0x11, 0))
    # One code of one bit each: "no change", and "nothing in the next 32,767 blocks".
    for table, symbol in ((0x00, 0x00), (0x10, 0xE0)):
        head += _segment(0xC4, bytes([table, 1, *[0] * 15, symbol]))
    first = _scan(0, 0, 0, 0) + bytes(-(-blocks // 8))
    nothing = _bits("0" + "1" * 14, -(-blocks // 32767))
    rest = (_scan(at, at, high, low) + nothing for at in range(1, 64) for high, low in _STEPS)
    return head + first + b"".join(islice(rest, scans - 1)) + b"\xff\xd9"


_STEPS = ((0, 13), *((low + 1, low) for low in reversed(range(13))))


def _segment(mark: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(content) + 2) + content


def _scan(first: int, last: int, high: int, low: int) -> bytes:
    return _segment(0xDA, bytes([1, 1, 0x00, first, last, high << 4 | low]))


def _bits(code: str, times: int) -> bytes:
    bits = code * times
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data.replace(b"\xff", b"\xff\x00")
