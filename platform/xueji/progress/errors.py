"""What may stand between a trainee and her sitting, each with the way out."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _

from xueji.identity.errors import SessionEnded as SignInEnded
from xueji.kernel.errors import Conflict, Invalid, Problem


class LeaseHeld(Conflict):
    type = "sitting-lease-held"
    title = _("您正在另一个页面或设备上学习")
    detail = _("同一时间只能在一处学习。如要在这里继续，请选择“在此继续”，另一处将停止记录。")


class CheckElsewhere(Conflict):
    """Carries ``enrolment_id``, where it waits, and ``free_in_seconds``, after which nobody waits for it any more."""

    type = "check-elsewhere"
    title = _("另一门培训中有一次核验在等您")


class LeaseLost(Conflict):
    type = "sitting-lease-lost"
    title = _("学习已在另一处继续")
    detail = _("这个页面不再记录学时。此前已记录的学时不受影响。")


class SittingEnded(Conflict):
    type = "sitting-ended"
    title = _("这次学习已经结束")
    detail = _("请重新打开课时，从上次的位置继续。")


class SittingClash(Conflict):
    type = "sitting-clash"
    title = _("这个学习编号已用于另一次学习")
    detail = _("请刷新页面后重试。")


class BeatClash(Conflict):
    type = "beat-conflict"
    title = _("同一编号的学习记录前后不一致")
    detail = _("这次提交没有计入，并已如实记录。请刷新页面后继续学习。")


class BeatRefused(Invalid):
    """``extra``: the field that is wrong, and the beat's number."""

    type = "beat-invalid"
    title = _("学习记录的内容有误")


class QuestionNotOpen(Conflict):
    type = "question-not-open"
    title = _("没有等待回答的在场询问")
    detail = _("这次询问已经答复、已被新的询问取代，或不属于这次学习。请以页面当前的提示为准。")


class LessonNotReady(Conflict):
    type = "lesson-not-ready"
    title = _("课时还不能学习")
    detail = _("视频尚未处理完成，请稍后再来，或联系培训机构。")


class OutsideDates(Conflict):
    type = "outside-dates"
    title = _("不在培训班的学习日期内")
    detail = _("请在培训班的起止日期之间学习；如有疑问，请联系培训机构。")


class NotOnline(Conflict):
    type = "not-online"
    title = _("这一课时须线下面授")
    detail = _("实操课时不能在线上学习，请按培训班的安排到场参加。")


class SessionEndedStudying(SignInEnded):
    """The same refusal, heard while studying: what was not sent yet is kept."""

    title = _("登录已失效")
    detail = _("您已退出、登录超时，或在别处登录。请重新登录，未提交的学习记录会自动补交。")

    def __init__(self, **extra: Any) -> None:
        Problem.__init__(self, **extra)
