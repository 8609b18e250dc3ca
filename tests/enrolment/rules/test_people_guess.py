"""Columns by their headings and, where there are none, by what stands in them; and what no line of a table is."""

from __future__ import annotations

import pytest

from xueji.enrolment.column_headings import Column, column_of
from xueji.enrolment.people_table import (
    BadLine,
    PassedOver,
    People,
    about_people,
    guessed,
    headed,
    likeness,
    looks_like_number,
    people,
    read,
    slim,
)
from xueji.spreadsheets.rules import Row, Sheet

A, B, C = "620102199001011017", "620102199001011025", "620102199001011033"
NAME, NUMBER, TELEPHONE = Column.NAME, Column.NUMBER, Column.TELEPHONE
EMPLOYER, ACCOUNT, EARLIER = Column.EMPLOYER, Column.ACCOUNT, Column.EARLIER


def sheet(*rows: str, name: str = "") -> Sheet:
    """Rows of cells that are divided by ``|``."""
    return Sheet(name, tuple(Row(line, tuple(row.split("|"))) for line, row in enumerate(rows, 1)))


def listed(*rows: str) -> People:
    return people([read(sheet(*rows))])


# ---- headings


@pytest.mark.parametrize(
    ("heading", "says"),
    [
        ("姓名", (NAME, True)),
        ("（姓名）", (NAME, True)),
        ("姓名（必填）", (NAME, True)),
        ("身份证号码（18位）", (NUMBER, True)),
        ("员工姓名及班组", (NAME, False)),
        ("姓名" + "甲" * 22, (NAME, False)),
        ("姓名" + "甲" * 23, None),
        ("", None),
        ("——", None),
    ],
)
def test_a_heading_says_it_alone_or_among_other_words(heading: str, says: tuple[Column, bool] | None) -> None:
    assert column_of(heading) == says


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("姓名|身份证号", {NAME: 0, NUMBER: 1}),
        ("姓名|姓名|身份证号", {NAME: 0, NUMBER: 2}),
        ("员工姓名及班组|姓名|身份证号", {NAME: 1, NUMBER: 2}),
        ("姓名|员工姓名及班组|身份证号", {NAME: 0, NUMBER: 2}),
        ("组长姓名及班组|员工姓名及班组|身份证号", {NAME: 0, NUMBER: 2}),
        ("姓名|电话", {NAME: 0, TELEPHONE: 1}),
        ("电话|身份证号", {TELEPHONE: 0, NUMBER: 1}),
    ],
)
def test_of_two_headings_that_say_the_same_the_first_counts_unless_only_the_other_says_nothing_else(
    heading: str, columns: dict[Column, int]
) -> None:
    assert headed(sheet("名册", heading)) == (1, columns)


@pytest.mark.parametrize("row", ["姓名", "身份证号", "电话|单位名称", "名册"])
def test_one_heading_alone_or_none_of_a_person_are_no_headings(row: str) -> None:
    assert headed(sheet(row)) is None


def test_headings_stand_among_the_first_thirty_lines() -> None:
    titles = [f"第{n}行" for n in range(30)]
    assert headed(sheet(*titles[:29], "姓名|身份证号")) == (29, {NAME: 0, NUMBER: 1})
    assert headed(sheet(*titles, "姓名|身份证号")) is None


def test_where_headings_leave_the_name_out_it_is_guessed_below_them_and_confirmed_by_a_person() -> None:
    reading = read(sheet("名册", "身份证号|备考|电话", f"{A}|张三|13800000001", f"{B}|李四|13800000002"))
    assert reading.columns == {NUMBER: 0, TELEPHONE: 2, NAME: 1}
    assert (reading.first, reading.headings) == (2, False)
    assert [line.name for line in people([reading]).lines] == ["张三", "李四"]


def test_what_a_person_chose_holds_and_nothing_is_guessed_beside_it() -> None:
    rows = sheet("身份证号|甲|乙|电话", f"{A}|张三|王五|13800000001")
    reading = read(rows, {NAME: 2, NUMBER: 0})
    assert (reading.columns, reading.first, reading.headings) == ({NAME: 2, NUMBER: 0}, 1, False)
    assert read(sheet("姓名|身份证号", f"张三|{A}")).headings is True


# ---- what stands in a cell


@pytest.mark.parametrize(
    ("cell", "is_one"),
    [
        (A, True),
        ("62010219900101101x", True),
        ("620102 19900101 1017", True),
        ("620102900101101", True),
        ("6.20102E+17", True),
        ("6.2E17", True),
        ("6.2E+14", True),
        ("6.2E+13", False),
        ("6.2E+20", False),
        ("3.5", False),
        ("13800000001", False),
        (A + "1", False),
        ("张三", False),
        ("", False),
    ],
)
def test_what_must_be_an_identity_number_whole_mistyped_or_destroyed(cell: str, is_one: bool) -> None:
    assert looks_like_number(cell) is is_one


@pytest.mark.parametrize(
    ("column", "cell", "much"),
    [
        (NAME, "张三", 1.0),
        (NAME, "欧阳娜仁", 1.0),
        (NAME, "娜仁花", 0.5),
        (NAME, "娜仁王", 0.5),
        (NAME, "张三李四王", 0.1),
        (NAME, "买买提·吐尔逊", 1.0),
        (NAME, "Maria Example", 0.3),
        (NAME, "Example", 0.1),
        (NAME, "A" * 15 + " " + "b" * 14, 0.3),
        (NAME, "A" * 15 + " " + "b" * 15, 0.0),
        (NAME, "张", 0.0),
        (NAME, "张3", 0.0),
        (NAME, "男女", 0.5),
        (NAME, "高中", 0.0),
        (NAME, "虚构公司", 0.0),
        (NAME, "低压电工", 0.1),
        (NUMBER, A, 1.0),
        (NUMBER, "620102199001", 0.6),
        (NUMBER, "62010219900", 0.0),
        (NUMBER, A + "12", 0.6),
        (NUMBER, A + "123", 0.0),
        (NUMBER, "张三", 0.0),
        (TELEPHONE, "13800000001", 1.0),
        (TELEPHONE, "0431-0000", 0.0),
        (EMPLOYER, "虚构甲公司", 1.0),
        (EMPLOYER, "张三", 0.0),
        (ACCOUNT, "zhang.san", 1.0),
        (ACCOUNT, "Zhang", 1.0),
        (ACCOUNT, "12345", 0.0),
        (ACCOUNT, "ab", 0.0),
    ],
)
def test_how_much_a_cell_looks_like_what_a_column_says(column: Column, cell: str, much: float) -> None:
    assert likeness(column, cell) == much


@pytest.mark.parametrize(
    ("column", "fits", "other", "fewest"),
    [
        (NUMBER, A, "甲", (1, 5)),
        (TELEPHONE, "13800000001", "1", (1, 2)),
        (EMPLOYER, "虚构甲公司", "1", (3, 5)),
        (ACCOUNT, "zhang", "1", (3, 10)),
    ],
)
def test_a_guess_needs_enough_cells_that_look_like_it(
    column: Column, fits: str, other: str, fewest: tuple[int, int]
) -> None:
    many, of = fewest
    without = dict.fromkeys(set(Column) - {column}, 99)
    assert guessed(sheet(*[fits] * many, *[other] * (of - many)).rows, without) == {column: 0}
    assert guessed(sheet(*[fits] * many, *[other] * (of - many + 1)).rows, without) == {}


def test_the_average_of_the_filled_cells_decides_then_how_many_differ() -> None:
    rows = sheet("张三|娜仁花", "|托娅娜", "|其其格").rows
    assert guessed(rows, {NUMBER: 9})[NAME] == 0
    alike = sheet("张三|李四", "张三|王五").rows
    assert guessed(alike, {}) == {NAME: 1}
    assert guessed((), {}) == {}


def test_the_guess_looks_at_the_first_two_hundred_lines() -> None:
    late = [f"{number}|x" for number in ["甲"] * 200 + [A] * 800]
    assert NUMBER not in guessed(sheet(*late).rows, {})
    assert guessed(sheet(*late[40:]).rows, {})[NUMBER] == 0


# ---- sheets


def test_a_sheet_with_headings_alone_is_about_people_and_so_is_one_with_numbers_alone() -> None:
    empty, bare, notes = sheet("姓名|身份证号"), sheet(f"张三|{A}"), sheet("请勿修改")
    assert about_people([notes, empty, bare]) == [empty, bare]
    assert about_people([notes, sheet("说明")]) == [notes]
    assert about_people([]) == []


def test_columns_that_nobody_asks_for_are_left_out_where_headings_say_which_these_are() -> None:
    whole = sheet("序号|性别|姓名|民族|身份证号", f"1|男|张三|汉族|{A}", "|女", "合计|1")
    assert slim(read(whole)).rows == (
        Row(1, ("序号", "姓名", "身份证号")), Row(2, ("1", "张三", A)), Row(4, ("合计",)),
    )  # fmt: skip
    bare = sheet(f"张三|男|{A}")
    assert slim(read(bare)) is bare


# ---- lines


def test_a_line_has_every_value_in_its_one_spelling() -> None:
    table = "姓名|身份证号|单位名称|证书编号|用户名|电话"
    (line,) = listed(table, f"张 三|{A}|虚构 甲 公司|Ｔ123|＇zhang|138 0000 0001").lines
    assert (line.name, line.number, line.employer, line.earlier) == ("张三", A, "虚构甲公司", "T123")
    assert (line.account, line.telephone, line.lost) == ("zhang", "138 0000 0001", False)


def test_titles_above_the_headings_of_every_sheet_are_passed_over_by_name() -> None:
    sheets = [
        sheet("甲班", "2026年", "姓名|身份证号", f"{who}|{number}", name=who)
        for who, number in (("张三", A), ("李四", B))
    ]
    assert people([read(each) for each in sheets]).passed == tuple(
        (who, line, PassedOver.REMARK) for who in ("张三", "李四") for line in (1, 2)
    )


def test_the_heading_again_is_passed_over_and_half_of_it_is_not() -> None:
    found = listed("姓名|身份证号", f"张三|{A}", "姓名|身份证号", "姓名")
    assert found.passed == (("", 3, PassedOver.HEADING_AGAIN),)
    assert [(line.line, why) for line, why in found.faults] == [(4, BadLine.NO_NUMBER)]


@pytest.mark.parametrize(
    ("row", "becomes"),
    [
        ("合计|1", PassedOver.REMARK),
        ("合计王|1234567", PassedOver.REMARK),
        ("合计王|12345678", "a line"),
        ("共|12|人", PassedOver.REMARK),
        ("||某某", PassedOver.REMARK),
        ("张三||", BadLine.NO_NUMBER),
        (f"|{A}|", BadLine.NO_NAME),
        (f"李四|{C}|", BadLine.TWICE),
        (f"王五|{C}|", PassedOver.SAME_AGAIN),
    ],
)
def test_what_is_no_line_about_anybody_and_why(row: str, becomes: object) -> None:
    found = listed("姓名|身份证号|备考", f"王五|{C}|", row)
    outcomes: list[str] = [*(why for _sheet, _line, why in found.passed), *(why for _line, why in found.faults)]
    outcomes += ["a line" for line in found.lines if line.line == 3]
    assert outcomes == [becomes]


def test_two_whose_numbers_a_spreadsheet_destroyed_are_two() -> None:
    found = listed("姓名|身份证号", "张三|6.20102E+17", "李四|6.20102E+17")
    assert [(line.name, line.lost) for line in found.lines] == [("张三", True), ("李四", True)]
    assert found.faults == ()


@pytest.mark.parametrize(("rounded", "honest", "lost"), [(1, 0, 0), (2, 8, 0), (3, 0, 3), (3, 12, 3), (3, 13, 0)])
def test_three_in_fifteen_that_end_in_noughts_are_a_spreadsheet_s_doing(rounded: int, honest: int, lost: int) -> None:
    rows = [f"王五|62010219900{n:04d}000" for n in range(101, 101 + rounded)]
    rows += [f"王五|62010219900101{n:03d}1" for n in range(100, 100 + honest)]
    assert sum(line.lost for line in listed("姓名|身份证号", *rows).lines) == lost
