"""What oversight refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Conflict, Invalid


class FindingOver(Conflict):
    type, title = "finding-over", _("这个问题已不能这样处理")
    detail = _("它已被答复或关闭。请刷新页面查看当前状态。")


class DeadlinePast(Invalid):
    type, title = "deadline-past", _("整改期限须在今天之后")


class DeadlineNotLater(Invalid):
    type, title = "deadline-not-later", _("新的整改期限须晚于原来的期限")


class NobodyToDraw(Invalid):
    type, title = "nobody-to-draw", _("没有可抽取的学员")
    detail = _("所选范围内没有学员。请换一个机构或培训班。")


class TooManyToDraw(Invalid):
    """Carries ``limit``."""

    type, title = "too-many-to-draw", _("范围过大")
    detail = _("一次抽取的范围不能超过十万人，请缩小到一个机构或培训班。")


class NotAnInspector(Invalid):
    type, title = "not-an-inspector", _("这个账号不是检查员")
    detail = _("请填写检查员本人的账号；检查员账号由平台管理员登记。不能授权给自己。")


class InspectionTooLong(Invalid):
    type, title = "inspection-too-long", _("授权时间过长")
    detail = _("一次最多三十天，从今天算起；到期后可以再授权。")


class AlreadyInspecting(Conflict):
    type, title = "already-inspecting", _("这名检查员已经可以查看这个班")
    detail = _("到期或结束以后可以再授权。")
