"""A table on its way from one page to the next: in the browser's keeping, readable and changeable by nobody but us.

It is looked at on one page and taken on the next; kept here meanwhile it would be a list of identity numbers that
somebody has to clear away.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from xueji.kernel import crypto
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Malformed
from xueji.spreadsheets.rules import Row, Sheet

_MOST = 32 * 1024 * 1024
"""Bytes that may come out; what goes in was a file of a quarter of that."""


def sealed(keyring: Keyring, what: Any, *, place: str, by: UUID) -> str:
    """Anything that JSON can say, for the same person at the same place to bring back."""
    packed = zlib.compress(json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode(), 6)
    return base64.b64encode(crypto.encrypt(keyring.derived("carried"), packed, _aad(place, by))).decode("ascii")


def unsealed(keyring: Keyring, text: str, *, place: str, by: UUID) -> Any:
    """Raises Malformed for what was not sealed here, for this place and person."""
    try:
        packed = crypto.decrypt(keyring.derived("carried"), base64.b64decode(text, validate=True), _aad(place, by))
    except (binascii.Error, ValueError, crypto.Unreadable) as error:
        raise Malformed from error
    return json.loads(zlib.decompressobj().decompress(packed, _MOST))


def of_sheets(sheets: Sequence[Sheet]) -> list[Any]:
    """Sheets as plain lists, to be carried."""
    return [[sheet.name, [[row.line, *row.cells] for row in sheet.rows]] for sheet in sheets]


def to_sheets(carried: list[Any]) -> list[Sheet]:
    """Sheets out of what was carried."""
    return [Sheet(name, tuple(Row(line, tuple(cells)) for line, *cells in rows)) for name, rows in carried]


def _aad(place: str, by: UUID) -> bytes:
    return f"carried/{place}/{by}".encode()
