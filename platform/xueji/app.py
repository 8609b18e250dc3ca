"""The web application: a list of steps, and the one place that knows every part."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from werkzeug.middleware.proxy_fix import ProxyFix

from courses import api as courses_api
from courses import views as courses_views
from xueji import probes, web
from xueji.attendance import views as attendance_views
from xueji.cohorts import views as cohorts_views
from xueji.enrolment import views as enrolment_views
from xueji.evidence import api as evidence_api
from xueji.evidence import views as archives_views
from xueji.guide import views as guide_views
from xueji.hours import api as hours_api
from xueji.hours import views as hours_views
from xueji.identity import api as identity_api
from xueji.identity import views as identity_views
from xueji.identity.authentication import init_identity
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import make_celery
from xueji.navigation import init_navigation
from xueji.openapi import SCHEMES, TITLE, VERSION, DescribedApplication
from xueji.oversight import views as oversight_views
from xueji.proctoring import api as proctoring_api
from xueji.proctoring import views as proctoring_views
from xueji.proctoring.metrics import check_figures
from xueji.progress import api as progress_api
from xueji.progress import views as progress_views
from xueji.progress.beat_intake import init_beats
from xueji.progress.beat_middleware import init_beat_middleware
from xueji.progress.media_recording import init_media_recording
from xueji.progress.opening_groups import init_openings
from xueji.trace import api as trace_api
from xueji.trace.metrics import log_figures
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

STEPS: tuple[Callable[[Flask], None], ...] = (
    init_logs,
    init_language,
    init_assets,
    init_errors,
    init_headers,
    init_session,
    init_access,
    init_identity,
    init_plain_text,
    init_bodies,
    init_navigation,
    init_health,
    init_beats,
    init_openings,
    init_media_recording,
    init_built,
    init_beat_middleware,
)


APIS: tuple[APIBlueprint, ...] = (
    evidence_api.blueprint,
    courses_api.blueprint,
    hours_api.blueprint,
    identity_api.blueprint,
    progress_api.blueprint,
    proctoring_api.blueprint,
)
PAGES: tuple[Blueprint, ...] = (
    archives_views.blueprint,
    attendance_views.blueprint,
    cohorts_views.blueprint,
    courses_views.blueprint,
    enrolment_views.blueprint,
    guide_views.blueprint,
    hours_views.blueprint,
    identity_views.blueprint,
    oversight_views.blueprint,
    progress_views.blueprint,
    proctoring_views.blueprint,
    trace_api.blueprint,
)


class Application(DescribedApplication):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook here is a coroutine; asking each one at each request is a twentieth of a beat's cost."""
        return func


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
    )
    proxies = context.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    app.wsgi_app = overriding(app.wsgi_app)  # type: ignore[method-assign,assignment]
    app.extensions["xueji"] = context
    app.add_url_rule("/api/openapi.json", "openapi", public(lambda: app.api_doc))
    make_celery(context.settings)
    connect(context)
    announce_to_pages(context)
    for api in APIS:
        app.register_api(api)
    for pages in PAGES:
        app.register_blueprint(pages)
    for step in STEPS:
        step(app)
    set_probes(app, probes.bound(context))
    for figures in (log_figures, check_figures):
        measures(app).add_source(partial(figures, context.database))
    return app
