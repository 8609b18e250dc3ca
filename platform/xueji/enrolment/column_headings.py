"""What the heading of a column says, in the words that institutions use and in English. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from xueji.identity import spelling


class Column(StrEnum):
    """What a column says of a person."""

    NAME = "name"
    NUMBER = "number"
    TELEPHONE = "telephone"
    ACCOUNT = "account"
    EMPLOYER = "employer"
    EARLIER = "earlier"
    """number of a certificate or licence of before"""


NEEDED = (Column.NAME, Column.NUMBER)


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_IS: Mapping[Column, frozenset[str]] = {
    Column.NAME: _words(
        "姓名 名字 学员 学员姓名 真实姓名 人员姓名 员工姓名 职工姓名 参训人员 参训人员姓名",
        "name fullname realname traineename employeename nameoftrainee nameofemployee studentname workername",
    ),
    Column.NUMBER: _words(
        "身份证 身份证号 身份证号码 公民身份号码 居民身份证号码 居民身份证 身份号码 证件号 证件号码 证号 身份证件号码",
        "idnumber idno idcard idcardno idcardnumber identitynumber identitycard identityno nationalid documentnumber",
    ),
    Column.TELEPHONE: _words(
        "手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 移动电话 本人电话",
        "mobile mobilenumber mobileno mobilephone phone phonenumber phoneno telephone telephonenumber tel cellphone",
    ),
    Column.ACCOUNT: _words(
        "账号 帐号 登录账号 登录帐号 登录名 登陆账号 用户名 用户账号 账户",
        "login loginname account accountname username userid",
    ),
    Column.EMPLOYER: _words(
        "单位 单位名称 用人单位 工作单位 所在单位 所属单位 企业 企业名称 公司 公司名称 生产经营单位",
        "employer company companyname organisation organization enterprise",
    ),
    Column.EARLIER: _words(
        "证书编号 证书号 证书号码 原证书编号 原证号 操作证号 操作证编号",
        "特种作业操作证 特种作业操作证号 合格证号 合格证编号",
        "certificatenumber certificateno licencenumber licenceno licensenumber licenseno",
    ),
}
"""Headings, without blanks and signs, that mean just this."""
_SAYS: Mapping[Column, re.Pattern[str]] = {
    Column.NAME: re.compile("姓名|名字|(?:full|real|trainee|employee|student|worker)name"),
    Column.NUMBER: re.compile("身份证|身份号|证件号|证件编号|公民身份|idnumber|idno|idcard|identity(?:number|no|card)"),
    Column.TELEPHONE: re.compile("手机|电话|联系方式|mobile|phone"),
    Column.ACCOUNT: re.compile("登录名|登[录陆][账帐]号|用户名|username|loginname"),
    Column.EMPLOYER: re.compile("单位名称|用人单位|工作单位|所在单位|企业名称|公司名称|employer"),
    Column.EARLIER: re.compile(
        "证书编号|操作证号|操作证编号|合格证号|证书号|certificate(?:number|no)|licen[cs]e(?:number|no)"
    ),
}
"""Headings that mean it among other words: 身份证号码（18位）."""
_OTHERS = re.compile(
    "紧急|监护|家属|父亲|母亲|配偶|联系人|负责人|法人|推荐人|介绍人|拼音|曾用|英文名|类型|类别|种类|有效|期限|日期|地址|照片|"
    "复印|正面|反面|扫描|银行|开户|班主任|教师|签名|签字|"
    "emergency|guardian|contactperson|pinyin|type|expiry|valid|address|photo|bank|teacher"
)
"""Of another person, or of another matter."""
_OTHER_SPELLING = re.compile("拼音|英文|曾用|pinyin")
_BRACKETS = re.compile(r"[（(\[【].*?[）)\]】]")
_SIGNS = re.compile(r"[\W_]+")
_LONGEST = 24


def column_of(heading: str) -> tuple[Column, bool] | None:
    """What a heading says, and whether it says nothing else; None for what is no heading or one nobody asked for."""
    given = spelling.plain(heading)
    plain = _key(_BRACKETS.sub("", given)) or _key(given)
    for column, words in _IS.items():
        if plain in words:
            return None if _OTHER_SPELLING.search(given.casefold()) else (column, True)
    if not plain or len(plain) > _LONGEST or _OTHERS.search(plain):
        return None
    for column, pattern in _SAYS.items():
        if pattern.search(plain):
            return column, False
    return None


def _key(heading: str) -> str:
    return _SIGNS.sub("", heading.casefold())
