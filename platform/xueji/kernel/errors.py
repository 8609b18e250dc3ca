"""The family of refusals. Each is turned into an answer in one place, `xueji.web.errors`."""

from __future__ import annotations

import copyreg
from typing import Any

from flask_babel import lazy_gettext as _


class Problem(Exception):
    """Something was refused. ``type`` is stable, for programs; ``title`` and ``detail`` are for the person."""

    type: str = "problem"
    status: int = 500
    title: Any = _("操作没有完成")
    detail: Any = ""

    def __init__(self, detail: Any = None, **extra: Any) -> None:
        super().__init__(str(self.type))
        if detail is not None:
            self.detail = detail
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        """A refusal may be spoken in one process and worded in another."""
        return copyreg.__newobj__, (type(self),), self.__dict__  # type: ignore[attr-defined]


class Invalid(Problem):
    type, status, title = "invalid", 422, _("填写的内容有误")


class Malformed(Problem):
    type, status, title = "malformed", 400, _("请求的格式有误")


class Unauthorised(Problem):
    type, status, title = "signed-out", 401, _("请先登录")


class Forbidden(Problem):
    type, status, title = "forbidden", 403, _("没有权限")


class NotFound(Problem):
    """Also the answer for what exists but is not this person's to see."""

    type, status, title = "not-found", 404, _("没有找到")
    detail = _("内容不存在，或您无权查看。")


class Conflict(Problem):
    type, status, title = "conflict", 409, _("与当前状态冲突")


class TooLarge(Problem):
    type, status, title = "too-large", 413, _("内容过大")


class TooMany(Problem):
    type, status, title = "too-many", 429, _("操作过于频繁")
    detail = _("请稍候再试。")


class Unavailable(Problem):
    type, status, title = "unavailable", 503, _("服务暂时不可用")
    detail = _("您的记录没有丢失，请稍候再试。")
