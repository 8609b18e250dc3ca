"""Lists as CSV that a spreadsheet opens as text: no cell can run as a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

from flask import Response

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def neutral(value: object) -> str:
    """The cell as text; what a spreadsheet would take for a formula is led in by an apostrophe.

    Looked at as a spreadsheet may read it: full-width signs count as plain ones, and blanks before them as nothing.
    """
    text = "" if value is None else str(value)
    read = unicodedata.normalize("NFKC", text)
    runs = read.startswith(_STARTS_FORMULA) or read.lstrip().startswith(_STARTS_FORMULA)
    return f"'{text}" if runs else text


def table(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a mark at the beginning, by which spreadsheets know it is not the local code page."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([neutral(column) for column in columns])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def seconds(ms: int) -> str:
    """An exact amount of time: 217.400."""
    return f"{ms // 1000}.{ms % 1000:03d}"


def download(name: str, columns: Sequence[object], rows: Iterable[Sequence[object]]) -> Response:
    """The table as a file of this name (ASCII)."""
    response = Response(table(columns, rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
