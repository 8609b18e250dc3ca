"""A file that somebody brought, read as sheets: workbooks in the child, text here."""

from __future__ import annotations

from media_pipeline.child import ChildDown
from xueji.kernel.context import Context
from xueji.kernel.errors import Unavailable
from xueji.spreadsheets.rules import Kind, Sheet, decoded, kind_of, without_empty_columns
from xueji.spreadsheets.rules import text_sheet as read_text
from xueji.spreadsheets.workbook import WorkbookReader


def sheets(context: Context, data: bytes) -> list[Sheet]:
    """Raises rules.SheetError for what is no table, and Unavailable."""
    if kind_of(data) is Kind.TEXT:
        return [text_sheet(decoded(data))]
    # Of two threads that come first at once one reader stands; the other starts no child before it is asked.
    reader: WorkbookReader = context.outside.setdefault(WorkbookReader, WorkbookReader())  # type: ignore[assignment]
    try:
        return reader.read(data)
    except ChildDown as error:
        raise Unavailable from error


def text_sheet(text: str) -> Sheet:
    """Raises rules.SheetError."""
    return without_empty_columns(read_text(text))
