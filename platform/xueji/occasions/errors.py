"""Why no check can be asked for in an occasion now, each with the way out."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Conflict


class CheckStillOpen(Conflict):
    type = "check-still-open"
    title = _("还有一次核验没有完成")
    detail = _("请先按页面提示完成它；如果页面没有提示，请继续学习，提示会随下一次记录到达。")


class NoFaceChecks(Conflict):
    type = "no-face-checks"
    title = _("这次学习不用拍照核验")
    detail = _("您采用现场核验，学习时间由工作人员在现场确认。如需确认，请联系现场工作人员。")
