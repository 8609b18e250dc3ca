"""What evidence refuse."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Invalid, Unavailable


class NotYetSigned(Unavailable):
    """The log has not signed for the bundle's own closing leaf in time; the leaf stands, a second try is quick."""

    type = "log-not-signed"
    title = _("学习轨迹日志尚未签署")
    detail = _("最新的记录还没有被日志签署，请稍后再试；如持续出现，请联系平台管理员。")


class NoSuchCheckpoint(Invalid):
    """Asked to prove growth since a size the log never had."""

    type = "no-such-size"
    title = _("日志没有过这样的大小")
    detail = _("请填写您所持检查点第二行的数字。")
