"""Form fields that the pages of cohorts, trainees and attendance share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, IntegerField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from xueji.identity.forms import StrictForm

# A film lasts so many seconds, which is seldom a decimal fraction of a class hour. So many places are finer than a
# millisecond of any unit in use: what is shown reads back as what it was.
_FINEST = Decimal("0.0000001")
_LONGEST_COUNT = 9
FIRST_DAY, LAST_DAY = date(2021, 1, 1), date(2199, 12, 31)
"""From the first day for which the rulebooks have figures; beyond the last nobody plans."""
NEEDED_FIELD = InputRequired(_("请填写此项。"))


def text_field(label: Any, most: int, *more: Any, needed: bool = True, **keywords: Any) -> StringField:
    """Words of at most so many characters, without the blanks around them."""
    checks = [
        DataRequired(_("请填写此项。")) if needed else Optional(),
        Length(max=most, message=_("内容过长。")),
        *more,
    ]
    return StringField(label, checks, filters=[lambda value: value.strip() if value else value], **keywords)


def choices_of(words: Mapping[Any, Any]) -> list[SelectChoice]:
    """One choice for each value, in words."""
    return [SelectChoice(str(value), word) for value, word in words.items()]


class AmountField(StringField):  # type: ignore[misc]
    """An amount of time written in one unit (class hours, minutes, seconds), kept in whole milliseconds."""

    def __init__(self, label: Any = None, validators: Any = None, *, unit_ms: int = 60_000, **keywords: Any) -> None:
        super().__init__(label, validators, **keywords)
        self.unit_ms = unit_ms

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        units = (Decimal(self.data) / self.unit_ms).quantize(_FINEST)
        return f"{units.normalize():f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            ms = Decimal(text) * self.unit_ms
        except InvalidOperation as error:
            raise ValueError(gettext("请填写数字。")) from error
        if not ms.is_finite() or not 0 <= ms <= 2**31 - 1 or not self._is_whole(ms):
            raise ValueError(gettext("请填写合理的数字，最多三位小数。"))
        self.data = int(ms.to_integral_value())

    def _is_whole(self, ms: Decimal) -> bool:
        """As near to a whole millisecond as what is shown for one."""
        return abs(ms - ms.to_integral_value()) <= self.unit_ms * _FINEST / 2


class CountField(IntegerField):  # type: ignore[misc]
    """A small number. What has more digits than any count is refused before anything compares it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and len(valuelist[0].strip()) > _LONGEST_COUNT:
            self.data = None
            raise ValueError(gettext("请填写数字。"))
        super().process_formdata(valuelist)


class DayField(DateField):  # type: ignore[misc]
    """A date that training may lie on."""

    data: date | None

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and not FIRST_DAY <= self.data <= LAST_DAY:
            self.data = None
            raise ValueError(gettext("日期不在可选范围内。"))


class ReasonForm(StrictForm):
    """Why something is done, in words."""

    reason = text_field(_("原因"), 300)
