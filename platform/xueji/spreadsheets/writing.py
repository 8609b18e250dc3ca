"""Workbooks for people to fill in or to keep; every cell is text, so that no number loses a digit and nothing runs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import xlsxwriter
from werkzeug.wrappers import Response

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTH = 24
"""Characters."""


def workbook(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """One sheet with the headings in its first row."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bold": True})
    sheet = book.add_worksheet(title[:31])
    sheet.set_column(0, max(len(headings) - 1, 0), _WIDTH, text)
    sheet.freeze_panes(1, 0)
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, heading, bold)
    for line, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            sheet.write_string(line, place, cell, text)
    book.close()
    return written.getvalue()


def download(data: bytes, name: str) -> Response:
    """As a file to keep, which no cache holds."""
    headers = {
        "Content-Disposition": f"attachment; filename=\"list.xlsx\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    return Response(data, mimetype=MEDIA_TYPE, headers=headers)
