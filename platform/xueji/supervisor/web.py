"""gunicorn's settings: one process, because the group commit lives in it; several machines stand behind a balancer."""

from __future__ import annotations

import os

from gunicorn.config import Config
from gunicorn.glogging import Logger

from xueji.kernel import logs
from xueji.kernel.settings import Settings

_settings = Settings.load()
logs.configure(_settings, "web")


class OurLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's words to the installation's logs; requests are logged by the application itself."""

    def setup(self, cfg: Config) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")
        self.access_log.disabled = True


workers = 1
worker_class = "xueji.gateway.worker.GatewayWorker"
# Longer than the time between two beats, so that a learner's connection lasts as long as her lesson.
keepalive = 30
timeout = 60
graceful_timeout = 5
worker_tmp_dir = os.environ.get("XUEJI_HEARTBEATS") or None
logger_class = OurLogger
proc_name = "xueji web"
