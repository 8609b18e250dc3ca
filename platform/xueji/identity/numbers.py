"""Identity numbers of people (GB 11643) and credit codes of organisations (GB 32100), checked digit by digit."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from xueji.identity import spelling
from xueji.identity.rules import plausible_birth
from xueji.kernel.errors import Invalid

LENGTH = 18


def identity_number(given: str, today: date) -> str:
    """Eighteen characters, capital X: of an identity card, or of a residence permit that carries the like.

    Residents of Hong Kong, Macao and Taiwan hold permits whose numbers begin with 81, 82 and 83, foreign permanent
    residents cards whose numbers begin with 9. Length, digits, birth date and check digit decide. The place does not:
    it is where the household was when the number was given, and the county may have had another code when she was born.
    Raises Invalid with what to do.
    """
    number = spelling.number(given)
    _refuse_lost(given)
    if len(number) == 15 and number.isdigit():
        raise Invalid(_("15位的身份证号码已停用，请填写现用身份证上的18位号码。"))
    if len(number) != LENGTH:
        raise Invalid(
            _("证件号码应为18位，这里有%(count)s位，请核对。护照等没有18位号码的证件暂不能登记。", count=len(number))
        )
    if not (number.isascii() and number[:-1].isdigit() and (number[-1].isdigit() or number[-1] == "X")):
        raise Invalid(_("证件号码只含数字，最后一位也可以是X，请核对。"))
    try:
        born = ric.get_birth_date(number)
    except ValidationError as error:
        raise Invalid(_("证件号码第7至14位不是一个日期，请核对。")) from error
    if not plausible_birth(born, today):
        raise Invalid(_("身份证号码中的出生日期不合理，请核对。"))
    if number[-1] != ric.calc_check_digit(number):
        if number.endswith("000"):
            raise Invalid(_("号码末尾的几个0像是表格软件造成的。请把该列设为“文本”格式，重新填写完整的号码。"))
        raise Invalid(_("证件号码的校验位不符，有数字写错了，请逐位核对。"))
    return number


def credit_code(given: str) -> str:
    """Eighteen characters. Raises Invalid."""
    _refuse_lost(given)
    try:
        return str(uscc.validate(spelling.number(given)))
    except ValidationError as error:
        raise Invalid(_("统一社会信用代码有误，请逐位核对。")) from error


def _refuse_lost(given: str) -> None:
    if spelling.is_approximate(given):
        raise Invalid(_("表格软件已把这个号码变成近似值，末尾几位丢失了。请把该列设为“文本”格式，重新填写完整的号码。"))
