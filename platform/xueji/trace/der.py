"""Reading DER (X.690), as far as time-stamp tokens and certificates need it. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from xueji.python38 import dataclass

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31


class DerError(ValueError):
    """The bytes are not the DER they should be."""


@dataclass(frozen=True)
class Element:
    """One element: ``whole`` with its tag and length, ``content`` without."""

    tag: int
    content: bytes
    whole: bytes

    def expect(self, tag: int) -> Element:
        if self.tag != tag:
            raise DerError(f"tag {self.tag:#x} where {tag:#x} should be")
        return self

    def children(self) -> list[Element]:
        return list(elements(self.content))

    def integer(self) -> int:
        return int.from_bytes(self.expect(INTEGER).content, "big", signed=True)

    def oid(self) -> str:
        content = self.expect(OBJECT_IDENTIFIER).content
        numbers, value = [], 0
        for byte in content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        if not numbers:
            raise DerError("an empty object identifier")
        first = min(numbers[0] // 40, 2)
        return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))

    def bits(self) -> bytes:
        """The bytes of a bit string that is whole bytes."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] != 0:
            raise DerError("a bit string that is not whole bytes")
        return content[1:]


def elements(data: bytes) -> Iterator[Element]:
    """The elements that stand one after another in ``data``. Raises DerError."""
    place = 0
    while place < len(data):
        start = place
        if len(data) - place < 2:
            raise DerError("cut short")
        tag, length = data[place], data[place + 1]
        place += 2
        if tag & 0x1F == 0x1F:
            raise DerError("a long tag")
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or len(data) - place < count:
                raise DerError("an impossible length")
            length = int.from_bytes(data[place : place + count], "big")
            place += count
        if len(data) - place < length:
            raise DerError("cut short")
        place += length
        yield Element(tag, data[place - length : place], data[start:place])


def parse(data: bytes) -> Element:
    """The one element that ``data`` is. Raises DerError."""
    found = list(elements(data))
    if len(found) != 1:
        raise DerError("one element should stand here")
    return found[0]
