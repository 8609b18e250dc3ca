"""The one place where a refusal becomes an answer: problem+json (RFC 9457) for programs, a page for people."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from xueji.kernel.errors import Conflict, Malformed, Problem, TooLarge, Unavailable
from xueji.web.session import sign_in_page

log = structlog.get_logger(__name__)

_SAME: dict[int | None, type[Problem]] = {400: Malformed, 413: TooLarge}
"""What the framework refuses for a reason of which we have a kind of our own."""
_TITLES = {
    404: lambda: _("没有找到"),
    405: lambda: _("不支持这种操作"),
    415: lambda: _("不支持这种格式"),
    429: lambda: _("操作过于频繁"),
}


def wants_json() -> bool:
    if request.path.startswith(("/api/", "/log/", "/media/", "/witness/", "/metrics", "/healthz", "/readyz")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def answer(status: int, kind: str, title: str, detail: str = "", extra: dict[str, Any] | None = None) -> AnyResponse:
    """A refusal in the form the caller reads, with the number under which the log has it."""
    if wants_json():
        body = {"type": kind, "title": title, "status": status, "detail": detail, **(extra or {})}
        if status >= 500:
            body["reference"] = g.get("request_id", "")
        response: Response = jsonify(body)
        response.status_code = status
        response.content_type = "application/problem+json"
        return response
    if status == 401:
        # What was sent by a form cannot be gone back to.
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for(sign_in_page(), next=back))
    page = render_template("web/error.html", status=status, title=title, detail=detail, reference=g.get("request_id"))
    return Response(page, status)


def validation_problem(error: ValidationError) -> AnyResponse:
    """Each unusable field by name; nothing of the input is repeated."""
    fields = [{"field": ".".join(str(part) for part in item["loc"]), "problem": item["msg"]} for item in error.errors()]
    named = "；".join(f"{item['field']}: {item['problem']}" for item in fields[:5])
    return answer(422, "invalid", _("填写的内容有误"), named, {"errors": fields})


def init_errors(app: Flask) -> None:
    @app.errorhandler(Problem)
    def _problem(problem: Problem) -> AnyResponse:
        response = answer(problem.status, problem.type, str(problem.title), str(problem.detail), problem.extra)
        if problem.status in (429, 503):
            response.headers["Retry-After"] = str(problem.extra.get("retry_after", 5))
        return response

    @app.errorhandler(ValidationError)
    def _invalid(error: ValidationError) -> AnyResponse:
        return validation_problem(error)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> AnyResponse:
        if error.code is not None and error.code < 400:
            return error.get_response()
        if error.code in _SAME:
            return _problem(_SAME[error.code]())
        status = error.code or 500
        title = _TITLES.get(status, lambda: _("操作没有完成"))()
        # Werkzeug's own sentences are English and for programs; the page says what to do in the reader's language.
        detail = (error.description or "") if wants_json() else ""
        response = answer(status, (error.name or "error").lower().replace(" ", "-"), title, detail)
        if status == 405 and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return response

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> AnyResponse:
        log.error("database.unavailable", error=str(error.orig))
        return _problem(Unavailable())

    @app.errorhandler(IntegrityError)
    def _at_once(error: IntegrityError) -> AnyResponse:
        """Two asked for what only one can have, at the same moment; who asks again is told how it stands."""
        log.warning("database.conflict", error=str(error.orig))
        return _problem(Conflict(_("有人同时进行了同样的操作，请重试。")))

    @app.errorhandler(DataError)
    def _unstorable(error: DataError) -> AnyResponse:
        log.warning("database.unstorable", error=str(error.orig))
        return _problem(Malformed())

    @app.errorhandler(Exception)
    def _unforeseen(error: Exception) -> AnyResponse:
        log.exception("request.failed", path=request.path)
        return answer(
            500,
            "internal",
            _("服务器出错了"),
            _("我们已记录这个问题。请先看看刚才的操作是否已经生效，再决定是否重试。"),
        )
