"""Text as people save and paste it, read as rows: in whatever encoding, with whatever between the cells.

Nothing here knows what a table is about. Standard library only.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

MOST_ROWS = 20_000
"""Rows with anything in them, of all sheets of a file together."""
MOST_COLUMNS = 100
LONGEST_CELL = 300
"""Characters; what is longer is cut, for nothing that is read here is that long."""
LARGEST_FILE = 8 * 1024 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = "\t;,；，、|"
_ANY_SEPARATOR = re.compile("[\t;,；，、|]")
_BLANKS = re.compile(r"[ \u00a0\u3000]+")
_QUOTING = frozenset("\t;,")
"""Separators of tables whose cells may stand in quotes and go on in the next line."""
_LOOKED_AT = 200
"""Lines by which the separator is known."""
_BYTES_LOOKED_AT = 4000
"""By which text without a mark is known."""
_MOST_TELLING = 9
"""More separators in a line tell no more than so many."""
_EACH_TELLS = 0.01
"""How much each of them tells, beside the share of lines that have as many."""
_WEB_PAGE = re.compile(r"\s*<(!doctype|html|table|\?xml|workbook)", re.IGNORECASE)
_SAYS_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)


class SheetFault(StrEnum):
    """Why a file is not read as a table."""

    EMPTY = "empty"
    NOT_A_TABLE = "not_a_table"
    WEB_PAGE = "web_page"
    """A web page or an XML file under a workbook's name, as some systems export it."""
    LOCKED = "locked"
    """A workbook with a password."""
    DAMAGED = "damaged"
    UNKNOWN_TEXT = "unknown_text"
    """Text in an encoding that is none of those known."""
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_COSTLY = "too_costly"
    """It needs more time or memory than a list of people can."""


class SheetError(Exception):
    def __init__(self, fault: SheetFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """The number it has in the file, from 1."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    """Empty for text, which has only one."""
    rows: tuple[Row, ...]
    """Those with anything in them."""


class Kind(StrEnum):
    TEXT = "text"
    WORKBOOK = "workbook"


def kind_of(data: bytes) -> Kind:
    """By its first bytes, whatever it is called. Raises SheetError."""
    if not data.strip(b"\x00 \t\r\n"):
        raise SheetError(SheetFault.EMPTY)
    if len(data) > LARGEST_FILE:
        raise SheetError(SheetFault.TOO_LARGE)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return Kind.WORKBOOK
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf")):
        raise SheetError(SheetFault.NOT_A_TABLE)
    return Kind.TEXT


def decoded(data: bytes) -> str:
    """Text in UTF-8, UTF-16 or GB 18030 (GBK is a part of it), with or without a mark. Raises SheetError."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    head = data[:_BYTES_LOOKED_AT]
    if 0 in head:
        # Every second byte of UTF-16 is nothing wherever there are digits and separators.
        later = head[1::2].count(0) >= head[::2].count(0)
        return _decoded(data, "utf-16-le" if later else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(data, "gb18030")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SheetError(SheetFault.UNKNOWN_TEXT) from error


def text_sheet(text: str) -> Sheet:
    """Rows of text, however its lines end and its cells are separated. Raises SheetError."""
    text = text.lstrip("\ufeff").replace("\0", "")
    if _WEB_PAGE.match(text):
        raise SheetError(SheetFault.WEB_PAGE)
    rows: list[Row] = []
    for line, cells in _lines(text):
        trimmed = tuple(cell.strip()[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS])
        if any(trimmed):
            rows.append(Row(line, trimmed))
        if len(rows) > MOST_ROWS:
            raise SheetError(SheetFault.TOO_MANY_ROWS)
    return Sheet("", tuple(rows))


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of every line; a quoted cell may hold line ends."""
    lines = re.split("\r\n|\r|\n", text)
    says = _SAYS_SEPARATOR.fullmatch(lines[0].strip())
    place, separator = (1, says.group(1)) if says else (0, _separator(lines))
    while place < len(lines):
        line, first = lines[place], place
        # A cell that opens a quotation and does not close it goes on in the next lines, but never far.
        while separator in _QUOTING and _open_quotation(line, separator) and place + 1 < min(len(lines), first + 20):
            place += 1
            line += "\n" + lines[place]
        if _open_quotation(line, separator):
            line, place = lines[first], first
        yield first + 1, _cells(line, separator)
        place += 1


def _open_quotation(line: str, separator: str | None) -> bool:
    starts = line.startswith('"') or f'{separator}"' in line
    return starts and line.count('"') % 2 == 1


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None or separator not in line:
        return _split(line)
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader(io.StringIO(line), delimiter=separator))
    except csv.Error:
        return line.split(separator)


def _split(line: str) -> list[str]:
    """Cells of a line that is typed by hand: by any separator, else by blanks."""
    if _ANY_SEPARATOR.search(line):
        return _ANY_SEPARATOR.split(line)
    return _together(_BLANKS.split(line.strip()))


def _together(words: list[str]) -> list[str]:
    """Single Chinese characters that follow each other are a name in which somebody has typed blanks: 李 丽."""
    found: list[str] = []
    open_name = False
    for word in words:
        single = len(word) == 1 and "\u3400" <= word <= "\u9fff"
        if single and open_name:
            found[-1] += word
        else:
            found.append(word)
        open_name = single and len(found[-1]) < 4
    return found


def _separator(lines: Sequence[str]) -> str | None:
    """What stands between the cells in nearly every line; None when nothing does."""
    filled = [line for line in lines if line.strip()][:_LOOKED_AT]
    best, most = None, 0.0
    for separator in _SEPARATORS:
        having = [line.count(separator) for line in filled if separator in line]
        if not having or len(having) * 10 < len(filled) * 6:
            continue
        usual = max(set(having), key=having.count)
        # As many in every line speaks for it: a comma within remarks comes and goes.
        score = having.count(usual) / len(filled) + min(usual, _MOST_TELLING) * _EACH_TELLS
        if score > most:
            best, most = separator, score
    return best


def without_empty_columns(sheet: Sheet) -> Sheet:
    """Without the columns in which no row has anything, wherever they stand."""
    width = max((len(row.cells) for row in sheet.rows), default=0)
    used = [place for place in range(width) if any(len(row.cells) > place and row.cells[place] for row in sheet.rows)]
    if len(used) == width:
        return sheet
    rows = (
        Row(row.line, tuple(row.cells[place] if place < len(row.cells) else "" for place in used)) for row in sheet.rows
    )
    return replace(sheet, rows=tuple(rows))
