"""A list of trainees: looked at as a whole, taken line by line, and the codes for those who are new."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.school import School, declared, id_number, new_member, new_school

from xueji.cohorts.errors import CohortNotOpen
from xueji.cohorts.models import Cohort
from xueji.enrolment.errors import NothingToImport, TooManyLines
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration
from xueji.enrolment.people_table import BadLine, People, Remark, people, read
from xueji.enrolment.services import trainees
from xueji.enrolment.services.importing import Imported, Looked, look, take
from xueji.identity import services as identity
from xueji.identity.errors import CodeLapsed, WrongPassword
from xueji.identity.models import Account, AccountAct, Person
from xueji.identity.rules import FIRST_CODE_LASTS, SessionKind, SignInStep
from xueji.identity.services import Needed
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.errors import NotFound
from xueji.rulebook.vocabulary import Training
from xueji.spreadsheets import reading
from xueji.trace.rules import Event


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


@pytest.fixture
def cohort(school: School) -> Cohort:
    return school.cohort()


def listed(text: str) -> People:
    return people([read(reading.text_sheet(text))])


def looked(school: School, cohort: Cohort, text: str) -> Looked:
    return look(school.context, actor=school.staff, cohort_id=cohort.id, people=listed(text), declared=declared(cohort))


def taken(school: School, cohort: Cohort, text: str, seconds: float = 60.0) -> Imported:
    return take(
        school.context,
        actor=school.staff,
        cohort_id=cohort.id,
        people=listed(text),
        declared=declared(cohort),
        seconds=seconds,
    )


def count(school: School, table: type[Person] | type[Enrolment]) -> int:
    with school.context.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def accounts(school: School) -> dict[str, Account]:
    with school.context.database.reading() as session:
        return {account.account: account for account in session.scalars(select(Account))}


def test_new_people_get_accounts_known_ones_keep_theirs_and_the_same_list_changes_nothing(
    school: School, cohort: Cohort
) -> None:
    before = count(school, Person)
    text = f"身份证号\t姓名\t手机号\n{id_number(901)}\t张三\t13800000000\n{id_number(902)}\t李四"
    first = taken(school, cohort, text)
    assert (first.enrolled, first.new, first.left, first.bad) == (2, 2, 0, ())
    assert count(school, Person) == before + 2
    assert "13800000000" in accounts(school)
    people_then, enrolments_then = count(school, Person), count(school, Enrolment)
    again = looked(school, cohort, text)
    assert (len(again.good), len(again.bad), len(again.enrolled)) == (0, 0, 2)
    same = taken(school, cohort, text)
    assert (same.enrolled, same.new, same.left) == (0, 0, 0)
    assert (count(school, Person), count(school, Enrolment)) == (people_then, enrolments_then)
    elsewhere = taken(school, school.cohort(), text)
    assert (elsewhere.enrolled, elsewhere.new) == (2, 0)
    assert count(school, Person) == people_then


def test_every_line_is_named_with_its_error_and_nothing_is_written(school: School, cohort: Cohort) -> None:
    taken(school, cohort, f"姓名\t证件号码\t账号\n张三\t{id_number(910)}\tzhangsan\n钱七\t{id_number(909)}\t")
    people_then, enrolments_then = count(school, Person), count(school, Enrolment)
    digit = "0" if id_number(911)[-1] != "0" else "1"
    text = "\n".join(
        [
            "姓名\t证件号码\t账号",
            f"王五\t{id_number(912)}\t",
            f"王五\t{id_number(911)[:-1]}{digit}\t",
            f"钱九\t{id_number(909)}\t",
            f"张三\t{id_number(910)}\t",
            "没有身份证的人\t\t",
            f"\t{id_number(913)}\t",
            f"王五\t{id_number(914)}\tzhangsan",
            f"王五\t{id_number(915)}\tsame1",
            f"王五\t{id_number(916)}\tsame1",
            f"王\t{id_number(917)}\t",
            f"<b>粗体</b>\t{id_number(918)}\t",
            f"虚构冶炼有限公司\t{id_number(919)}\t",
            f"王五\t{id_number(920)}\t101",
            "王五\t6.20102E+17\t",
            f"赵六\t{id_number(912)}\t",
        ]
    )
    found = looked(school, cohort, text)
    assert [(each.line.line, each.why) for each in found.bad] == [
        (3, BadLine.BAD_NUMBER),
        (4, BadLine.OTHER_NAME),
        (6, BadLine.NO_NUMBER),
        (7, BadLine.NO_NAME),
        (8, BadLine.ACCOUNT_TAKEN),
        (10, BadLine.ACCOUNT_TAKEN),
        (11, BadLine.BAD_NAME),
        (12, BadLine.BAD_NAME),
        (13, BadLine.BAD_NAME),
        (14, BadLine.BAD_ACCOUNT),
        (15, BadLine.NUMBER_LOST),
        (16, BadLine.TWICE),
    ]
    assert [each.line.line for each in found.good] == [2, 9]
    assert [line.line for line in found.enrolled] == [5]
    assert (count(school, Person), count(school, Enrolment)) == (people_then, enrolments_then)
    imported = taken(school, cohort, text)
    assert (imported.enrolled, len(imported.bad)) == (2, 12)
    assert count(school, Person) == people_then + 2


def test_a_name_that_differs_is_shown_beside_the_one_on_file_to_her_own_institution_only(
    school: School, cohort: Cohort
) -> None:
    taken(school, cohort, f"张三 {id_number(921)}")
    (bad,) = looked(school, cohort, f"张珊 {id_number(921)}").bad
    assert (bad.known_as, bad.person_id is not None) == ("张三", True)
    stranger = new_school(school.context)
    answered = looked(stranger, stranger.cohort(), f"张珊 {id_number(921)}")
    assert (len(answered.good), answered.bad) == (1, ()), "elsewhere it is a number like any new one"


@pytest.mark.parametrize(
    "written",
    ["买买提·吐尔逊", "买买提•吐尔逊", "买买提・吐尔逊", "买买提‧吐尔逊", "买买提．吐尔逊", "买买提 ∙ 吐尔逊"],
)
def test_who_is_known_is_known_however_the_list_spells_her(school: School, cohort: Cohort, written: str) -> None:
    number = id_number(922)
    taken(school, cohort, f"买买提·吐尔逊\t{number}")
    wide = number.translate({ord("0") + n: ord("０") + n for n in range(10)})
    for spelled in (number, wide, f"'{number}", f'="{number}"', f"\ufeff{number[:6]}\u00a0{number[6:]}\u200b"):
        found = looked(school, cohort, f"姓名\t身份证\n{written}\t{spelled}")
        assert (len(found.good), len(found.bad), len(found.enrolled)) == (0, 0, 1), spelled


def test_a_telephone_that_is_somebody_else_s_or_none_keeps_nobody_out(school: School, cohort: Cohort) -> None:
    text = (
        f"姓名\t证件号码\t电话\n张三\t{id_number(930)}\t13800000009\n李四\t{id_number(931)}\t138 0000 0009\n"
        f"王五\t{id_number(932)}\t0431-88880000\n赵六\t{id_number(933)}\t1.38E+10"
    )
    found = looked(school, cohort, text)
    assert [(each.account, each.remark) for each in found.good] == [
        ("13800000009", None),
        ("", Remark.TELEPHONE_SHARED),
        ("", Remark.TELEPHONE_UNUSABLE),
        ("", Remark.TELEPHONE_UNUSABLE),
    ]
    assert taken(school, cohort, text).enrolled == 4


def test_what_the_list_says_of_employer_and_certificate_stands_above_the_form(school: School) -> None:
    cohort = school.cohort(training=Training.REFRESHER)
    text = f"姓名\t证件号码\t单位\t证书编号\n张三\t{id_number(940)}\t另一家冶炼厂\t甘A-0001\n李四\t{id_number(941)}\t\t"
    without = replace(declared(cohort), earlier="")
    found = look(school.context, actor=school.staff, cohort_id=cohort.id, people=listed(text), declared=without)
    assert [(each.line.line, each.why) for each in found.bad] == [(3, BadLine.DECLARATION)]
    take(school.context, actor=school.staff, cohort_id=cohort.id, people=listed(text), declared=without)
    with school.context.database.reading() as session:
        (row,) = session.scalars(select(EnrolmentDeclaration))
    assert (row.employer, row.earlier) == ("另一家冶炼厂", "甘A-0001")


def test_a_long_list_is_taken_in_portions_and_goes_on_where_it_stopped(school: School, cohort: Cohort) -> None:
    text = "姓名,证件号码\n" + "\n".join(f"王五,{id_number(n)}" for n in range(100, 160))
    first = taken(school, cohort, text, seconds=0)
    assert 0 < first.enrolled < 60
    assert first.left == 60 - first.enrolled
    rest = taken(school, cohort, text)
    assert (rest.enrolled, rest.left) == (first.left, 0)


def test_who_withdrew_is_not_enrolled_a_second_time(school: School, cohort: Cohort) -> None:
    taken(school, cohort, f"张三 {id_number(950)}")
    with school.context.database.writing() as session:
        enrolment = session.scalars(select(Enrolment)).one()
        trainees.withdraw(
            session,
            school.context.keyring,
            school.context.events,
            enrolment_id=enrolment.id,
            reason="报错了班",
            actor=school.staff,
        )
    assert [each.why for each in looked(school, cohort, f"张三 {id_number(950)}").bad] == [BadLine.WITHDRAWN]


def test_nothing_too_much_and_a_closed_cohort_are_refused(school: School, cohort: Cohort) -> None:
    with pytest.raises(NothingToImport):
        looked(school, cohort, "身份证号\t姓名\n\n")
    one = listed(f"张三 {id_number(951)}").lines[0]
    many = People(tuple(replace(one, line=n) for n in range(10_001)), (), ())
    with pytest.raises(TooManyLines):
        look(school.context, actor=school.staff, cohort_id=cohort.id, people=many, declared=None)
    draft = school.draft()
    with pytest.raises(CohortNotOpen):
        looked(school, draft, f"张三 {id_number(951)}")


def test_into_another_institutions_cohort_nobody_is_imported(school: School, cohort: Cohort) -> None:
    stranger = new_school(school.context)
    with pytest.raises(NotFound):
        taken(stranger, cohort, f"王五 {id_number(952)}")


def codes(school: School, cohort: Cohort, text: str) -> list[identity.IssuedCode]:
    taken(school, cohort, text)
    with school.context.database.reading() as session:
        ids = list(session.scalars(select(Enrolment.person_id).where(Enrolment.cohort_id == cohort.id)))
    return identity.issue_codes(school.context, person_ids=ids, actor=school.staff)


def sign_in(school: School, account: str, password: str) -> object:
    return identity.pass_password(
        school.context, account=account, password=password, kind=SessionKind.TOKEN, user_agent=""
    )


def test_nobody_signs_in_before_a_code_is_issued_and_the_code_is_the_last_one(school: School, cohort: Cohort) -> None:
    text = f"姓名\t证件号码\t手机\n张三\t{id_number(960)}\t13800000060"
    taken(school, cohort, text)
    for guess in ("", "code$", "13800000060"):
        with pytest.raises(WrongPassword):
            sign_in(school, "13800000060", guess)
    (first,) = codes(school, cohort, text)
    (second,) = codes(school, cohort, text)
    assert first.code != second.code
    with pytest.raises(WrongPassword):
        sign_in(school, "13800000060", first.code)
    typed = second.code.replace("-", " ").upper()
    found = sign_in(school, "13800000060", typed)
    assert isinstance(found, Needed)
    assert found.step is SignInStep.NEW_PASSWORD
    assert second.code not in accounts(school)["13800000060"].password_hash


def test_a_code_lapses_and_is_issued_again(school: School, cohort: Cohort) -> None:
    text = f"姓名\t证件号码\t手机\n张三\t{id_number(961)}\t13800000061"
    (issued,) = codes(school, cohort, text)
    with clock.fixed(clock.now() + FIRST_CODE_LASTS):
        with pytest.raises(CodeLapsed):
            sign_in(school, "13800000061", issued.code)
        with pytest.raises(WrongPassword):
            sign_in(school, "13800000061", issued.code[::-1])
        (again,) = codes(school, cohort, text)
        assert isinstance(sign_in(school, "13800000061", again.code), Needed)
        assert again.lapses_at > issued.lapses_at


def test_no_code_is_issued_for_whoever_has_chosen_a_password_or_is_another_s(school: School, cohort: Cohort) -> None:
    member, _enrolment = school.trainee(cohort)
    assert identity.issue_codes(school.context, person_ids=[member.person.id], actor=school.staff) == []
    stranger = new_school(school.context)
    with pytest.raises(NotFound):
        identity.issue_codes(school.context, person_ids=[member.person.id], actor=stranger.staff)
    colleague = new_member(school.context, school.organisation, Role.INSTITUTION)
    assert identity.issue_codes(school.context, person_ids=[], actor=colleague.actor) == []
    assert timedelta(days=14) >= FIRST_CODE_LASTS


def test_codes_that_are_issued_stand_in_the_log(school: School, cohort: Cohort) -> None:
    codes(school, cohort, f"张三 {id_number(962)}")
    with school.context.database.reading() as session:
        (act,) = session.scalars(select(AccountAct).where(AccountAct.event == Event.PASSWORD_RESET))
    assert act.actor_id == school.head.who.id
