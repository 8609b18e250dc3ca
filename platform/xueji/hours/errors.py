"""What the hours part refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Conflict, Problem


class AccountUnreadable(Problem):
    """The chain is no evidence, or its rulebook is not known here: no figure is better than a wrong one."""

    type, status = "account-unreadable", 500
    title = _("学时暂时无法核算")
    detail = _("学习记录完好，但无法据此得出学时。我们已记录这个问题，请联系平台管理员。")


class NoSuchFlag(Conflict):
    type, title = "no-such-flag", _("没有这项异常")
    detail = _("它可能已经处理，或学时有了变化。请刷新页面再看。")


class SecondClearanceNeeded(Conflict):
    type, title = "clearance-needs-second-person", _("须由第二人确认")
    detail = _("您已提出放行，须由本机构另一位工作人员或监管部门确认。")


class AccountOfAnother(AccountUnreadable):
    """The enrolment is put to another person than the one its chain began with: these hours are shown as nobody's."""

    type = "account-of-another"
    title = _("学时记录与人员不符")
    detail = _("登记的人员与学习轨迹日志中报名时的人员不是同一人，学时不予显示。请联系平台管理员。")


class NobodyToRemind(Conflict):
    type, title = "nobody-to-remind", _("没有需要提醒的学员")
    detail = _("选中的学员都已学满、已退班，或已没有可以补的内容。")
