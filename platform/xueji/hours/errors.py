"""What the hours part refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Problem


class AccountUnreadable(Problem):
    """The chain is no evidence, or its rulebook is not known here: no figure is better than a wrong one."""

    type, status = "account-unreadable", 500
    title = _("学时暂时无法核算")
    detail = _("学习记录完好，但无法据此得出学时。我们已记录这个问题，请联系平台管理员。")
