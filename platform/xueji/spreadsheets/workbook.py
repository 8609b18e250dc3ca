"""Workbooks (.xlsx, .xls, .xlsb, .ods) are read by a child process; run as a program, this module is the child.

Two legal cells far apart make a reader ask for all the memory there is, and a file of some kilobytes can unfold to
gigabytes: the child dies of that, and the workbook is refused by name. What a spreadsheet keeps as a number is handed
on as the spreadsheet keeps it: more than fifteen digits are lost in it, and are written so that they are seen as lost.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from media_pipeline.child import ChildProcess, Costly, serve
from xueji.kernel.permits import PermitGivenBack
from xueji.spreadsheets.rules import (
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_ROWS,
    Row,
    Sheet,
    SheetError,
    SheetFault,
    without_empty_columns,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

SECONDS = 10.0
"""Of the processor, for one workbook; ten thousand people with ten columns take a fifth of one."""
MEMORY_BYTES = 400 * 1024 * 1024
"""Address space beyond what the child has when it is ready."""
WAIT_SECONDS = 30.0
"""For another's workbook."""
EXACT = 10**15
"""From here on a spreadsheet's number has lost digits."""


class WorkbookReader:
    """For any number of threads; one workbook at a time."""

    def __init__(self) -> None:
        self._process = ChildProcess("xueji.spreadsheets.workbook")

    def read(self, data: bytes, seconds: float = SECONDS) -> list[Sheet]:
        """The sheets that are shown and have anything in them. Raises SheetError, media_pipeline.child.ChildDown."""
        try:
            with PermitGivenBack():
                said = self._process.ask(data, seconds, Connection.recv_bytes, WAIT_SECONDS)
            answer = json.loads(said)
        except Costly as error:
            raise SheetError(SheetFault.TOO_COSTLY) from error
        if isinstance(answer, str):
            raise SheetError(SheetFault(answer))
        return [
            without_empty_columns(Sheet(name, tuple(Row(line, tuple(cells)) for line, cells in rows)))
            for name, rows in answer
        ]

    def end(self) -> None:
        self._process.end()

    @property
    def pid(self) -> int | None:
        return self._process.pid


def sheets(data: bytes) -> list[Sheet]:
    """In this process and without limits: what the child does. Raises SheetError."""
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(data))
        shown = [
            each.name
            for each in book.sheets_metadata
            if each.visible is calamine.SheetVisibleEnum.Visible and each.typ is calamine.SheetTypeEnum.WorkSheet
        ]
        found, left = [], MOST_ROWS
        for name in shown:
            rows = tuple(_rows(book.get_sheet_by_name(name), left))
            left -= len(rows)
            if rows:
                found.append(Sheet(name[:LONGEST_CELL], rows))
        return found
    except calamine.PasswordError as error:
        raise SheetError(SheetFault.LOCKED) from error
    except calamine.ZipError as error:
        raise SheetError(SheetFault.DAMAGED) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise SheetError(SheetFault.NOT_A_TABLE) from error


def _rows(sheet: CalamineSheet, most: int) -> Iterator[Row]:
    """Those with anything in them; what is merged over several lines stands in each of them."""
    # The reader begins with the first line of the sheet, but with the first column that has anything in it.
    left_out = [""] * (sheet.start or (0, 0))[1]
    below = _covered(sheet)
    merged_lines = {line for line, _column in below}
    tops, values = frozenset(below.values()), dict[tuple[int, int], str]()
    for line, cells in enumerate(sheet.iter_rows()):
        if line not in merged_lines and not any(cells):
            continue
        row = [*left_out, *(_text(cell) for cell in cells[:MOST_COLUMNS])][:MOST_COLUMNS]
        for column in range(len(row)):
            place = (line, column)
            if (top := below.get(place)) is not None:
                row[column] = values.get(top, "")
            elif place in tops:
                values[place] = row[column]
        if any(row):
            most -= 1
            if most < 0:
                raise SheetError(SheetFault.TOO_MANY_ROWS)
            yield Row(line + 1, tuple(row))


def _covered(sheet: CalamineSheet) -> dict[tuple[int, int], tuple[int, int]]:
    """For cells merged with one above: where that stands."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for (top, left), (bottom, _right) in sheet.merged_cell_ranges or ():
        if left < MOST_COLUMNS:
            for line in range(top + 1, min(bottom, top + MOST_ROWS) + 1):
                found[line, left] = (top, left)
    return found


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell.strip()[:LONGEST_CELL]
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if cell != cell or abs(cell) >= EXACT:
            return f"{cell:.14E}"
        return str(int(cell)) if cell == int(cell) else repr(cell)
    return str(cell)[:LONGEST_CELL]


def _answer(channel: Connection, data: bytes) -> None:
    try:
        answer: Any = [[sheet.name, [[row.line, row.cells] for row in sheet.rows]] for sheet in sheets(data)]
    except SheetError as error:
        answer = error.fault.value
    except MemoryError:
        answer = SheetFault.TOO_COSTLY.value
    channel.send_bytes(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))


if __name__ == "__main__":
    import python_calamine  # noqa: F401

    serve(int(sys.argv[1]), _answer, memory_bytes=MEMORY_BYTES)
