"""The forms of the course pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from courses.models import Film
from courses.wording import PART
from xueji.identity.forms import StrictForm
from xueji.rulebook.vocabulary import Part


def _title(label: Any) -> StringField:
    checks = [DataRequired(_("请填写此项。")), Length(max=120, message=_("最多120个字。"))]
    return StringField(label, checks, filters=[lambda value: value.strip() if value else value])


class CourseForm(StrictForm):
    title = _title(_("课程名称"))
    summary = TextAreaField(_("课程简介"), [Length(max=2000, message=_("最多2000个字。"))], render_kw={"rows": 3})


class NewLessonForm(StrictForm):
    title = _title(_("课时名称"))
    part = SelectField(
        _("类别"),
        [DataRequired(_("请填写此项。"))],
        choices=[SelectChoice(part.value, word) for part, word in PART.items()],
        description=_("实操课时只能线下面授，不上传视频。"),
    )

    def chosen_part(self) -> Part:
        return Part(self.part.data)


class LessonForm(NewLessonForm):
    film_id = SelectField(_("视频"))

    def offer(self, films: Iterable[Film]) -> LessonForm:
        """The films to choose from, and none."""
        self.film_id.choices = [
            SelectChoice("", _("暂无视频")),
            *(SelectChoice(str(film.id), film.name) for film in films),
        ]
        return self

    def chosen_film(self) -> UUID | None:
        return UUID(self.film_id.data) if self.film_id.data else None
