"""The web application: a list of steps, and whatever the parts bring along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from xueji import probes, web
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import make_celery
from xueji.navigation import init_navigation
from xueji.openapi import SCHEMES, TITLE, VERSION, DescribedApplication
from xueji.parts import PARTS
from xueji.web.access import init_access, public
from xueji.web.api_description import ProblemOut
from xueji.web.assets import init_assets
from xueji.web.built_files import init_built
from xueji.web.cookies import cookie_name
from xueji.web.errors import init_errors, validation_problem
from xueji.web.headers import init_headers
from xueji.web.health import init_health, set_probes
from xueji.web.language import init_language
from xueji.web.logs import init_logs
from xueji.web.method_override import overriding
from xueji.web.metrics import measures
from xueji.web.plain_text import init_plain_text
from xueji.web.request_bodies import init_bodies
from xueji.web.session import init_session
from xueji.web.sockets import announce_to_pages
from xueji.wiring import connect

Step = Callable[[Flask], None]

UNTIL_ACCESS: tuple[Step, ...] = (
    init_logs,
    init_language,
    init_assets,
    init_errors,
    init_headers,
    init_session,
    init_access,
)
"""Before the parts' own steps."""
AFTER_ACCESS: tuple[Step, ...] = (init_plain_text, init_bodies, init_navigation, init_health, init_built)
"""After them: from here on bodies are read. What wraps the application comes last."""


def steps() -> tuple[Step, ...]:
    """All of them, in the order in which they are taken."""
    own = (step for part in PARTS for step in part.steps())
    outer = (step for part in PARTS for step in part.outer_steps())
    return (*UNTIL_ACCESS, *own, *AFTER_ACCESS, *outer)


class Application(DescribedApplication):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook here is a coroutine; asking each one at each request is a twentieth of a beat's cost."""
        return func


def _translations() -> list[Path]:
    folders = [Path(web.__file__).parent, *(part.folder for part in PARTS)]
    return [folder / "translations" for folder in folders if (folder / "translations").is_dir()]


def create_app(settings: Settings | None = None, context: Context | None = None) -> Flask:
    """Open the installation and put its parts together. Nothing is migrated, created or started here."""
    context = context or Context.open(settings or Settings.load())
    web_folder = Path(web.__file__).parent
    app = Application(
        "xueji",
        info=Info(title=TITLE, version=VERSION),
        security_schemes=SCHEMES,
        validation_error_model=ProblemOut,
        doc_ui=False,
        validation_error_callback=validation_problem,
        static_folder=str(web_folder / "static"),
        static_url_path="/static",
        template_folder=str(web_folder / "templates"),
    )
    app.config.update(
        SECRET_KEY=context.keyring.derived("cookies"),
        SESSION_COOKIE_NAME=cookie_name(context.settings, "xueji"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=bool(context.settings.secure_cookies),
        MAX_CONTENT_LENGTH=32 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        BABEL_TRANSLATION_DIRECTORIES=";".join(str(folder) for folder in _translations()),
    )
    proxies = context.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    app.wsgi_app = overriding(app.wsgi_app)  # type: ignore[method-assign,assignment]
    app.jinja_env.undefined = StrictUndefined  # a name that nobody gives a page is an error, not an empty place
    app.extensions["xueji"] = context
    app.add_url_rule("/api/openapi.json", "openapi", public(lambda: app.api_doc))
    make_celery(context.settings)
    connect(context)
    announce_to_pages(context)
    for blueprint in (blueprint for part in PARTS for blueprint in part.blueprints()):
        if isinstance(blueprint, APIBlueprint):
            app.register_api(blueprint)
        else:
            app.register_blueprint(blueprint)
    for step in steps():
        step(app)
    set_probes(app, probes.bound(context))
    for figures in (figures for part in PARTS for figures in part.measures()):
        measures(app).add_source(partial(figures.source, context.database))
    return app
