"""The forms of the cohort pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import (
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from xueji.cohorts.fields import NEEDED_FIELD, choices_of, text_field
from xueji.cohorts.models import Cohort
from xueji.cohorts.wording import CATEGORY
from xueji.enrolment.column_headings import NEEDED, Column
from xueji.enrolment.declarations import LONGEST_EARLIER, LONGEST_EMPLOYER, LONGEST_REASON, Declaration
from xueji.enrolment.people_table import SheetReading
from xueji.enrolment.wording import COLUMN, INDUSTRY
from xueji.identity.forms import StrictForm
from xueji.rulebook.industries import UNKNOWN
from xueji.rulebook.vocabulary import Category


class DeclarationForm(StrictForm):
    """What is declared of everybody in a list."""

    post = SelectField(
        _("岗位"),
        [NEEDED_FIELD],
        choices=choices_of(CATEGORY),
        description=_("以下各项对名单中的每个人都适用；不同的请分批导入。"),
    )
    employer = text_field(_("用人单位"), LONGEST_EMPLOYER)
    industry = SelectField(_("单位所属行业"), [NEEDED_FIELD], choices=choices_of(INDUSTRY))
    earlier = text_field(
        _("以前的培训或证书"),
        LONGEST_EARLIER,
        needed=False,
        description=_("再培训、复审、换证时填写证书编号，或上次培训的机构和日期。"),
    )
    reason = text_field(
        _("不符时的理由"),
        LONGEST_REASON,
        needed=False,
        description=_("岗位、行业与本班不符，或没有以前的培训时须写明；监管部门可以看到。"),
    )

    @staticmethod
    def preset(cohort: Cohort) -> dict[str, Any]:
        """What the form shows at first: somebody whom the cohort is for."""
        return {"post": cohort.category.value, "industry": cohort.industry or UNKNOWN}

    def declared(self) -> Declaration:
        """What is declared of everybody in the list."""
        return Declaration(
            post=Category(self.post.data),
            employer=self.employer.data,
            industry=self.industry.data,
            earlier=self.earlier.data or "",
            reason=self.reason.data or "",
        )


class ImportForm(DeclarationForm):
    """A list of people, as a file or pasted."""

    file = FileField(
        _("名单文件"),
        description=_("Excel 或 WPS 工作簿（.xlsx、.xls），或文本表格（.csv、.txt）；最大8 MB，最多1万人。"),
        render_kw={"accept": ".xlsx,.xls,.xlsb,.ods,.csv,.tsv,.txt"},
    )
    people = TextAreaField(
        _("或者直接粘贴"),
        [Length(max=1_000_000, message=_("内容过长。"))],
        description=_("每人一行：姓名、证件号码，可加手机号（作为新学员的登录账号）。有表头的以表头为准，其他列不读。"),
        render_kw={"rows": 6, "spellcheck": "false", "autocomplete": "off"},
    )


class CarriedForm(DeclarationForm):
    """A list that was looked at, on its way to be taken or looked at again."""

    carried = HiddenField(validators=[NEEDED_FIELD])
    act = StringField()

    @classmethod
    def for_sheets(cls, sheets: Sequence[SheetReading]) -> CarriedForm:
        """With a choice of columns for each sheet that has no headings."""
        fields = {
            column_field(number, column): SelectField(
                COLUMN[column],
                choices=_column_choices(reading),
                default=str(reading.columns.get(column, "")),
            )
            for number, reading in enumerate(sheets)
            if not reading.headings
            for column in Column
        }
        made: CarriedForm = type(cls.__name__, (cls,), fields)()
        for field in made:
            if field.name.startswith("column_") and field.name.endswith(tuple(NEEDED)):
                field.flags.required = True
        return made

    def columns(self, number: int) -> dict[Column, int]:
        """Which column of a sheet says what, as it was chosen."""
        chosen = {column: self[column_field(number, column)].data for column in Column}
        return {column: int(place) for column, place in chosen.items() if place}


def column_field(number: int, column: Column) -> str:
    """Name of the field that says which column of a sheet holds what."""
    return f"column_{number}_{column.value}"


def _column_choices(reading: SheetReading) -> list[SelectChoice]:
    """Each column by its place and the first thing that stands in it."""
    rows = reading.sheet.rows[reading.first : reading.first + 20]
    choices = [SelectChoice("", gettext("没有"))]
    for place in range(max((len(row.cells) for row in rows), default=0)):
        shown = next((row.cells[place] for row in rows if place < len(row.cells) and row.cells[place]), "")
        choices.append(SelectChoice(str(place), gettext("第%(n)s列：%(shown)s", n=place + 1, shown=shown[:30])))
    return choices
