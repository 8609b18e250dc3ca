"""Every setting of an installation, read once at start and never changed after."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from xueji.kernel.log_collector import Collector

PREFIX = "XUEJI_"
NO_SETTINGS = frozenset({"XUEJI_HANDING", "XUEJI_HEARTBEATS", "XUEJI_PROCESS", "XUEJI_TEST_DATABASE"})
"""Variables of the same prefix that are none: what the supervisor tells its programs, and what the tests are told."""
LONGEST_SOCKET_PATH = 100
"""Bytes of a Unix socket's path that every kernel takes (Linux: 107)."""


class SettingError(ValueError):
    """A setting has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Values come from ``XUEJI_<NAME>`` in the environment, else ``<data>/settings.toml``, else the default here."""

    data: Path = Path("data")
    """The one folder everything is kept in: database, keys, pictures, films, logs."""
    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in the data folder."""
    broker_url: str = ""
    """redis:// URL of the task broker, the sockets' message queue and the rate limits; empty: the embedded Valkey."""
    storage_url: str = ""
    """Object store (s3://bucket/prefix); empty means the folder ``files`` in the data folder."""
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 24
    """Threads that answer pages and all else but beats and films. They share one interpreter, so few of them compute at
    a time: more of them may wait, and nothing is faster."""
    beat_threads: int = 256
    """Threads that nothing but beats can take: as many may be written in one group."""
    film_threads: int = 24
    """Threads that read films from the store, which may be slow to answer."""
    connections: int = 4000
    """Open connections of the web process; beyond it whoever asks for nothing makes room."""
    sockets: int = 4000
    """Open sockets of pages; a page without one hears everything with its beats."""
    sockets_per_address: int = 1000
    """Of these, from one network address: a whole works may sit behind one."""
    database_connections: int = 24
    """Connections each process keeps open; 16 more are opened for a while when all are busy."""
    public_url: str = ""
    """The address people type, when a proxy stands in front; empty means http://host:port."""
    secure_cookies: bool | None = None
    """Cookies are never sent in the clear; left empty: true unless ``public_url`` is this machine itself."""
    session_minutes: int = 30
    """Idle minutes after which a staff session ends; a learner's lives as long as her sitting's beats arrive."""
    session_hours: int = 12
    """Hours after which a staff session ends even when it is used all the time."""
    learner_session_hours: int = 12
    learner_session_longest_hours: int = 24
    """The same for a learner's."""
    staff_second_factor: str = "required"
    """``required``: staff without a second factor must set one up first; ``offered``: they may."""
    lockout_attempts: int = 5
    lockout_minutes: int = 15
    sign_in_failures: str = "120 per minute; 1200 per hour"
    """Failed sign-ins taken from one address (IPv6: one /64) under any account; a device known to it is let pass."""
    openings: str = "20 per minute; 400 per day"
    """Sittings a trainee may open: each is recorded for ever. A page that is loaded again opens one."""
    trainee_acts: str = "120 per minute; 3000 per day"
    """Whatever else of hers changes something or is recorded, beats apart; all counted in each web process."""
    own_evidence_exports: str = "20 per minute; 120 per hour"
    """Evidence bundles a trainee may take away: each is worked out anew and recorded for ever."""
    evidence_exports: str = "60 per minute; 1000 per hour"
    """The same for each member of staff: several of the largest random draws, one after the other, in an hour."""
    own_data_copies: str = "3 per hour; 10 per day"
    """Times somebody may take along what is kept about her: all of it is read and opened anew."""
    keep_check_pictures: bool = False
    """Whether pictures of checks stay when the years of their training file are over: true where the authority has
    said that deleting them, too, takes its consent."""
    duplicate_micro: int = 450_000
    """Distance (millionths) up to which two people's reference photos are shown to staff as perhaps one person's."""
    upload_limit_mib: int = 4096
    log_origin: str = "xueji.example/log"
    """The name the traceability log signs under; it must never be shared by two logs."""
    timestamp_urls: str = ""
    """Up to two RFC 3161 authorities, separated by blanks; empty means no outside time."""
    witness_urls: str = ""
    """Witnesses asked to cosign checkpoints, as ``name+hash+key=url``, separated by blanks."""
    witness_logs: str = ""
    """Verifier keys of logs this installation witnesses for others; empty switches the endpoint off."""
    demo: bool = False
    """True in a demonstration: the sign-in page names the demonstration's accounts."""
    log_level: str = "info"
    log_collector: str = ""
    """Where log lines are sent besides the data folder: ``syslog://host:514``, ``syslog+tcp://host:601`` or
    ``unix:///dev/log``; empty: nowhere."""
    metrics_token: str = ""
    """Bearer token for ``/metrics``; empty means that only this machine may read them."""
    worker_processes: int = 1
    """Processes that judge pictures and do other short tasks; films have one of their own."""
    periodic_tasks: bool = True
    """Whether this machine's worker also starts what is due regularly: true on one machine of an installation."""
    sequencer: bool = True
    """Whether this machine orders and signs the log: true on the one that has the log's keys."""
    trusted_proxies: int = 0
    """How many proxies stand in front, each adding to X-Forwarded-For and X-Forwarded-Proto; 0 believes neither."""

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Raises SettingError for an unknown name or an unusable value."""
        data = Path(environ.get(PREFIX + "DATA") or "data").resolve()
        given: dict[str, Any] = {}
        file = data / "settings.toml"
        if file.exists():
            given.update(tomllib.loads(file.read_text("utf-8")))
        known = {field.name: str(field.type) for field in fields(cls)}
        for name in given:
            if name not in known:
                raise SettingError(f"settings.toml: there is no setting called {name!r}")
        variables = {PREFIX + name.upper() for name in known} | NO_SETTINGS
        for variable in environ:
            if variable.upper().startswith(PREFIX) and variable not in variables:
                raise SettingError(f"environment: there is no setting called {variable}{_nearest(variable, variables)}")
        given.update({name: environ[PREFIX + name.upper()] for name in known if PREFIX + name.upper() in environ})
        given["data"] = data
        return cls(**{name: _parsed(name, value, known[name]) for name, value in given.items()}).completed()

    def completed(self) -> Settings:
        """The same settings with what is left empty filled in from the data folder."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["database_url"] = self.database_url or f"sqlite:///{self.data / 'xueji.sqlite'}"
        values["broker_url"] = self.broker_url or f"redis+socket://{_socket_path(self.data)}"
        values["public_url"] = self.public_url or f"http://{self.host}:{self.port}"
        if self.secure_cookies is None:
            values["secure_cookies"] = not _this_machine(values["public_url"])
        if self.staff_second_factor not in ("required", "offered"):
            raise SettingError(f"staff_second_factor: 'required' or 'offered', not {self.staff_second_factor!r}")
        if self.log_collector:
            try:
                Collector.parse(self.log_collector)
            except ValueError as error:
                raise SettingError(f"log_collector: {error}") from error
        return Settings(**values)

    @property
    def embedded_broker(self) -> bool:
        return self.broker_socket is not None

    @property
    def broker_socket(self) -> Path | None:
        """The embedded Valkey's socket; None when the broker is somebody else's."""
        scheme, _, path = self.broker_url.partition("://")
        return Path(path) if scheme == "redis+socket" else None

    @property
    def redis_url(self) -> str | None:
        """The broker as redis-py and the sockets' message queue name it; None in tests, which have none."""
        if self.broker_socket is not None:
            return f"unix://{self.broker_socket}"
        return self.broker_url if self.broker_url.startswith(("redis://", "rediss://")) else None

    @property
    def limiter_url(self) -> str:
        """The broker as the rate limiter names it: counts are shared by every web process."""
        return f"redis+unix://{self.broker_socket}" if self.broker_socket is not None else self.broker_url

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def models(self) -> Path:
        """The face networks, translated once for the engine."""
        return self.data / "models"


def _this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _nearest(variable: str, variables: Iterable[str]) -> str:
    near = difflib.get_close_matches(variable.upper(), variables, n=1)
    return f"; do you mean {near[0]}?" if near else ""


def _socket_path(data: Path) -> Path:
    """In the data folder; when that lies too deep for a socket's name, in a folder of this user's named after it."""
    inside = data / "run" / "valkey.sock"
    if len(bytes(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    name = hashlib.sha256(bytes(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"xueji-{os.getuid()}-{name}" / "valkey.sock"


def _parsed(name: str, value: Any, kind: str) -> Any:
    try:
        if kind == "bool | None" and value == "":
            return None
        if kind in ("bool", "bool | None"):
            if isinstance(value, bool):
                return value
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[value.lower()]
        if kind == "int":
            return int(value)
        if kind == "Path":
            return Path(value)
        return str(value)
    except (KeyError, ValueError) as error:
        raise SettingError(f"{name}: {value!r} is not a usable {kind}") from error
