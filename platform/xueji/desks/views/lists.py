"""What the desks' lists of trainees have in common: their accounts, their words and their tables to take along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import gettext as _

from xueji.desks import wording
from xueji.enrolment.wording import ENROLMENT_STATE
from xueji.hours import wording as hours_wording
from xueji.hours.queries import statements_of
from xueji.hours.rules import Statement
from xueji.identity.wording import ROUTE
from xueji.oversight import wording as finding_wording
from xueji.oversight.trainee_lines import TraineeLine
from xueji.proctoring import wording as check_wording
from xueji.web import csv_export
from xueji.web.session import db


def statements(lines: list[TraineeLine]) -> dict[UUID, Statement | None]:
    """Each line's account by enrolment, worked out now; None for one that cannot be read."""
    return statements_of(db(), [line.enrolment_id for line in lines])


def trainee_table(lines: list[TraineeLine], name: str) -> Response:
    """The same lines as a file called ``name``; amounts are seconds, exact to the millisecond."""
    columns = [
        _("姓名"),
        _("身份证号码"),
        _("培训机构"),
        _("培训班"),
        _("线上已确认（秒）"),
        _("等核验（秒）"),
        _("先不算（秒）"),
        _("线下（秒）"),
        _("合计（秒）"),
        _("总学时（秒）"),
        _("学时已满"),
        _("规则版本"),
    ]
    of_line = statements(lines)
    rows = [_row(line, of_line[line.enrolment_id]) for line in lines]
    return csv_export.download(name, columns, rows)


def _row(line: TraineeLine, statement: Statement | None) -> list[object]:
    who: list[object] = [line.name_masked, line.id_number_masked, line.institution, line.cohort]
    if statement is None:
        return [*who, *[""] * 8]
    in_person = statement.in_person.theory_ms + statement.in_person.practical_ms
    online = statement.online
    amounts = (
        online.counted_ms,
        online.provisional_ms,
        online.held_ms,
        in_person,
        statement.totals.delivered_ms,
        statement.syllabus.total_ms,
    )
    return [*who, *map(csv_export.seconds, amounts), _("是") if statement.complete else _("否"), statement.rulebook]


def words() -> dict[str, Any]:
    """What templates say codes with."""
    return {
        "words": hours_wording,
        "check_words": check_wording,
        "own_words": wording,
        "finding_words": finding_wording,
        "routes": ROUTE,
        "states": ENROLMENT_STATE,
    }
