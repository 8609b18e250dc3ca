"""The web application for any WSGI server: ``gunicorn wsgi:app``."""

from xueji.app import create_app
from xueji.kernel import logs
from xueji.kernel.settings import Settings

settings = Settings.load()
logs.configure(settings, "web")
app = create_app(settings)
