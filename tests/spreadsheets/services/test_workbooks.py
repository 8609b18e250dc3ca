"""Workbooks are read by a child: what comes back, and that a hostile one ends the child and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import psutil
import pytest
import xlsxwriter

from xueji.spreadsheets import workbook, writing
from xueji.spreadsheets.rules import Row, SheetError, SheetFault
from xueji.spreadsheets.workbook import WorkbookReader


@pytest.fixture(scope="module")
def reader() -> Iterator[WorkbookReader]:
    made = WorkbookReader()
    yield made
    made.end()


def book(fill: object) -> bytes:
    written = io.BytesIO()
    made = xlsxwriter.Workbook(written, {"in_memory": True})
    fill(made)  # type: ignore[operator]
    made.close()
    return written.getvalue()


def test_numbers_dates_and_merged_cells_come_as_a_reader_means_them(reader: WorkbookReader) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet, merged = made.add_worksheet("花名册"), made.add_format()
        sheet.merge_range(2, 1, 2, 4, "学员花名册", merged)
        sheet.write_row(3, 1, ["单位", "姓名", "身份证号", "电话"])
        sheet.merge_range(4, 1, 5, 1, "虚构甲公司", merged)
        sheet.write_row(4, 2, ["张三", "620102199001010014"])
        sheet.write_number(4, 4, 13800000001)
        sheet.write_string(5, 2, "李四")
        sheet.write_number(5, 3, 620102199001010014)
        sheet.write_formula(5, 4, '="138"&"00000002"', None, "13800000002")
        made.add_worksheet("空")
        hidden = made.add_worksheet("字典")
        hidden.write_string(0, 0, "高中")
        hidden.hide()

    (sheet,) = reader.read(book(fill))
    assert sheet.name == "花名册"
    assert sheet.rows == (
        Row(3, ("学员花名册", "", "", "")),
        Row(4, ("单位", "姓名", "身份证号", "电话")),
        Row(5, ("虚构甲公司", "张三", "620102199001010014", "13800000001")),
        Row(6, ("虚构甲公司", "李四", "6.20102199001010E+17", "13800000002")),
    )


def test_two_cells_far_apart_and_a_bomb_are_refused_by_name_and_the_next_is_read(reader: WorkbookReader) -> None:
    def far(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        sheet.write_string(0, 0, "姓名")
        sheet.write_string(1_048_575, 16_383, "x")

    def one(made: xlsxwriter.Workbook) -> None:
        made.add_worksheet().write_string(0, 0, "姓名")

    bomb = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(one))) as honest, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for name in honest.namelist():
            text = honest.read(name)
            if name == "xl/sharedStrings.xml":
                text = text.replace("姓名".encode(), b"x" * 900_000_000)
            made.writestr(name, text)
    assert len(bomb.getvalue()) < 2_000_000
    for data in (book(far), bomb.getvalue()):
        with pytest.raises(SheetError) as refused:
            reader.read(data)
        assert refused.value.fault is SheetFault.TOO_COSTLY
    assert reader.read(book(one))[0].rows == (Row(1, ("姓名",)),)


def test_a_cell_at_the_end_of_the_sheet_is_no_reason_to_refuse(reader: WorkbookReader) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["姓名", "身份证号"])
        sheet.write_blank(1_048_575, 16_383, None, made.add_format({"bold": True}))
        sheet.write_string(200_000, 1, "x")

    assert [row.line for row in reader.read(book(fill))[0].rows] == [1, 200_001]


@pytest.mark.parametrize(
    ("data", "fault"),
    [(b"PK\x03\x04", SheetFault.DAMAGED), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), SheetFault.NOT_A_TABLE)],
)
def test_what_is_no_workbook_is_named(reader: WorkbookReader, data: bytes, fault: SheetFault) -> None:
    with pytest.raises(SheetError) as refused:
        reader.read(data)
    assert refused.value.fault in (fault, SheetFault.NOT_A_TABLE)


def test_ten_thousand_people_are_read_at_once(reader: WorkbookReader) -> None:
    rows = [[str(n), "虚构冶炼有限公司", "张三", "620102199001010014", "13800000001", *"abcde"] for n in range(10_000)]
    (sheet,) = reader.read(writing.workbook("名单", list("ABCDEFGHIJ"), rows))
    assert len(sheet.rows) == 10_001
    many = [["x"]] * 20_001
    with pytest.raises(SheetError) as refused:
        reader.read(writing.workbook("名单", ["A"], many))
    assert refused.value.fault is SheetFault.TOO_MANY_ROWS


def test_the_child_may_write_nothing_and_has_little_memory(reader: WorkbookReader) -> None:
    reader.read(writing.workbook("名单", ["A"], []))
    process = psutil.Process(reader.pid)
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_AS)[0] <= process.memory_info().vms + workbook.MEMORY_BYTES


def test_what_is_written_for_people_is_text_and_runs_as_nothing() -> None:
    data = writing.workbook("账号条", ["姓名"], [["=1+1"], ["013800000001"]])
    assert [row.cells for row in workbook.sheets(data)[0].rows] == [("姓名",), ("=1+1",), ("013800000001",)]
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert b"<f>" not in made.read("xl/worksheets/sheet1.xml")
