"""A pasted table of trainees: all of it or nothing."""

from __future__ import annotations

import pytest
from school_for_tests import School, id_number, new_school
from sqlalchemy import func, select

from xueji.enrolment.errors import ImportRefused, NothingToImport, TooManyLines
from xueji.enrolment.models import Cohort, Enrolment
from xueji.enrolment.rules import BadLine
from xueji.enrolment.services.trainees import Imported, import_trainees
from xueji.identity.models import Account, Person
from xueji.identity.services.passwords import fits
from xueji.kernel.context import Context
from xueji.kernel.errors import NotFound


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


@pytest.fixture
def cohort(school: School) -> Cohort:
    return school.cohort()


def paste(school: School, cohort: Cohort, text: str) -> Imported:
    return import_trainees(school.context, actor=school.staff, cohort_id=cohort.id, text=text)


def count(school: School, table: type[Person] | type[Enrolment]) -> int:
    with school.context.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_new_people_get_accounts_and_known_ones_keep_theirs(school: School, cohort: Cohort) -> None:
    before = count(school, Person)
    text = f"身份证号\t姓名\t手机号\n{id_number(901)}\t张三\t13800000000\n{id_number(902)}\t李四"
    imported = paste(school, cohort, text)
    assert imported.enrolled == 2
    assert count(school, Person) == before + 2
    assert imported.accounts[0].account == "13800000000"
    with school.context.database.reading() as session:
        accounts = {account.account: account for account in session.scalars(select(Account))}
    for made in imported.accounts:
        assert accounts[made.account].password_is_temporary
        assert fits(made.password, accounts[made.account].password_hash)
    again = paste(school, school.cohort(), text)
    assert (again.enrolled, again.accounts) == (2, ())
    assert count(school, Person) == before + 2


def test_one_bad_line_and_nobody_is_enrolled(school: School, cohort: Cohort) -> None:
    paste(school, cohort, f"{id_number(910)} 张三 zhangsan")
    people, enrolments = count(school, Person), count(school, Enrolment)
    wrong_digit = id_number(911)[:-1] + ("0" if id_number(911)[-1] != "0" else "1")
    lines = [
        f"{id_number(912)} 王五",
        f"{wrong_digit} 王五",
        f"{id_number(910)} 李四",
        f"{id_number(910)} 张三",
        "王五",
        f"{id_number(913)} 王五 zhangsan",
        f"{id_number(914)} 王五 same1",
        f"{id_number(915)} 王五 same1",
        f"{id_number(916)} 王",
        f"{id_number(917)} 王五 a1",
    ]
    with pytest.raises(ImportRefused) as refused:
        paste(school, cohort, "\n".join(lines))
    assert refused.value.refused == [
        (2, BadLine.BAD_NUMBER),
        (3, BadLine.OTHER_NAME),
        (4, BadLine.TWICE),
        (5, BadLine.NOT_A_PERSON),
        (6, BadLine.ACCOUNT_TAKEN),
        (8, BadLine.ACCOUNT_TAKEN),
        (9, BadLine.BAD_NAME),
        (10, BadLine.BAD_ACCOUNT),
    ]
    with pytest.raises(ImportRefused) as refused:
        paste(school, cohort, f"{id_number(918)} 王五\n{id_number(910)} 张三")
    assert refused.value.refused == [(2, BadLine.ALREADY_ENROLLED)]
    assert (count(school, Person), count(school, Enrolment)) == (people, enrolments)


def test_nothing_and_too_much_are_refused(school: School, cohort: Cohort) -> None:
    with pytest.raises(NothingToImport):
        paste(school, cohort, "身份证号\t姓名\n\n")
    with pytest.raises(TooManyLines):
        paste(school, cohort, "\n".join(f"62010219900101{n:04d} 王五" for n in range(201)))


def test_into_another_institutions_cohort_nobody_is_imported(school: School, cohort: Cohort) -> None:
    stranger = new_school(school.context)
    before = count(school, Person)
    with pytest.raises(NotFound):
        import_trainees(school.context, actor=stranger.staff, cohort_id=cohort.id, text=f"{id_number(920)} 王五")
    assert count(school, Person) == before
