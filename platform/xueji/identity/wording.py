"""The words on screen for identity's codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from xueji.identity.rules import (
    AccountProblem,
    OrganisationKind,
    PhotoStanding,
    ProofRoute,
    ResetKind,
    SessionEnd,
    SessionKind,
    SignInStep,
)
from xueji.kernel.actor import Role
from xueji.rulebook.industries import UNKNOWN
from xueji.trace.rules import Event

ROLE: Mapping[Role, Any] = {
    Role.TRAINEE: lazy_pgettext("role", "学员"),
    Role.INSTITUTION: _("培训机构"),
    Role.ENTERPRISE: _("生产经营单位"),
    Role.REGULATOR: _("监管部门"),
    Role.ADMINISTRATOR: _("平台管理员"),
    Role.INSPECTOR: _("检查员"),
}

DEMONSTRATED: Mapping[str, tuple[Any, str]] = {
    "trainee1": (_("已经签到，没有摄像头也能学：试着拖动、快进，看看学时怎么算。"), "/training"),
    "trainee2": (_("用摄像头核验：先登记照片，故意失败一次，再补学回来。"), "/training"),
    "trainee3": (_("刚报名、还没开始学的人。"), "/training"),
    "institution": (_("等待复核的核验和申诉、各班学员的学时。"), "/review"),
    "enterprise": (_("本单位的人学到哪里，谁还差什么。"), "/people"),
    "regulator": (_("回放一次学习，下载证据包，离线核验；逾期的整改。"), "/oversight"),
    "inspector": (_("只看得到监管部门授权的一个班，到期自动结束。"), "/inspections"),
    "regulator2": (_("另一个省的监管部门：只看得到本地的班。"), "/oversight"),
    "admin": (_("平台运行得怎样，账号怎样管理。"), "/installation"),
}
"""What there is to see for the accounts of a demonstration, and where it begins."""

ACCOUNT_PROBLEM: Mapping[AccountProblem, Any] = {
    AccountProblem.LOST: _("表格软件已把这个账号变成近似值。请把该列设为“文本”格式，重新填写。"),
    AccountProblem.IDENTITY_NUMBER: _("请不要用证件号码作账号，可用手机号码。"),
    AccountProblem.NOT_WELL_FORMED: _("账号须为手机号码，或3至64个字母、数字和 . _ - @ + 符号，其中至少有一个字母。"),
}
"""Why a new account cannot bear a name."""


ORGANISATION_KIND: Mapping[OrganisationKind, Any] = {
    OrganisationKind.INSTITUTION: _("培训机构"),
    OrganisationKind.ENTERPRISE: _("生产经营单位"),
    OrganisationKind.AUTHORITY: _("监管部门"),
    OrganisationKind.OPERATOR: _("平台运营单位"),
}


ROUTE: Mapping[ProofRoute, Any] = {ProofRoute.FACE: _("人脸核验"), ProofRoute.SUPERVISED: _("现场核验")}


SESSION_KIND: Mapping[SessionKind, Any] = {SessionKind.COOKIE: _("浏览器"), SessionKind.TOKEN: _("程序接口")}


END_SENTENCE: Mapping[str, Any] = {
    SessionEnd.SIGNED_OUT: _("您已退出登录。"),
    SessionEnd.SIGNED_IN_ELSEWHERE: _("您的账号刚刚在别处登录，这里的登录已结束。若不是您本人，请立即修改密码。"),
    SessionEnd.EXPIRED: _("长时间没有操作，登录已过期，请重新登录。"),
    SessionEnd.PASSWORD_CHANGED: _("密码已更改，请用新密码登录。"),
    SessionEnd.FACTOR_CHANGED: _("两步验证已启用，请用密码和验证码重新登录。"),
    SessionEnd.RESET_BY_OTHERS: _("您的密码或两步验证已由他人重置，请重新登录。若您不知情，请联系监管部门。"),
    SessionEnd.RIGHTS_CHANGED: _("您的角色或单位有变动，请重新登录。"),
    SessionEnd.SUSPENDED: _("账号已停用，请联系您的单位或平台管理员。"),
    SessionEnd.ENDED_BY_OWNER: _("您已从另一处结束了这里的登录。"),
    SessionEnd.SWITCHED: _("您已切换单位。"),
}
"""Why a session is over, for whoever still holds it."""


END: Mapping[str, Any] = {
    SessionEnd.SIGNED_OUT: _("已退出"),
    SessionEnd.SIGNED_IN_ELSEWHERE: _("在别处登录"),
    SessionEnd.EXPIRED: _("已过期"),
    SessionEnd.PASSWORD_CHANGED: _("密码已更改"),
    SessionEnd.FACTOR_CHANGED: _("启用两步验证"),
    SessionEnd.RESET_BY_OTHERS: _("账号被重置"),
    SessionEnd.RIGHTS_CHANGED: _("角色变动"),
    SessionEnd.SUSPENDED: _("账号停用"),
    SessionEnd.ENDED_BY_OWNER: _("由本人结束"),
    SessionEnd.SWITCHED: _("切换单位"),
}
"""The same in two words, for a list."""


ACT: Mapping[str, Any] = {
    Event.ACCOUNT_OPEN: _("登记账号"),
    Event.ACCOUNT_SUSPEND: _("停用账号"),
    Event.ACCOUNT_RESTORE: _("恢复账号"),
    Event.ACCOUNT_UNLOCK: _("解除登录锁定"),
    Event.ACCOUNT_RECOVER: _("由服务器管理者重新启用账号"),
    Event.PASSWORD_CHANGE: _("更改密码"),
    Event.PASSWORD_RESET: _("重置密码"),
    Event.RESET_ASK: _("有人申请重置"),
    Event.RESET_REFUSE: _("拒绝重置申请"),
    Event.CORRECTION_ASK: _("有人申请更正姓名或证件号码"),
    Event.CORRECTION_REFUSE: _("更正申请被拒绝"),
    Event.PERSON_CORRECT: _("姓名或证件号码已更正"),
    Event.JOINING_ASK: _("有人申请合并或分开档案"),
    Event.JOINING_REFUSE: _("拒绝合并或分开档案"),
    Event.FILE_JOIN: _("合并档案"),
    Event.FILE_PART: _("分开档案"),
    Event.FILE_COPY: _("带走个人数据"),
    Event.FACTOR_SET: _("启用两步验证"),
    Event.FACTOR_DROP: _("停用两步验证"),
    Event.ROLE_GIVE: _("添加角色"),
    Event.ROLE_TAKE: _("取消角色"),
}
"""What was done to an account."""


RESET_KIND: Mapping[ResetKind, Any] = {ResetKind.PASSWORD: _("重置密码"), ResetKind.FACTOR: _("重置两步验证")}
PHOTO_STANDING: Mapping[PhotoStanding, tuple[Any, str, str]] = {
    PhotoStanding.UNCONFIRMED: (_("可用，待与证件核对"), "provisional", "hourglass-split"),
    PhotoStanding.ALIKE: (_("可用，与已核对的一致"), "confirmed", "check-circle-fill"),
    PhotoStanding.CONFIRMED: (_("已与证件核对"), "confirmed", "patch-check-fill"),
    PhotoStanding.WAITING: (_("与原有登记照片不像，待核对"), "held", "pause-circle"),
    PhotoStanding.REFUSED: (_("未能确认为本人"), "refused", "x-circle-fill"),
}
"""What a reference photo may be used for: words, tone and icon."""


PURPOSE: Mapping[str, Any] = {
    "own": _("本人查看"),
    "confirm": _("与身份证件核对"),
    "duplicate": _("疑似重复人脸复核"),
    "audit": _("监管审查"),
    "review": _("复核核验结果"),
    "appeal": _("申诉处理"),
    "evidence": _("证据包导出"),
    "calibration": _("本单位校准，由程序比对，无人观看"),
}
"""What a picture was looked at for; a purpose of another part's own is shown as it stands."""


PHOTO_PROBLEM: Mapping[str, Any] = {
    "empty": _("没有收到照片，请重新选择。"),
    "too_many_bytes": _("照片文件过大，请换一张 30 MB 以内的照片，或用手机重新拍一张。"),
    "too_many_pixels": _("照片的像素超出了能处理的范围。请在相机设置里选较小的尺寸，或用手机重新拍一张。"),
    "not_a_picture": _("这不是照片文件，请选择 JPEG、PNG、WebP、HEIC 或 AVIF 格式的照片。"),
    "heic": _(
        "这是 HEIC 照片，这里打不开。请在苹果手机的“设置 - 相机 - 格式”中选“兼容性最佳”后重拍，"
        "或打开照片截一张屏再上传。"
    ),
    "too_many_scans": _("照片的存储方式异常。请用手机或电脑的相机重新拍摄，或另存为普通 JPEG 后再上传。"),
    "too_costly": _("照片无法在规定时间内打开。请换一张小一些的照片，或重新拍摄。"),
    "cut_short": _("照片没有传完整，请重新上传。"),
    "damaged": _("照片文件已损坏，请换一张。"),
    "too_few_pixels": _("照片太小，请用更高的分辨率拍摄。"),
    "no_face": _("没有找到人脸，请正对镜头。"),
    "several_faces": _("照片里不止一个人，请单独拍摄。"),
    "face_too_small": _("脸太小，请靠近镜头。"),
    "face_cut_off": _("脸没有拍全，请把整张脸放进画面。"),
    "too_dark": _("光线太暗，请到明亮处拍摄。"),
    "too_bright": _("光线太强，请避开强光。"),
    "blurred": _("照片模糊，请拿稳后再拍。"),
    "turned_away": _("脸偏向一侧，请正对镜头。"),
    "tilted": _("头歪向一侧，请摆正。"),
    "eyes_closed": _("眼睛闭着，请睁开眼睛。"),
    "mouth_open": _("嘴张开了，请自然闭合。"),
    "face_hidden": _("脸被遮住或方向不对，请摘下口罩，手离开脸，正对镜头，光线从正面来。"),
}
"""What is wrong with a photo and what to do about it, in one sentence."""


STEP_SENTENCE: Mapping[SignInStep, Any] = {
    SignInStep.NEW_PASSWORD: _("这是临时密码，请先在登录页面设置新密码。"),
    SignInStep.CODE: _("该账号启用了两步验证，请同时提交验证码。"),
    SignInStep.SET_UP_CODE: _("工作人员须启用两步验证，请先在登录页面完成设置。"),
}
"""What is still to be done before there is a session, for a program that cannot do it."""

_BROWSERS = (
    ("MicroMessenger", _("微信")),
    ("DingTalk", _("钉钉")),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """``Chrome · Windows``: enough to know one's own devices by; the beginning of what the program calls itself."""
    named = [next((word for mark, word in each if mark in user_agent), None) for each in (_BROWSERS, _SYSTEMS)]
    return " · ".join(str(word) for word in named if word) or user_agent[:30] or "—"


INDUSTRY: Mapping[str, Any] = {
    "coal_mines": _("煤矿"),
    "underground_metal_mines": _("金属非金属地下矿山"),
    "other_non_coal_mines": _("其他非煤矿山"),
    "hazardous_chemical_production": _("危险化学品生产"),
    "hazardous_chemical_trade_storage": _("危险化学品经营、储存"),
    "fireworks": _("烟花爆竹"),
    "other_dangerous_goods": _("其他危险物品的生产、经营、储存"),
    "metal_smelting": _("金属冶炼"),
    "construction": _("建筑施工"),
    "transport": _("道路、水上等运输"),
    "energy_supply": _("电力、热力、燃气和水的供应"),
    "manufacturing": _("其他制造业"),
    "crowded_places": _("商场、宾馆等人员密集场所"),
    "other_industries": _("其他行业"),
    UNKNOWN: _("不清楚（按最严的规定）"),
}
