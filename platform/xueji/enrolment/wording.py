"""Trainees in a cohort in words: their state, what does not fit of a declaration, and what is wrong in a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from xueji.cohorts.wording import CATEGORY as CATEGORY
from xueji.cohorts.wording import COHORT_STATE as COHORT_STATE
from xueji.cohorts.wording import TRAINING as TRAINING
from xueji.cohorts.wording import industry as industry
from xueji.enrolment.column_headings import Column
from xueji.enrolment.declarations import Misfit
from xueji.enrolment.models import EnrolmentState
from xueji.enrolment.people_table import BadLine, PassedOver, Remark
from xueji.identity.rules import AccountProblem
from xueji.identity.wording import ACCOUNT_PROBLEM as ACCOUNT_PROBLEM
from xueji.identity.wording import INDUSTRY as INDUSTRY
from xueji.spreadsheets.rules import SheetFault

ENROLMENT_STATE: Mapping[EnrolmentState, Any] = {
    EnrolmentState.ACTIVE: _("在读"),
    EnrolmentState.WITHDRAWN: _("已退班"),
}


MISFIT: Mapping[Misfit, Any] = {
    Misfit.POST: _("申报的岗位与本班培训对象不同。"),
    Misfit.INDUSTRY: _("所在单位的行业与本班不同。"),
    Misfit.NOTHING_EARLIER: _("没有以前的培训或证书。"),
}

BAD_LINE: Mapping[BadLine, Any] = {
    BadLine.NO_NUMBER: _("没有证件号码。"),
    BadLine.NO_NAME: _("没有姓名。"),
    BadLine.TWICE: _("与前面的一行证件号码相同，姓名不同。"),
    BadLine.BAD_NUMBER: _("证件号码有误，请逐位核对。"),
    BadLine.NUMBER_LOST: _(
        "表格软件已把这个号码变成近似值，末尾几位丢失了。请把该列设为“文本”格式，重新填写完整的号码。"
    ),
    BadLine.BAD_NAME: _("姓名须为2至40个字，不含数字和符号，也不是单位名称。"),
    BadLine.BAD_ACCOUNT: ACCOUNT_PROBLEM[AccountProblem.NOT_WELL_FORMED],
    BadLine.ACCOUNT_TAKEN: _("该账号已有人使用，请换一个。"),
    BadLine.OTHER_NAME: _("该证件号码已用另一姓名登记。"),
    BadLine.WITHDRAWN: _("曾从本班退班，请在学员名单里恢复，已有的学时会保留。"),
    BadLine.DECLARATION: _("申报内容与本班不符。"),
}


REMARK: Mapping[Remark, Any] = {
    Remark.TELEPHONE_SHARED: _("手机号已是别人的登录账号，将另配账号。"),
    Remark.TELEPHONE_UNUSABLE: _("不是手机号码，不能用来登录，将另配账号。"),
}


PASSED: Mapping[PassedOver, Any] = {
    PassedOver.REMARK: _("没有姓名和证件号码"),
    PassedOver.HEADING_AGAIN: _("表头重复"),
    PassedOver.SAME_AGAIN: _("与前面的一行是同一人"),
}


COLUMN: Mapping[Column, Any] = {
    Column.NAME: _("姓名"),
    Column.NUMBER: _("证件号码"),
    Column.TELEPHONE: _("手机号（登录账号）"),
    Column.ACCOUNT: _("账号"),
    Column.EMPLOYER: _("用人单位"),
    Column.EARLIER: _("证书编号"),
}


TEMPLATE: Mapping[Column, Any] = {
    Column.NAME: _("姓名"),
    Column.NUMBER: _("证件号码"),
    Column.TELEPHONE: _("手机号"),
    Column.EMPLOYER: _("用人单位"),
    Column.EARLIER: _("证书编号"),
}
"""The headings of the list to fill in."""


SHEET_FAULT: Mapping[SheetFault, Any] = {
    SheetFault.EMPTY: _("文件是空的。"),
    SheetFault.NOT_A_TABLE: _("这不是表格。请用 Excel 或 WPS 另存为 .xlsx 或 .csv，也可以复制后粘贴。"),
    SheetFault.WEB_PAGE: _("这个文件其实是网页格式。请用 Excel 或 WPS 打开，另存为 .xlsx 后再上传。"),
    SheetFault.LOCKED: _("这个文件设有密码。请取消密码，另存后再上传。"),
    SheetFault.DAMAGED: _("文件不完整或已损坏。请重新保存后再上传。"),
    SheetFault.UNKNOWN_TEXT: _("看不出文件用的是哪种文字编码。请用 Excel 或 WPS 另存为 .xlsx 后再上传。"),
    SheetFault.TOO_LARGE: _("文件超过8 MB。请删去图片和其他工作表，或分几次上传。"),
    SheetFault.TOO_MANY_ROWS: _("表格超过2万行。请分几次上传。"),
    SheetFault.TOO_COSTLY: _("这个工作簿过于庞大，打不开。请把名单复制到一个新的工作簿，只保留名单，再上传。"),
}


def misfits(found: Iterable[Misfit]) -> str:
    """What does not fit, and what to do."""
    sentences = " ".join(str(MISFIT[each]) for each in found)
    return f"{sentences} {gettext('请改正；确需入班的，请写明理由，理由会列给监管部门。')}"
