"""The institution's pages of cohorts, from an empty list to attendance; and what strangers get."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import Browser
from support.school import HOUR, School, id_number, new_member, new_school

from xueji.attendance.models import Attendance, ClassSession
from xueji.cohorts.models import Cohort, CohortAmendment, CohortState
from xueji.enrolment.column_headings import Column, column_of
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.identity.models import Membership
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.clock import FixedClock
from xueji.kernel.context import Context
from xueji.spreadsheets import writing
from xueji.spreadsheets.workbook import sheets


@pytest.fixture
def browser(app: Flask, school: School) -> Browser:
    browser = Browser(app)
    browser.sign_in(school.head.who)
    return browser


def only(school: School, table: type[Any]) -> Any:
    with school.context.database.reading() as session:
        return session.scalars(select(table)).one()


def plan(**changes: Any) -> dict[str, Any]:
    """The form as a browser sends it."""
    today = clock.shanghai_day(clock.now())
    values: dict[str, Any] = {
        "title": "初训第一期",
        "region": "620102",
        "category": "safety_manager",
        "industry": "metal_smelting",
        "training": "initial",
        "subject": "",
        "syllabus": "安全生产管理人员初训大纲",
        "venue": "一号教室",
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=60)).isoformat(),
        "total": "48",
        "theory": "32",
        "practical": "16",
        "online": "0.5",
        "in_person": "47.5",
        "checks_min_gap_ms": "5",
        "checks_max_gap_ms": "15",
        "answer_ms": "60",
        "retries": "2",
        "idle_ms": "300",
        "daily_max_ms": "8",
    }
    return {**values, **changes}


DECLARED = {"post": "safety_manager", "employer": "某冶炼厂", "industry": "metal_smelting"}


def local(instant: datetime) -> str:
    """As a browser sends it."""
    return f"{instant.astimezone(clock.SHANGHAI):%Y-%m-%dT%H:%M}"


@pytest.fixture(autouse=True)
def noon() -> Iterator[FixedClock]:
    """In Shanghai, so that no session of a test reaches over midnight."""
    with clock.fixed(datetime(2026, 11, 21, 4, tzinfo=UTC)) as time:
        yield time


def test_a_cohort_from_draft_to_attendance(school: School, browser: Browser, noon: FixedClock) -> None:
    lesson = school.lesson(HOUR // 2)
    assert "还没有培训班" in browser.get("/cohorts").text
    made = browser.post("/cohorts/new", plan(lessons=str(lesson.id)))
    assert made.status_code == 302, made.text
    cohort: Cohort = only(school, Cohort)
    assert (cohort.online_ms, cohort.in_person_ms) == (HOUR // 2, 48 * HOUR - HOUR // 2)
    page = browser.get(f"/cohorts/{cohort.id}").text
    assert "符合开班条件" in page
    browser.post(f"/cohorts/{cohort.id}/open")
    assert only(school, Cohort).state is CohortState.OPEN

    imported = take_list(browser, cohort, f"{id_number(801)}\t王小明")
    assert imported.location == f"/cohorts/{cohort.id}/slips"
    enrolment: Enrolment = only(school, Enrolment)
    assert "王小明" in browser.get(f"/cohorts/{cohort.id}/trainees").text

    began = clock.now() + timedelta(hours=2)
    form = {"title": "灭火演练", "part": "practical", "place": "操场", "teacher": "刘老师"}
    times = {"began_at": local(began), "ended_at": local(began + timedelta(minutes=45))}
    added = browser.post(f"/cohorts/{cohort.id}/sessions", {**form, **times}, look=f"/cohorts/{cohort.id}/sessions")
    assert added.status_code == 302, added.text
    held: ClassSession = only(school, ClassSession)
    assert held.began_at == began
    roster = f"/sessions/{held.id}"
    noon.advance(timedelta(hours=3))
    browser.sign_in(school.head.who)
    page = browser.get(roster).text
    assert 'value="here"' in page and "checked" not in page, "it begins with nobody chosen"
    state, first, last = (f"{name}-{enrolment.id}" for name in ("state", "from", "to"))
    early = browser.post(roster, {state: "here", first: "13:59", last: "14:45"}, look=roster)
    assert early.status_code == 422
    assert "须在这次课的起止时间之内" in early.text
    assert browser.post(roster, {state: "here", first: "2 o'clock", last: "14:45"}).status_code == 422
    assert browser.post(roster, {}).status_code == 422
    assert browser.post(roster, {state: "here", first: "14:00", last: "14:45"}).status_code == 302
    attendance: Attendance = only(school, Attendance)
    assert attendance.ms == HOUR
    revoked = browser.post(f"/attendance/{attendance.id}/revoke", {"reason": "登记错误"}, look=roster)
    assert revoked.status_code == 302
    assert only(school, Attendance).revoked_reason == "登记错误"
    withdrawn = browser.post(f"/enrolments/{enrolment.id}/withdraw", {"reason": "报错了班"}, look=roster)
    assert withdrawn.status_code == 302
    assert only(school, Enrolment).state is EnrolmentState.WITHDRAWN


def test_an_opening_that_the_rules_refuse_says_what_to_change(school: School, browser: Browser) -> None:
    browser.post("/cohorts/new", plan(online="48", in_person="0"))
    cohort = only(school, Cohort)
    refused = browser.post(f"/cohorts/{cohort.id}/open", look=f"/cohorts/{cohort.id}")
    assert refused.status_code == 422
    assert "不得举办全部为线上的培训班" in refused.text
    assert "第八条" in refused.text
    assert only(school, Cohort).state is CohortState.DRAFT


@pytest.mark.parametrize(
    "changes",
    [
        {"total": "x"},
        {"total": "-1"},
        {"total": "NaN"},
        {"total": "1e99"},
        {"total": "0.0000001"},
        {"category": "emperor"},
        {"region": "62010"},
        {"starts_on": "tomorrow"},
        {"title": ""},
        {"title": "长" * 121},
        {"retries": "11"},
        {"lessons": "not-a-lesson"},
        {"lessons": str(uuid4())},
        {"answer_ms": "1"},
        {"checks_min_gap_ms": "20"},
    ],
)
def test_a_form_that_cannot_be_used_is_shown_again(school: School, browser: Browser, changes: dict[str, Any]) -> None:
    answer = browser.post("/cohorts/new", plan(**changes))
    assert answer.status_code == 422
    with school.context.database.reading() as session:
        assert session.scalar(select(Cohort)) is None


def test_a_place_is_chosen_by_its_name_and_shown_by_it(school: School, browser: Browser) -> None:
    form = browser.get("/cohorts/new").text
    assert '<option selected value="620102">兰州市城关区 620102</option>' in form
    assert form.index('<optgroup label="甘肃省">') < form.index('<optgroup label="北京市">')
    answer = browser.post("/cohorts/new", plan())
    assert "甘肃省兰州市城关区（620102）" in browser.get(answer.location).text


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"total": "48", "online": "20", "theory": "32", "practical": "16", "in_person": "28"},
        {"category": "emperor", "training": "", "starts_on": "x", "ends_on": "0001-01-01", "region": "🙂"},
        {"lessons": ["x", str(uuid4())], "answer_ms": "1", "total": "∞"},
        {"title": "<script>alert(1)</script>"},
    ],
)
def test_figures_follow_whatever_is_typed(browser: Browser, sent: dict[str, Any]) -> None:
    answer = browser.get("/cohorts/figures", query_string=sent)
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_the_share_is_shown_to_the_hundredth(school: School, browser: Browser) -> None:
    sent = plan(online="19.201", in_person="28.799")
    shown = browser.get("/cohorts/figures", query_string=sent).text
    assert "40.00%" in shown
    assert "线上 19 学时" in shown
    assert "请减少线上学时，改为线下面授" in shown


def look_at(browser: Browser, cohort: Cohort, people: str = "", file: tuple[bytes, str] | None = None) -> Any:
    path = f"/cohorts/{cohort.id}/trainees"
    sent: dict[str, Any] = {"people": people, **DECLARED}
    if file is not None:
        sent["file"] = (io.BytesIO(file[0]), file[1])
    return browser.post(path, sent, look=path, content_type="multipart/form-data")


def carried(text: str, act: str = "import", **changes: str) -> dict[str, str]:
    """What the page of a list that was looked at sends on."""
    hidden = re.search(r'name="carried"[^>]* value="([^"]+)"', text)
    assert hidden is not None, text
    selects = re.findall(r'<select[^>]* name="(column_[^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL)
    columns = {name: re.search(r'<option selected value="([^"]*)"', options) for name, options in selects}
    chosen = {name: found.group(1) if found else "" for name, found in columns.items()}
    return {**DECLARED, **chosen, "carried": hidden.group(1), "act": act, **changes}


def take_list(browser: Browser, cohort: Cohort, people: str) -> Any:
    looked = look_at(browser, cohort, people)
    return browser.post(f"/cohorts/{cohort.id}/trainees/import", carried(looked.text))


def enrolled(school: School) -> int:
    with school.context.database.reading() as session:
        return len(session.scalars(select(Enrolment)).all())


def test_a_list_is_looked_at_line_by_line_before_anything_is_written(school: School, browser: Browser) -> None:
    cohort = school.cohort()
    text = f"姓名\t身份证号\n王五\t{id_number(802)}\n<b>x</b>\t{id_number(803)}\n没有号码的人\t\n合计\t2"
    looked = look_at(browser, cohort, text)
    assert looked.status_code == 200
    for said in ("第3行", "第4行", "没有证件号码", "1 行不是学员", "导入 1 人"):
        assert said in looked.text, said
    assert "<b>x</b>" not in looked.text
    assert enrolled(school) == 0
    taken = browser.post(f"/cohorts/{cohort.id}/trainees/import", carried(looked.text))
    assert taken.location == f"/cohorts/{cohort.id}/slips"
    assert enrolled(school) == 1
    again = look_at(browser, cohort, text)
    assert "已在本班，不变" in again.text
    assert 'name="act" value="import"' not in again.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_text_file_is_read_in_the_encoding_it_has(school: School, browser: Browser, encoding: str) -> None:
    cohort = school.cohort()
    data = f"姓名;身份证号码（18位）\r王五;'{id_number(804)}\r".encode(encoding)
    assert "导入 1 人" in look_at(browser, cohort, file=(data, "名单.csv")).text


def test_a_workbook_is_read_and_taken(school: School, browser: Browser) -> None:
    cohort = school.cohort()
    rows = [["1", "虚构甲公司", "王五", id_number(805), "13800000805"], ["合计", "", "", "", ""]]
    data = writing.workbook("名单", ["序号", "单位", "姓名", "身份证号", "联系电话"], rows)
    looked = look_at(browser, cohort, file=(data, "名单.xlsx"))
    assert "13800000805" in looked.text
    assert browser.post(f"/cohorts/{cohort.id}/trainees/import", carried(looked.text)).status_code == 302
    assert enrolled(school) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7", "这不是表格"),
        (b"PK\x03\x04 no workbook", "这不是表格"),
        (b"<html><table></table></html>", "网页格式"),
        (b"   ", "文件是空的"),
    ],
)
def test_a_file_that_is_no_list_is_named_with_the_way_out(
    school: School, browser: Browser, data: bytes, said: str
) -> None:
    answer = look_at(browser, school.cohort(), file=(data, "名单.xlsx"))
    assert answer.status_code == 422
    assert said in answer.text


def test_columns_without_headings_are_shown_as_a_guess_and_can_be_chosen(school: School, browser: Browser) -> None:
    cohort = school.cohort()
    looked = look_at(browser, cohort, f"王五\t赵六\t{id_number(806)}")
    assert "没有表头，请确认各列" in looked.text
    again = browser.post(f"/cohorts/{cohort.id}/trainees/import", carried(looked.text, "look", column_0_name="1"))
    assert again.status_code == 200
    assert enrolled(school) == 0
    browser.post(f"/cohorts/{cohort.id}/trainees/import", carried(again.text))
    assert "赵六" in browser.get(f"/cohorts/{cohort.id}/trainees").text


def test_what_is_carried_is_taken_from_nobody_else_and_nowhere_else(
    app: Flask, context: Context, school: School, browser: Browser
) -> None:
    cohort, other = school.cohort(), school.cohort()
    sent = carried(look_at(browser, cohort, f"姓名\t证件号\n王五\t{id_number(807)}").text)
    assert browser.post(f"/cohorts/{other.id}/trainees/import", sent).status_code == 400
    forged = {**sent, "carried": sent["carried"][:-8] + "AAAAAAA="}
    assert browser.post(f"/cohorts/{cohort.id}/trainees/import", forged).status_code == 400
    colleague = Browser(app)
    colleague.sign_in(new_member(context, school.organisation, Role.INSTITUTION).who)
    path = f"/cohorts/{cohort.id}/trainees"
    assert colleague.post(f"{path}/import", sent, look=path).status_code == 400
    assert enrolled(school) == 0


def test_slips_carry_a_code_each_with_which_she_signs_in_and_can_be_kept_as_a_table(
    app: Flask, school: School, browser: Browser
) -> None:
    cohort = school.cohort()
    take_list(browser, cohort, f"姓名\t证件号\t手机\n王五\t{id_number(808)}\t13800000808")
    path = f"/cohorts/{cohort.id}/slips"
    assert "还没有" in browser.get(path).text
    printed = browser.post(path, look=path).text
    code = re.search(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", printed)
    assert code is not None
    assert "data:image/svg+xml" in printed
    kept = re.search(r'name="carried" value="([^"]+)"', printed)
    assert kept is not None
    table = browser.post(f"{path}/table", {"carried": kept.group(1)})
    assert [row.cells for row in sheets(table.data)[0].rows][1][:3] == ("王五", "13800000808", code.group(1))
    assert "有效至" in browser.get(path).text
    assert "没有需要激活码的学员" in browser.get(browser.post(path, look=path).location).text
    trainee = Browser(app)
    form = {"account": "13800000808", "password": code.group(1)}
    assert trainee.post("/sign-in", form).location.startswith("/sign-in/new-password")


def test_the_list_to_fill_in_is_read_as_it_was_meant(school: School, browser: Browser) -> None:
    cohort = school.cohort()
    given = browser.get(f"/cohorts/{cohort.id}/trainees/template")
    assert given.mimetype == writing.MEDIA_TYPE
    (row,) = sheets(given.data)[0].rows
    assert [column_of(heading) for heading in row.cells] == [
        (column, True) for column in (Column.NAME, Column.NUMBER, Column.TELEPHONE, Column.EMPLOYER, Column.EARLIER)
    ]


def test_another_institutions_pages_are_not_found(app: Flask, context: Context, school: School) -> None:
    cohort, draft = school.cohort(), school.draft()
    _member, enrolment = school.trainee(cohort)
    stranger = Browser(app)
    stranger.sign_in(new_school(context).head.who)
    for path in ("", "/edit", "/trainees", "/sessions"):
        assert stranger.get(f"/cohorts/{cohort.id}{path}").status_code == 404
    for path in (
        f"/cohorts/{draft.id}/open",
        f"/cohorts/{draft.id}/discard",
        f"/cohorts/{cohort.id}/close",
        f"/enrolments/{enrolment.id}/withdraw",
    ):
        assert stranger.post(path, {"reason": "x"} if "enrolments" in path else {}, look="/cohorts").status_code == 404
    answer = stranger.post(
        f"/cohorts/{cohort.id}/trainees", {"people": f"{id_number(803)} 王五", **DECLARED}, look="/cohorts"
    )
    assert answer.status_code == 404
    assert only(school, Enrolment).state is EnrolmentState.ACTIVE


@pytest.mark.parametrize("role", [Role.TRAINEE])
def test_others_have_no_such_pages(app: Flask, context: Context, school: School, role: Role) -> None:
    cohort = school.cohort()
    other = Browser(app)
    other.sign_in(new_member(context, school.organisation, role).who)
    for path in ("/cohorts", "/cohorts/new", f"/cohorts/{cohort.id}", "/courses"):
        assert other.get(path).status_code == 403
    assert Browser(app).get("/cohorts").status_code == 302


def test_an_open_cohort_is_edited_no_more(school: School, browser: Browser) -> None:
    cohort = school.cohort()
    assert browser.get(f"/cohorts/{cohort.id}/edit").status_code == 409
    assert browser.post(f"/cohorts/{cohort.id}/edit", plan(), look="/cohorts").status_code == 409
    assert browser.post(f"/cohorts/{cohort.id}/open", look="/cohorts").status_code == 409
    assert browser.post(f"/cohorts/{cohort.id}/discard", look="/cohorts").status_code == 409
    assert browser.post(f"/cohorts/{cohort.id}/close", look="/cohorts").status_code == 302


def test_hours_that_are_no_decimal_fraction_survive_the_editor(school: School, browser: Browser) -> None:
    """A film of 90 s is a thirtieth of a class hour."""
    draft = school.draft(school.lesson(90_000), online_ms=90_000, in_person_ms=48 * HOUR - 90_000)
    path = f"/cohorts/{draft.id}/edit"
    page = browser.get(path).text
    shown = dict(re.findall(r'name="(online|in_person)"[^>]* value="([\d.]+)"', page))
    assert shown == {"online": "0.0333333", "in_person": "47.9666667"}
    assert browser.post(path, plan(**shown)).status_code == 302
    kept: Cohort = only(school, Cohort)
    assert (kept.online_ms, kept.in_person_ms) == (90_000, 48 * HOUR - 90_000)


def test_a_mistake_in_an_open_cohort_is_put_right_over_the_pages(
    app: Flask, context: Context, school: School, browser: Browser
) -> None:
    cohort = school.cohort(school.lesson())
    form = {
        "title": cohort.title, "syllabus": cohort.syllabus, "venue": "二号教室",
        "ends_on": (cohort.ends_on - timedelta(days=1)).isoformat(),
        "industry": cohort.industry, "subject": cohort.subject or "", "reason": "地点填错",
    }  # fmt: skip
    page = f"/cohorts/{cohort.id}/amend"
    refused = browser.post(page, form, look=page)
    assert refused.status_code == 422 and "请结班" in refused.text
    assert browser.post(page, {**form, "ends_on": cohort.ends_on.isoformat()}, look=page).status_code == 302
    other = Browser(app)
    other.sign_in(new_member(context, school.organisation, Role.INSTITUTION, "周老师").who)
    with context.database.writing() as session:
        session.execute(update(Membership).values(since=clock.now() - timedelta(days=9)))
    shown = other.get("/amendments").text
    assert "由“一号教室”改为“二号教室”" in shown and "地点填错" in shown
    asked = only(school, CohortAmendment)
    assert browser.post(f"/amendments/{asked.id}/confirm", look="/amendments").status_code == 404
    assert other.post(f"/amendments/{asked.id}/confirm", look="/amendments").status_code == 302
    assert only(school, Cohort).venue == "二号教室"
    assert "已更正" in browser.get("/amendments").text
