"""Who stands in a table that somebody brings: which column says what, and what each line says. Pure.

Headings decide the columns. Where there are none, the columns are guessed by what stands in them, and a person
confirms the guess before anything follows from it. Columns that nobody asked for are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from xueji.enrolment.column_headings import NEEDED, Column, column_of
from xueji.identity import spelling
from xueji.spreadsheets.rules import Row, Sheet

_FEWEST_DIGITS = 8
"""Fewer are a total or a page, where a line begins as one."""
_LOOKED_AT = 200
"""Lines by which columns without headings are guessed."""
_TITLES = 30
"""Lines among which the headings are looked for."""
_TOTALS = re.compile(
    "合计|总计|小计|总人数|共计|共[0-9一二三四五六七八九十百千]+[人名]|制表|填表|填报|审核|经办|备注|说明|注[:：]|"
    "total|prepared|checked|remark|note"
)
_OTHER_WORDS = frozenset("男女是否") | {
    *("高中", "初中", "小学", "中专", "大专", "本科", "专科", "技校", "硕士", "博士", "研究生", "文盲"),
    *("汉族", "回族", "满族", "合格", "不合格", "初训", "复训", "复审"),
}
_COMPANY = re.compile("公司|集团|厂$|矿$|学校|学院|中心$|局$|队$|车间|部门|分公司|项目部|合作社|医院|商行|经营部")
_TRADE = re.compile("作业|电工|焊工|焊接|[一-鿿]工$|管理员|负责人|安全员|操作")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖"
    "贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧诸买阿古司上慕尉东西"
)
_NUMBER_LIKE = re.compile(r"[0-9]{15}|[0-9]{17}[0-9X]")


@dataclass(frozen=True, slots=True)
class SheetReading:
    """A sheet and which of its columns says what."""

    sheet: Sheet
    columns: Mapping[Column, int]
    """By place, from 0."""
    first: int
    """The place among the sheet's rows of the first that is about somebody."""
    headings: bool
    """Whether headings decided both the name and the number; else a person confirms the columns."""


def headed(sheet: Sheet) -> tuple[int, dict[Column, int]] | None:
    """The place of the row with the headings, and what they say; None when there is none.

    Titles may stand above it, but nobody: what follows a person is never a heading.
    """
    for place, row in enumerate(sheet.rows[:_TITLES]):
        if any(looks_like_number(cell) for cell in row.cells):
            return None
        found: dict[Column, tuple[int, bool]] = {}
        for index, cell in enumerate(row.cells):
            meaning = column_of(cell)
            if meaning is not None and (meaning[0] not in found or (meaning[1] and not found[meaning[0]][1])):
                found[meaning[0]] = (index, meaning[1])
        if len(found) > 1 and (Column.NUMBER in found or Column.NAME in found):
            return place, {column: index for column, (index, _exact) in found.items()}
    return None


def looks_like_number(cell: str) -> bool:
    """Whether a cell holds what must be an identity number, whole, mistyped or destroyed by a spreadsheet."""
    number = spelling.number(cell)
    return bool(_NUMBER_LIKE.fullmatch(number)) or (
        spelling.is_approximate(cell) and re.fullmatch(r"[0-9.]+E\+?1[4-9]", number) is not None
    )


def read(sheet: Sheet, chosen: Mapping[Column, int] | None = None) -> SheetReading:
    """What the columns of a sheet say: by its headings, else by ``chosen``, else by a guess."""
    found = headed(sheet)
    if found is not None and all(column in found[1] for column in NEEDED):
        return SheetReading(sheet, found[1], found[0] + 1, headings=True)
    first, headings = (0, dict[Column, int]()) if found is None else (found[0] + 1, found[1])
    columns = dict(chosen) if chosen is not None else {**guessed(sheet.rows[first:], headings), **headings}
    return SheetReading(sheet, columns, first, headings=False)


def about_people(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Those in which anybody stands: notes on sheets of their own are passed over, unless there is nothing else."""
    found = [
        sheet
        for sheet in sheets
        if headed(sheet) is not None or any(looks_like_number(cell) for row in sheet.rows for cell in row.cells)
    ]
    return found or list(sheets[:1])


def slim(reading: SheetReading) -> Sheet:
    """The sheet without the columns that nobody asks for, where headings say which these are.

    The first column stays: it is where a total says that it is one.
    """
    if not reading.headings:
        return reading.sheet
    places = sorted({0, *reading.columns.values()})
    rows = [
        Row(row.line, tuple(row.cells[place] for place in places if place < len(row.cells)))
        for row in reading.sheet.rows
    ]
    return Sheet(reading.sheet.name, tuple(row for row in rows if any(row.cells)))


def guessed(rows: Sequence[Row], taken: Mapping[Column, int]) -> dict[Column, int]:
    """Which column says what, by what stands in it: only a guess."""
    width = max((len(row.cells) for row in rows), default=0)
    free = [place for place in range(width) if place not in taken.values()]
    cells = {
        place: [row.cells[place] for row in rows[:_LOOKED_AT] if place < len(row.cells) and row.cells[place]]
        for place in free
    }
    found: dict[Column, int] = {}
    for column, enough in _ENOUGH.items():
        if column in taken:
            continue
        scores = {place: _mean_likeness(column, cells[place]) for place in free if cells[place]}
        best = max(scores, key=lambda place: (scores[place], len(set(cells[place]))), default=None)
        if best is not None and scores[best] >= enough:
            found[column] = best
            free.remove(best)
    return found


def _mean_likeness(column: Column, cells: Sequence[str]) -> float:
    return sum(likeness(column, cell) for cell in cells) / len(cells)


def likeness(column: Column, cell: str) -> float:
    """How much a cell looks like what such a column says: from 0, not at all, to 1."""
    return _LIKE[column](cell)


def _like_name(cell: str) -> float:
    name = spelling.person_name(cell)
    if not 2 <= len(name) <= 30 or any(char.isdigit() for char in name) or name in _OTHER_WORDS:
        return 0.0
    if _COMPANY.search(name):
        return 0.0
    if name.isascii():
        return 0.3 if " " in name else 0.1
    if _TRADE.search(name):
        return 0.1
    if spelling.MIDDLE_DOT in name:
        return 1.0
    return (1.0 if name[0] in _SURNAMES else 0.5) if len(name) <= 4 else 0.1


def _like_number(cell: str) -> float:
    if looks_like_number(cell):
        return 1.0
    return 0.6 if 12 <= sum(char.isdigit() for char in spelling.number(cell)) <= 20 else 0.0


def _like_account(cell: str) -> float:
    account = spelling.plain(cell).casefold()
    return 1.0 if re.fullmatch(r"(?=.*[a-z])[a-z0-9._@+\-]{3,64}", account) else 0.0


_LIKE: Mapping[Column, Callable[[str], float]] = {
    Column.NUMBER: _like_number,
    Column.TELEPHONE: lambda cell: 1.0 if spelling.telephone(cell) else 0.0,
    Column.NAME: _like_name,
    Column.EMPLOYER: lambda cell: 1.0 if _COMPANY.search(spelling.person_name(cell)) else 0.0,
    Column.ACCOUNT: _like_account,
}
_ENOUGH = {
    Column.NUMBER: 0.2,
    Column.TELEPHONE: 0.5,
    Column.NAME: 0.05,
    Column.EMPLOYER: 0.6,
    Column.ACCOUNT: 0.3,
}
"""How much the cells of a column must look like it at least, on average; the surest are looked for first."""


class BadLine(StrEnum):
    """Why somebody in a table cannot be taken."""

    NO_NUMBER = "no_number"
    NO_NAME = "no_name"
    TWICE = "twice"
    """The number of an earlier line, under another name."""
    BAD_NUMBER = "bad_number"
    NUMBER_LOST = "number_lost"
    """A spreadsheet has made an approximate value of it."""
    BAD_NAME = "bad_name"
    BAD_ACCOUNT = "bad_account"
    ACCOUNT_TAKEN = "account_taken"
    OTHER_NAME = "other_name"
    WITHDRAWN = "withdrawn"
    """She was let out of this cohort: taken back in the roster, with a reason, and not enrolled a second time."""
    DECLARATION = "declaration"
    """What is declared of her does not fit, and no reason is given."""


class Remark(StrEnum):
    """What is done otherwise than the table asks; she is taken all the same."""

    TELEPHONE_SHARED = "telephone_shared"
    """Somebody else signs in with that number."""
    TELEPHONE_UNUSABLE = "telephone_unusable"
    """It is no mobile number, or a spreadsheet has destroyed it."""


class PassedOver(StrEnum):
    """Why a line is about nobody, and passed over."""

    REMARK = "remark"
    """A title, a total, a signature: neither a name nor a number stands where they do."""
    HEADING_AGAIN = "heading_again"
    SAME_AGAIN = "same_again"
    """The same number and name as an earlier line."""


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody, as a line of a table has it; every value in its one spelling."""

    sheet: str
    line: int
    name: str
    number: str
    account: str = ""
    """A login that was asked for by name."""
    telephone: str = ""
    """What stands in the column of telephone numbers, whether it is one or not."""
    employer: str = ""
    earlier: str = ""
    lost: bool = False
    """Whether a spreadsheet has destroyed the number."""


@dataclass(frozen=True, slots=True)
class People:
    """The people of all sheets, and what was passed over."""

    lines: tuple[PersonLine, ...]
    faults: tuple[tuple[PersonLine, BadLine], ...]
    passed: tuple[tuple[str, int, PassedOver], ...]
    """Sheet, line and why."""


def people(readings: Iterable[SheetReading]) -> People:
    """Everybody in the tables, each number once."""
    lines: list[PersonLine] = []
    faults: list[tuple[PersonLine, BadLine]] = []
    passed: list[tuple[str, int, PassedOver]] = []
    seen: dict[str, PersonLine] = {}
    for reading in readings:
        rows, name = reading.sheet.rows, reading.sheet.name
        above = rows[reading.first - 1].cells if reading.first else ()
        passed += [(name, row.line, PassedOver.REMARK) for row in rows[: max(reading.first - 1, 0)]]
        for row in rows[reading.first :]:
            line = _line(reading, row)
            fault = PassedOver.HEADING_AGAIN if _repeats(reading, row, above) else _fault(line, row, seen)
            if isinstance(fault, PassedOver):
                passed.append((name, row.line, fault))
            elif fault is not None:
                faults.append((line, fault))
            else:
                seen[line.number] = line
                lines.append(line)
    return People(tuple(_lost_in_a_column(lines)), tuple(faults), tuple(passed))


def _line(reading: SheetReading, row: Row) -> PersonLine:
    def cell(column: Column) -> str:
        place = reading.columns.get(column)
        return row.cells[place] if place is not None and place < len(row.cells) else ""

    given, name = cell(Column.NUMBER), cell(Column.NAME)
    if not reading.headings and looks_like_number(name) and not looks_like_number(given):
        # Typed by hand, one line this way round and the next that way.
        given, name = name, given
    return PersonLine(
        sheet=reading.sheet.name,
        line=row.line,
        name=spelling.person_name(name),
        number=spelling.number(given),
        account=spelling.plain(cell(Column.ACCOUNT)),
        telephone=spelling.plain(cell(Column.TELEPHONE)),
        employer=spelling.person_name(cell(Column.EMPLOYER)),
        earlier=spelling.plain(cell(Column.EARLIER)),
        lost=spelling.is_approximate(given),
    )


def _repeats(reading: SheetReading, row: Row, above: Sequence[str]) -> bool:
    """The headings again, as forms of several pages print them, or the second line of a heading of two."""
    places = [reading.columns[column] for column in NEEDED if column in reading.columns]
    return bool(places) and all(
        place < len(row.cells) and place < len(above) and row.cells[place] == above[place] for place in places
    )


def _fault(line: PersonLine, row: Row, seen: Mapping[str, PersonLine]) -> BadLine | PassedOver | None:
    begins = spelling.plain("".join(row.cells)).casefold()
    digits = sum(char.isdigit() for char in line.number)
    if _TOTALS.match(begins) and digits < _FEWEST_DIGITS:
        return PassedOver.REMARK
    if not digits:
        return BadLine.NO_NUMBER if line.name else PassedOver.REMARK
    if not line.name:
        return BadLine.NO_NAME
    earlier = None if line.lost else seen.get(line.number)
    if earlier is None:
        return None
    return PassedOver.SAME_AGAIN if earlier.name == line.name else BadLine.TWICE


_FEWEST_LOST = 3


def _lost_in_a_column(lines: Sequence[PersonLine]) -> list[PersonLine]:
    """With the numbers that end in three noughts marked as lost where too many of a table do.

    A spreadsheet keeps fifteen digits of eighteen and writes noughts for the rest; one in ten of these passes the
    check digit by chance, and would be somebody else's number. An honest number ends so once in a thousand.
    """
    ending = sum(1 for line in lines if line.number.endswith("000") and not line.lost)
    if ending < _FEWEST_LOST or ending * 5 < len(lines):
        return list(lines)
    return [replace(line, lost=True) if line.number.endswith("000") else line for line in lines]
