"""The web application for any WSGI server: ``gunicorn wsgi:app``."""

from xueji.app import create_app
from xueji.identity.faces import look_beside
from xueji.kernel import logs
from xueji.kernel.settings import Settings
from xueji.progress.beat_intake import start_recorder

settings = Settings.load()
logs.configure(settings, "web")
app = create_app(settings)
start_recorder(app)
look_beside(app.extensions["xueji"])
