"""Form fields of this part."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from wtforms import StringField


class AmountField(StringField):  # type: ignore[misc]
    """An amount of time written in one unit (class hours, minutes, seconds), kept exactly in milliseconds."""

    def __init__(self, label: Any = None, validators: Any = None, *, unit_ms: int, **keywords: Any) -> None:
        super().__init__(label, validators, **keywords)
        self.unit_ms = unit_ms

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        units = Decimal(self.data) / self.unit_ms
        return f"{units.normalize():f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            ms = Decimal(text) * self.unit_ms
        except InvalidOperation as error:
            raise ValueError(_("请填写数字。")) from error
        if not ms.is_finite() or ms < 0 or ms != ms.to_integral_value() or ms > 2**31 - 1:
            raise ValueError(_("请填写合理的数字，最多三位小数。"))
        self.data = int(ms)
