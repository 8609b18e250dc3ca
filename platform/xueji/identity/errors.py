"""What identity refuses, and how it says so."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.identity.rules import SessionEnd
from xueji.identity.wording import END_SENTENCE
from xueji.kernel.errors import Conflict, Forbidden, Invalid, Malformed, Problem, TooMany, Unauthorised


class SignedOut(Unauthorised):
    """There is no token, or none that this installation made."""

    detail = _("请登录后继续。")


class SessionEnded(Unauthorised):
    """``extra["reason"]`` is one of `rules.SessionEnd`."""

    type, title = "session-ended", _("登录已结束")

    def __init__(self, reason: str | None) -> None:
        known = reason or SessionEnd.SIGNED_OUT
        super().__init__(END_SENTENCE[known], reason=known)


class WrongPassword(Unauthorised):
    """The same for a wrong password and an unknown account."""

    type, title, detail = "wrong-password", _("登录失败"), _("账号或密码不正确。")


class Suspended(Forbidden):
    """Said only to somebody who knows the password."""

    type, title, detail = "suspended", _("账号已停用"), _("请联系您的单位或平台管理员。")


class NoMembership(Forbidden):
    """She may sign in and acts for nobody, so there is nothing to do here."""

    type, title = "no-membership", _("账号不属于任何单位")
    detail = _("请联系您的单位或平台管理员。")


class WrongCode(Unauthorised):
    """A code of the second factor that is not the one of now, or was used before."""

    type, title = "wrong-code", _("验证码不正确")
    detail = _("请输入验证器当前显示的六位数字；每个验证码只能使用一次。")


class CodeNeeded(Unauthorised):
    """By the interface: the account has a second factor, and no code came along."""

    type, title, detail = "code-needed", _("需要验证码"), _("该账号启用了两步验证，请同时提交验证码。")


class SetUpNeeded(Forbidden):
    """What is missing can be done on the sign-in page only: a new password, or a second factor."""

    type, title = "set-up-needed", _("请先完成首次设置")


class CodeLapsed(Forbidden):
    """Said only to somebody who knows the code."""

    type, title = "code-lapsed", _("激活码已过期")
    detail = _("请向发给您激活码的单位索取新的激活码。")


class LockedOut(TooMany):
    """Too many failed sign-ins from this place."""

    type, title = "locked-out", _("账号已暂时锁定")


class Forged(Malformed):
    """A form that was not sent from this installation's own pages, or too old a page."""

    type, title = "csrf", _("页面已过期")
    detail = _("页面打开太久，或请求不是从本站页面发出的。请刷新后重试。")


class PasswordRefused(Invalid):
    """A new password that is not good enough; the detail says why."""

    type, title = "password-refused", _("不能使用这个密码")


class AlreadyTaken(Conflict):
    """Something that stands once, as an account name, belongs to somebody."""

    type, title = "already-taken", _("已被使用")


class AnotherName(Conflict):
    """The identity number is known under another name: a slip in one of the two, for a person to settle."""

    type, title = "another-name", _("姓名与身份证号码不符")


class ConsentNeeded(Conflict):
    """Before a picture of a face is taken she must have agreed."""

    type, title = "consent-needed", _("需要先同意人脸核验")
    detail = _("采用人脸核验前，请先阅读并同意单独的告知书；也可以选择现场核验，效力相同。")


class ConsentOutdated(Conflict):
    """She agreed to a text that has been replaced since."""

    type, title, detail = "consent-outdated", _("告知书已更新"), _("请重新阅读最新版本的告知书。")


class EnoughPhotos(Conflict):
    """No more than `MOST_REFERENCE_PHOTOS` stand at a time."""

    type, title, detail = "enough-photos", _("登记照片已满三张"), _("请先删除一张，再上传新的。")


class PhotoDecided(Conflict):
    """Somebody decided about the photo meanwhile."""

    type, title, detail = "photo-decided", _("这张登记照片已有人处理"), _("请刷新页面，查看现在的结果。")


class AnotherPersonNeeded(Conflict):
    """Who decided about a photo does not turn the decision round."""

    type, title = "another-person-needed", _("须由另一位工作人员处理")
    detail = _("自己作出的决定，自己不能更改。请由另一位工作人员核对后更改。")


class PhotoUnusable(Invalid):
    """``extra["problems"]`` names what is wrong with the picture."""

    type, title = "photo-unusable", _("这张照片不能用作登记照片")


class SecondPersonNeeded(Conflict):
    """This account is reset by two people."""

    type, title = "second-person-needed", _("需要另一人确认")
    detail = _("该账号已由本人启用，或属于工作人员，重置须由另一人确认。请先提交申请。")


class ResetOver(Conflict):
    """The request was decided, or has lapsed."""

    type, title, detail = "reset-over", _("申请已处理或已过期"), _("请刷新页面查看；如仍需重置，请重新申请。")


class CorrectionOver(Conflict):
    """The request was decided, or has lapsed."""

    type, title = "correction-over", _("申请已处理或已过期")
    detail = _("请刷新页面查看；如仍需更正，请重新申请。")


class NumberHeld(Conflict):
    """Said only to those who may know who holds it."""

    type, title = "number-held", _("该证件号码已有档案")
    detail = _("同一个人有两份档案的，请申请合并，不要更正号码。")


class JoiningOver(Conflict):
    """The request was decided, or has lapsed."""

    type, title, detail = "joining-over", _("申请已处理或已过期"), _("请刷新页面查看；如仍需处理，请重新申请。")


class NotJoinable(Conflict):
    """Two files that cannot be one person's, or are joined already."""

    type, title = "not-joinable", _("这两份档案不能合并")


class JoinedAccount(Conflict):
    """The account of a file that was joined to another is not restored by itself."""

    type, title = "joined-account", _("档案已合并，账号不能单独恢复")
    detail = _("经两人认定为同一人的档案，请先在“档案合并”页面申请分开。")


class FactorStanding(Conflict):
    """A second factor stands already."""

    type, title, detail = "second-factor-standing", _("两步验证已启用"), _("如需更换设备，请先停用。")


class AdministratorThere(Conflict):
    """The first administrator is made once."""

    type, title = "administrator-there", _("平台已有管理员")
    detail = _("请由现有的平台管理员登录后登记新的管理员；如果都无法登录，请使用 xueji admin recover。")


class Erased(Problem):
    """The person's key is gone: what it protected cannot be read by anybody any more."""

    type, status, title, detail = "erased", 410, _("已删除"), _("该人员的个人信息已依法删除。")
