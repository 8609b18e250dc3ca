"""Chinese first, English second; a choice is kept in a cookie and beats what the browser prefers."""

from __future__ import annotations

from flask import Flask, g, request
from flask_babel import Babel
from flask_babel import get_locale as current_locale

from xueji.kernel import clock
from xueji.web.cookies import cookie_name
from xueji.web.session import context

LANGUAGES = ("zh", "en")
COOKIE = "language"
SHORT_MOMENT = "yyyy-MM-dd HH:mm"
"""In lists and tables, in either language: 11/12/26 would be read in two ways."""

LONG_MOMENT = "yyyy-MM-dd HH:mm:ss"
"""The same to the second; the clock has twenty-four hours in either language."""


def chosen_language() -> str:
    if not request:
        return "zh"
    asked = request.cookies.get(cookie_name(context().settings, COOKIE))
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES, default="zh") or "zh"


def init_language(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    babel = Babel(app, locale_selector=chosen_language)
    babel.date_formats["datetime.short"] = SHORT_MOMENT
    babel.date_formats["datetime.medium"] = LONG_MOMENT
    babel.date_formats["time.short"], babel.date_formats["time.medium"] = "HH:mm", "HH:mm:ss"
    app.jinja_env.globals["this_moment"] = clock.now
    app.jinja_env.filters["moment"] = clock.from_ms  # epoch ms, for the filters that write dates

    @app.context_processor
    def _language() -> dict[str, object]:
        return {"language": str(current_locale() or "zh"), "languages": LANGUAGES, "request_id": g.get("request_id")}
