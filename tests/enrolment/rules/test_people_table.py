"""Headings decide the columns; without them a guess that a person confirms; and no line is dropped unsaid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from xueji.enrolment.column_headings import Column, column_of
from xueji.enrolment.people_table import BadLine, PassedOver, People, about_people, people, read, slim
from xueji.spreadsheets.rules import Row, Sheet, text_sheet


def number(serial: int) -> str:
    body = f"62010219900101{serial:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


A, B, C = number(101), number(102), number(103)


def listed(text: str) -> People:
    return people([read(text_sheet(text))])


def who(text: str) -> list[tuple[str, str, str, str]]:
    return [(line.name, line.number, line.account, line.telephone) for line in listed(text).lines]


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("姓名", Column.NAME),
        ("姓　名", Column.NAME),
        ("学员姓名*", Column.NAME),
        ("Full name", Column.NAME),
        ("身份证号码（18位）", Column.NUMBER),
        ("公民身份号码", Column.NUMBER),
        ("证件号码\n(必填)", Column.NUMBER),
        ("ID number", Column.NUMBER),
        ("I.D. No.", Column.NUMBER),
        ("联系电话", Column.TELEPHONE),
        ("本人手机号码", Column.TELEPHONE),
        ("Mobile", Column.TELEPHONE),
        ("用户名", Column.ACCOUNT),
        ("工作单位（全称）", Column.EMPLOYER),
        ("操作证号", Column.EARLIER),
        ("序号", None),
        ("作业类别", None),
        ("证件类型", None),
        ("身份证有效期", None),
        ("身份证照片", None),
        ("紧急联系人姓名", None),
        ("紧急联系电话", None),
        ("单位负责人", None),
        ("姓名（拼音）", None),
        ("银行账号", None),
        ("", None),
    ],
)
def test_a_heading_says_what_its_column_is(heading: str, column: Column | None) -> None:
    found = column_of(heading)
    assert (found[0] if found else None) is column


@pytest.mark.parametrize(
    "table",
    [
        f"单位\t姓名\t身份证号\n虚构甲公司\t张三\t{A}",
        f"序号,姓名,性别,身份证号码（18位）,文化程度\n101,张三,男,{A},高中",
        f"姓名;紧急联系人姓名;证件号码\n张三;李四;{A}",
        f"Name,Remarks,ID No.\n张三,x,{A}",
        f"2026年第3期花名册\n填报单位：某某   联系电话：0431-0000\n序号\t姓名\t身份证号\n1\t张三\t{A}\n合计\t\t1人",
    ],
)
def test_headings_decide_whatever_stands_above_and_beside(table: str) -> None:
    found = listed(table)
    assert [(line.name, line.number, line.account) for line in found.lines] == [("张三", A, "")]
    assert found.faults == ()


@pytest.mark.parametrize(
    "table",
    [
        f"101\t张三\t{A}\n102\t李四\t{B}",
        f"张三\t低压电工作业\t{A}\n李四\t低压电工作业\t{B}",
        f"虚构甲公司\t张三\t{A}\n虚构甲公司\t李四\t{B}",
        f"{A} 张三\n{B} 李四",
        f"张三 {A}\n{B} 李四",
        f"1、张三、男、{A}、高中\n2、李四、女、{B}、高中",
    ],
)
def test_without_headings_the_guess_takes_no_serial_trade_or_company_for_a_person(table: str) -> None:
    reading = read(text_sheet(table))
    assert not reading.headings
    found = people([reading])
    assert [(line.name, line.number, line.account) for line in found.lines] == [("张三", A, ""), ("李四", B, "")]


def test_a_guess_is_put_right_by_choosing_the_columns() -> None:
    sheet = text_sheet(f"张三\t李四\t{A}")
    chosen = read(sheet, {Column.NAME: 1, Column.NUMBER: 2})
    assert [line.name for line in people([chosen]).lines] == ["李四"]


def test_telephone_and_account_are_told_apart() -> None:
    assert who(f"张三\t{A}\t13800000001\tzhang.san") == [("张三", A, "zhang.san", "13800000001")]


def test_only_the_first_line_of_a_table_is_its_heading_and_no_line_is_dropped_unsaid() -> None:
    found = listed(
        f"姓名\t身份证号\n张三\t{A}\n没有身份证的人\t\n李四 身份证丢失\t\n姓名\t身份证号\n"
        f"\t{B}\n合计\t1\n备注：含退伍\t"
    )
    assert [(line.line, why) for line, why in found.faults] == [
        (3, BadLine.NO_NUMBER),
        (4, BadLine.NO_NUMBER),
        (6, BadLine.NO_NAME),
    ]
    assert [(line, why) for _sheet, line, why in found.passed] == [
        (5, PassedOver.HEADING_AGAIN),
        (7, PassedOver.REMARK),
        (8, PassedOver.REMARK),
    ]
    assert [line.line for line in found.lines] == [2]


def test_a_heading_after_a_person_is_none() -> None:
    found = listed(f"张三\t{A}\n姓名\t身份证号\n李四\t{B}")
    assert [line.line for line in found.lines] == [1, 3]
    assert [(line.line, why) for line, why in found.faults] == [(2, BadLine.NO_NUMBER)]


def test_one_person_in_eight_lines_is_one_and_one_number_under_two_names_is_named() -> None:
    dots = "·•・‧．･∙⋅"
    found = listed("\n".join(f"买买提{dot}吐尔逊\t{A}" for dot in dots) + f"\n别人\t{A}")
    assert [line.name for line in found.lines] == ["买买提·吐尔逊"]
    assert [why for _sheet, _line, why in found.passed] == [PassedOver.SAME_AGAIN] * 7
    assert [why for _line, why in found.faults] == [BadLine.TWICE]


@pytest.mark.parametrize("lost", ["6.20102E+17", "6.2E+17", "6.20102199001010E+17", "620102199001010000.0"])
def test_a_number_that_a_spreadsheet_has_destroyed_is_known_as_lost(lost: str) -> None:
    (line,) = listed(f"姓名\t身份证号\n张三\t{lost}").lines
    assert line.lost


def test_noughts_at_the_end_of_many_numbers_are_a_spreadsheet_s_doing_even_where_the_check_digit_fits() -> None:
    rounded = "\n".join(f"王五{n}\t62010219900{n:04d}000" for n in range(101, 111))
    assert all(line.lost for line in listed(f"姓名\t身份证号\n{rounded}").lines)
    honest = "\n".join(f"王五\t{number(n)}" for n in range(200, 230))
    (first, *others) = listed(f"姓名\t身份证号\n张三\t220102198801101000\n{honest}").lines
    assert not first.lost
    assert not any(line.lost for line in others)


def test_sheets_of_notes_are_passed_over_and_lines_name_their_sheet() -> None:
    notes = Sheet("说明", (Row(1, ("请勿修改表头",)),))
    first = Sheet("一班", (Row(1, ("姓名", "身份证号")), Row(2, ("张三", A))))
    second = Sheet("二班", (Row(3, ("身份证号", "", "姓名")), Row(4, (B, "", "李四")), Row(5, ("12345", "", "王五"))))
    sheets = about_people([notes, first, second])
    assert [sheet.name for sheet in sheets] == ["一班", "二班"]
    found = people([read(sheet) for sheet in sheets])
    assert [(line.sheet, line.line, line.name) for line in found.lines] == [
        ("一班", 2, "张三"),
        ("二班", 4, "李四"),
        ("二班", 5, "王五"),
    ]
    assert about_people([notes]) == [notes]


def test_what_is_carried_on_without_the_other_columns_says_the_same() -> None:
    sheet = text_sheet(
        f"花名册\n序号\t单位\t姓名\t性别\t身份证号\t电话\n1\t甲公司\t张三\t男\t{A}\t13800000001\n合计\t\t1人\t\t\t"
    )
    whole = read(sheet)
    carried = read(slim(whole))
    assert carried.headings
    assert people([carried]).lines == people([whole]).lines
    assert people([carried]).faults == people([whole]).faults


@given(
    st.lists(
        st.lists(st.sampled_from(["张三", A, B, "姓名", "身份证号", "合计", "", "1", "甲公司"]), max_size=4), max_size=8
    )
)
def test_every_line_with_anything_in_it_is_somebody_a_fault_or_passed_over(cells: list[list[str]]) -> None:
    sheet = Sheet("", tuple(Row(n, tuple(row)) for n, row in enumerate(cells, 1) if any(row)))
    reading = read(sheet)
    found = people([reading])
    named = [line.line for line in found.lines] + [line.line for line, _why in found.faults]
    named += [line for _sheet, line, _why in found.passed]
    headings = [sheet.rows[reading.first - 1].line] if reading.first else []
    assert sorted(named + headings) == [row.line for row in sheet.rows]
