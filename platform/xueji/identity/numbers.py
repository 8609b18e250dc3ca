"""Identity numbers of people (GB 11643) and credit codes of organisations (GB 32100), checked digit by digit."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from xueji.identity.rules import plausible_birth
from xueji.kernel.errors import Invalid


def identity_number(given: str, today: date) -> str:
    """Eighteen characters, capital X. Raises Invalid for length, place, birth date or check digit."""
    try:
        number = str(ric.validate(given))
    except ValidationError as error:
        raise Invalid(_("身份证号码有误，请逐位核对。")) from error
    if not plausible_birth(ric.get_birth_date(number), today):
        raise Invalid(_("身份证号码中的出生日期不合理，请核对。"))
    return number


def credit_code(given: str) -> str:
    """Eighteen characters. Raises Invalid."""
    try:
        return str(uscc.validate(given))
    except ValidationError as error:
        raise Invalid(_("统一社会信用代码有误，请逐位核对。")) from error
