"""What a check or a check-in refuses, each with the way out."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Conflict, Forbidden, Invalid, Problem, TooLarge


class CheckOver(Conflict):
    type = "check-over"
    title = _("这次核验已经结束")
    detail = _("请继续学习；如对结果有异议，可以申诉。")


class NonceUsed(Conflict):
    type = "check-nonce"
    title = _("这次拍照与当前核验不符")
    detail = _("照片只能用于它被要求的那一次核验。请按页面提示重新拍照。")


class FramesUnusable(Invalid):
    type = "frames-unusable"
    title = _("没有收到可用的照片")


class FrameTooLarge(TooLarge):
    type = "frame-too-large"
    title = _("照片过大")


class CheckInNeeded(Conflict):
    type = "check-in-needed"
    title = _("请先到现场签到")
    detail = _("您选择了现场核验。请到培训机构现场，由工作人员确认本人后开始学习。")


class RouteNotReady(Conflict):
    type = "route-not-ready"
    title = _("请先完成身份核验准备")
    detail = _("人脸核验需要您单独同意并登记至少一张登记照片；也可以选择现场核验，两种方式效力相同。")


class NotOnThisRoute(Conflict):
    type = "not-on-this-route"
    title = _("该学员选择了人脸核验方式")
    detail = _("如要签到，请学员先在“我的账号”中改选现场核验。")


class AlreadyCheckedIn(Conflict):
    type = "already-checked-in"
    title = _("该学员已经在这里签到")
    detail = _("不必再次签到。如要改换地点，请选择新的地点签到，原来的签到随即结束。")


class PlaceUnknown(Invalid):
    type = "place-unknown"
    title = _("请选择本班的上课地点")
    detail = _("签到地点是培训班的面授地点，或已安排的线下课的地点。如要在别处签到，请先安排一次线下课。")


class NobodyHere(Conflict):
    type = "nobody-here"
    title = _("没有在场的学员")
    detail = _("请先为到场的学员签到，再巡查。")


class RoomCodeNeeded(Conflict):
    type = "room-code-needed"
    title = _("请先输入现场验证码")
    detail = _("验证码显示在教室里，每次签到只需输入一次。请在“我的培训”页面输入。")


class RoomCodeWrong(Invalid):
    type = "room-code-wrong"
    title = _("验证码不对")
    detail = _("请按教室里正在显示的六位数字输入，它每五分钟更换一次。")


class CheckInStruck(Conflict):
    type = "check-in-struck"
    title = _("这次签到已经作废")
    detail = _("如果作废有误，可以由另一人写明理由恢复。")


class NotStruck(Conflict):
    type = "check-in-not-struck"
    title = _("这次签到没有作废")
    detail = _("请刷新页面查看当前状态。")


class StruckByYou(Forbidden):
    type = "struck-by-you"
    title = _("须由另一人恢复")
    detail = _("为学员签到的人和作废这次签到的人都不能恢复它。请由另一位工作人员或监管部门处理。")


class StrikeOver(Conflict):
    type = "strike-over"
    title = _("本班学时已结算")
    detail = _("结算以后只有监管部门可以作废或恢复签到。")


class CheckInClosed(Conflict):
    type = "check-in-closed"
    title = _("这次签到已经结束")
    detail = _("如果学员还在现场，请重新为其签到。")


class NothingToContest(Conflict):
    type = "nothing-to-contest"
    title = _("这次核验没有可以申诉的结果")
    detail = _("只有已经得出、且没有通过的核验结果可以申诉。")


class AlreadyContested(Conflict):
    type = "already-contested"
    title = _("这次核验已经申诉过")
    detail = _("培训机构会在规定时间内答复，请留意结果。")


class AlreadySaid(Conflict):
    type = "already-said"
    title = _("您已经这样处理过")
    detail = _("须由另一位工作人员看过后作出同样的结论，才会生效。")


class NotToReview(Conflict):
    type = "not-to-review"
    title = _("这次核验不需要复核")
    detail = _("它还没有结果、已经通过，或已有人作出决定。请刷新页面查看。")


class TooLateToContest(Conflict):
    """Carries ``until``: the first instant at which it was too late."""

    type, title = "too-late-to-contest", _("申诉的期限已过")
    detail = _("核验结果作出后超过规定的天数就不能再申诉。补学期限内仍可以补学这一段。")


class TooLateToReview(Conflict):
    """Carries ``until``: the first instant at which it was too late."""

    type, title = "too-late-to-review", _("复核的期限已过")
    detail = _("结算后超过规定的天数，复核的结论不再计入学时。")


class TooFewToMeasure(Conflict):
    """Carries ``people``, those who agreed and can be measured with, and ``least``."""

    type, title = "too-few-to-measure", _("人数太少，不能校准")

    def __init__(self, people: int, least: int) -> None:
        detail = _(
            "同意校准、有底照、又有通过的核验的学员只有%(people)s人，至少要%(least)s人。学员可以在账号页面自愿同意。",
            people=people,
            least=least,
        )
        super().__init__(detail, people=people, least=least)


class PictureOver(Problem):
    """The years for which the law has it kept are over."""

    type, status = "picture-over", 410
    title = _("照片已按法定期限删除")
    detail = _("培训档案的法定保存期限已满，核验照片依法删除。核验结论、照片的摘要和学时仍在，删除本身也有记录。")
