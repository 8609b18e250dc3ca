"""Text as people save and paste it becomes the same rows, whatever its encoding, separators and line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.spreadsheets.rules import (
    LARGEST_FILE,
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_ROWS,
    Kind,
    Row,
    Sheet,
    SheetError,
    SheetFault,
    decoded,
    kind_of,
    text_sheet,
    without_empty_columns,
)

ROWS = [
    ("姓名", "证件号码", "手机"),
    ("王小明", "620102199001010014", "13800000001"),
    ("李 丽", "62010219900101002X", ""),
]


def cells(text: str) -> list[tuple[str, ...]]:
    return [row.cells for row in text_sheet(text).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", ["\t", ",", ";", "，", "、", "；", "|"])
def test_a_table_is_the_same_in_every_encoding_with_every_separator_and_line_end(
    separator: str, ends: str, encoding: str
) -> None:
    text = ends.join(separator.join(row) for row in ROWS) + ends
    assert cells(decoded(text.encode(encoding))) == ROWS


def test_cells_in_quotes_may_hold_separators_and_line_ends_and_lines_keep_their_numbers() -> None:
    sheet = text_sheet('姓名,备注\r\n张三,"高中,\n电工"\r\n李四,"说""好"""\r\n"王五",无')
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (1, ("姓名", "备注")),
        (2, ("张三", "高中,\n电工")),
        (4, ("李四", '说"好"')),
        (5, ("王五", "无")),
    ]


def test_a_quotation_that_is_never_closed_swallows_nothing() -> None:
    lines = ["姓名,证号", '"张三,1', *(f"李四{n},2" for n in range(40))]
    assert len(text_sheet("\n".join(lines)).rows) == len(lines)


def test_what_a_spreadsheet_writes_above_a_table_names_the_separator() -> None:
    for says in ("sep=;", "SEP=; "):
        sheet = text_sheet(f"{says}\n姓名;证号\n张三;1,5")
        assert [(row.line, row.cells) for row in sheet.rows] == [(2, ("姓名", "证号")), (3, ("张三", "1,5"))]


def test_a_comma_in_a_remark_is_no_separator_of_a_table_with_tabs() -> None:
    assert cells("张三\t1\t高中，中专\n李四\t2\t无") == [("张三", "1", "高中，中专"), ("李四", "2", "无")]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("620102199001010014 王小明", ("620102199001010014", "王小明")),
        ("王小明　620102199001010014", ("王小明", "620102199001010014")),
        ("李 丽 620102199001010014", ("李丽", "620102199001010014")),
        ("王小明，620102199001010014", ("王小明", "620102199001010014")),
        ("李 丽 王 芳 芳", ("李丽王芳", "芳")),
        ("1 欧 阳 娜 仁 电工", ("1", "欧阳娜仁", "电工")),
        ("李 a 丽", ("李", "a", "丽")),
        ("\u3400 \u9fff 1", ("\u3400\u9fff", "1")),
        ("\u33ff 李 \ua000", ("\u33ff", "李", "\ua000")),
    ],
)
def test_a_line_typed_by_hand_is_divided_where_its_writer_meant(typed: str, read: tuple[str, ...]) -> None:
    assert cells(typed) == [read]


def test_each_line_typed_by_hand_keeps_its_number() -> None:
    sheet = text_sheet("王小明 1\n\n李丽 2")
    assert [(row.line, row.cells) for row in sheet.rows] == [(1, ("王小明", "1")), (3, ("李丽", "2"))]


SEMICOLON, BY_HAND = ("甲,乙", "1"), ("甲", "乙", "1")


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        (["甲,乙;1"] * 6 + ["乙 2"] * 4, SEMICOLON),
        (["甲,乙;1"] * 5 + ["乙 2"] * 4, BY_HAND),
        (["甲,乙;1"] * 62 + ["乙 2"] * 41, SEMICOLON),
        (["甲,乙;1"] * 61 + ["乙 2"] * 41, BY_HAND),
        (["甲,乙\t1"] * 3, SEMICOLON),
        (["甲,乙;1", "甲,乙,丙;1", "甲;乙;1", "甲,乙,丙;1"], SEMICOLON),
        (["甲,乙;1"] + ["甲" + ",乙" * 9 + ";1"] * 19, ("甲", "乙;1")),
        (["甲" + ",乙" * 10 + "\t1" * 9] * 3, ("甲" + ",乙" * 10,) + ("1",) * 9),
        (["甲,乙;1"] * 200 + ["2"] * 200, SEMICOLON),
        (["甲,乙;1"] * 120 + ["", " "] * 80 + ["2"] * 80, SEMICOLON),
    ],
    ids=[
        "six of ten lines",
        "fewer",
        "six of ten of many",
        "hardly fewer",
        "of two alike the tab",
        "what comes as often in most lines",
        "nine in nearly every line tell more than one in each",
        "ten tell no more than nine",
        "the first two hundred lines",
        "empty lines tell nothing",
    ],
)
def test_what_stands_in_most_lines_separates_the_cells(lines: list[str], first: tuple[str, ...]) -> None:
    assert cells("\n".join(lines))[0] == first


def test_where_every_line_has_another_separator_each_is_divided_by_its_own() -> None:
    lines = ["王小明,1", "李丽;2", "张三、3", "赵四 4", "钱五\t5"]
    assert cells("\n".join(lines)) == [("王小明", "1"), ("李丽", "2"), ("张三", "3"), ("赵四", "4"), ("钱五", "5")]


def test_lines_keep_their_numbers_below_a_blank_beginning_and_marks_and_noughts_go() -> None:
    (row,) = text_sheet("\ufeff\n\nX张\0三,1").rows
    assert (row.line, row.cells) == (3, ("X张三", "1"))
    assert cells("X,\ufeff") == [("X", "\ufeff")]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('姓名,备注\n张三,"x\n李四,y', [("姓名", "备注"), ("张三", "x"), ("李四", "y")]),
        ('姓名,备注\n"张\n三",x', [("姓名", "备注"), ("张\n三", "x")]),
        ('姓名,备注\n张三,"x""y\nz"', [("姓名", "备注"), ("张三", 'x"y\nz')]),
        ('姓名;备注\n"a;b";c', [("姓名", "备注"), ("a;b", "c")]),
        ('姓名,备注\n张三,5" x', [("姓名", "备注"), ("张三", '5" x')]),
        ('姓名,备注\n张三,"a"b', [("姓名", "备注"), ("张三", "ab")]),
        ('姓名|备注\n张三|"x\n李四|y"', [("姓名", "备注"), ("张三", "x"), ("李四", 'y"')]),
    ],
)
def test_quotes_belong_to_a_cell_only_where_they_begin_it_and_end(text: str, rows: list[tuple[str, ...]]) -> None:
    assert cells(text) == rows


def test_a_cell_too_long_for_quotes_is_divided_all_the_same() -> None:
    assert cells(f'张 三,{"x" * 140_000},"a"')[0] == ("张 三", "x" * LONGEST_CELL, '"a"')


def test_a_quotation_may_go_on_for_twenty_lines_and_no_further() -> None:
    within = '姓名,备注\n张三,"' + "\n" * 19 + 'x"\n李四,y'
    assert [row.line for row in text_sheet(within).rows] == [1, 2, 22]
    beyond = '姓名,备注\n张三,"' + "\n" * 20 + 'x"\n李四,y'
    assert [row.line for row in text_sheet(beyond).rows] == [1, 2, 22, 23]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", SheetFault.EMPTY),
        (b" \r\n\t", SheetFault.EMPTY),
        (b"\x00 \t\r\n\x00", SheetFault.EMPTY),
        *[
            (begins + b" ...", SheetFault.NOT_A_TABLE)
            for begins in (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf")
        ],
        (b"x" * (LARGEST_FILE + 1), SheetFault.TOO_LARGE),
    ],
)
def test_what_is_no_table_is_named(data: bytes, fault: SheetFault) -> None:
    with pytest.raises(SheetError) as refused:
        kind_of(data)
    assert (refused.value.fault, str(refused.value)) == (fault, fault.value)


def test_the_largest_file_is_read() -> None:
    assert kind_of(b"x" * LARGEST_FILE) is Kind.TEXT
    assert kind_of(b"XX") is Kind.TEXT


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("姓名", "\ufeff姓名".encode("utf-32-le")),
        ("姓名", "\ufeff姓名".encode("utf-32-be")),
        ("ĀĀa,1", "ĀĀa,1".encode("utf-16-le")),
        ("Ȁa", "Ȁa".encode("utf-16-le")),
        ("ĀĀa,1", "ĀĀa,1".encode("utf-16-be")),
        ("a,1", "a,1".encode("utf-16-le")),
        ("a,1", "a,1".encode("utf-16-be")),
        ("姓名,1", "姓名,1".encode("utf-16-be")),
        ("姓名,1", "姓名,1".encode("utf-16-le")),
    ],
)
def test_text_without_a_mark_is_known_by_where_its_noughts_stand(text: str, bytes_: bytes) -> None:
    assert decoded(bytes_).lstrip("\ufeff") == text


def test_a_web_page_under_a_workbook_s_name_and_bytes_that_are_no_text_are_named() -> None:
    for page in ("<html><table>", "\ufeff<!DOCTYPE html>", '<?xml version="1.0"?><Workbook>'):
        with pytest.raises(SheetError) as refused:
            text_sheet(page)
        assert refused.value.fault is SheetFault.WEB_PAGE
    with pytest.raises(SheetError) as refused:
        decoded(b"\xff\xfe\xfd\xfc\x81")
    assert refused.value.fault is SheetFault.UNKNOWN_TEXT


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(SheetError) as refused:
        text_sheet("张三,1\n" * (MOST_ROWS + 1))
    assert refused.value.fault is SheetFault.TOO_MANY_ROWS
    assert len(text_sheet("张三,1\n" * MOST_ROWS).rows) == MOST_ROWS
    assert len(text_sheet("\n" * 50_000 + "张三,1").rows) == 1


def test_what_is_too_long_or_too_wide_is_cut_and_blanks_around_it_go() -> None:
    long, wide = text_sheet(f"  甲 ,{'x' * 301}\n乙,1").rows[0].cells, text_sheet(",".join("x" * 101)).rows[0].cells
    assert long == ("甲", "x" * LONGEST_CELL)
    assert len(wide) == MOST_COLUMNS
    assert text_sheet("张三,1").name == ""


def test_workbooks_are_known_by_their_first_bytes() -> None:
    assert kind_of(b"PK\x03\x04...") is Kind.WORKBOOK
    assert kind_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") is Kind.WORKBOOK
    assert kind_of("姓名".encode("gbk")) is Kind.TEXT


def test_columns_with_nothing_in_them_go() -> None:
    assert [row.cells for row in without_empty_columns(text_sheet(",张三,,1\n,李四,,2")).rows] == [
        ("张三", "1"),
        ("李四", "2"),
    ]


def test_short_rows_are_filled_up_and_a_sheet_that_has_no_empty_column_stays_as_it_is() -> None:
    ragged = Sheet("甲班", (Row(1, ("a", "", "b")), Row(3, ("c",)), Row(4, ("d", ""))))
    assert without_empty_columns(ragged) == Sheet("甲班", (Row(1, ("a", "b")), Row(3, ("c", "")), Row(4, ("d", ""))))
    for whole in (Sheet("", ()), Sheet("", (Row(1, ("a",)),))):
        assert without_empty_columns(whole) is whole


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        sheet = text_sheet(text)
    except SheetError as refused:
        assert refused.fault is SheetFault.WEB_PAGE
    else:
        assert all(any(row.cells) for row in sheet.rows)
        assert [row.line for row in sheet.rows] == sorted({row.line for row in sheet.rows})


@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused_by_name(data: bytes) -> None:
    try:
        assert isinstance(decoded(data), str)
    except SheetError as refused:
        assert refused.fault is SheetFault.UNKNOWN_TEXT
