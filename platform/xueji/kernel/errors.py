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
    detail = _("请改正后再提交。")


class Malformed(Problem):
    type, status, title = "malformed", 400, _("请求的格式有误")
    detail = _("内容不完整，或含有无法保存的字符。请检查后重新提交。")


class Unauthorised(Problem):
    type, status, title = "signed-out", 401, _("请先登录")
    detail = _("请登录后继续。")


class Forbidden(Problem):
    type, status, title = "forbidden", 403, _("没有权限")
    detail = _("您的账号不能进行这项操作。如果需要，请联系您单位的管理员或平台管理员。")


class NotFound(Problem):
    """Also the answer for what exists but is not this person's to see."""

    type, status, title = "not-found", 404, _("没有找到")
    detail = _("内容不存在，或您无权查看。")


class Conflict(Problem):
    type, status, title = "conflict", 409, _("与当前状态冲突")
    detail = _("请刷新页面，查看当前状态后再试。")


class TooLarge(Problem):
    type, status, title = "too-large", 413, _("内容过大")
    detail = _("请减小内容，或分几次提交。")


class WrongType(Problem):
    """The body is of another type than the one read here."""

    type, status, title = "unsupported-media-type", 415, _("不支持这种格式")
    detail = _("请按接口说明（/api/openapi.json）给出的格式提交。")


class TooMany(Problem):
    type, status, title = "too-many", 429, _("操作过于频繁")
    detail = _("请稍候再试。")


class Unavailable(Problem):
    type, status, title = "unavailable", 503, _("服务暂时不可用")
    detail = _("刚才的操作没有完成，请稍候再试。")
