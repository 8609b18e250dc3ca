"""Making an installation: its folder, its keys, its database, its models. Doing it again changes nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from xueji.kernel import schema
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.settings import PREFIX, Settings
from xueji.kernel.storage import Store


def make(settings: Settings) -> None:
    """Everything `xueji up` needs. Raises OSError when the data folder cannot be used."""
    make_folder(settings.data)
    Keyring.create(settings.keys)
    Store.open(settings)
    upgrade(settings)
    prepare_models(settings)


def make_folder(folder: Path) -> None:
    """Closed to everybody else, whatever the machine's habits are."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def name_the_log(data: Path) -> None:
    """Two logs must never sign under one name, so a new installation's gets one that nobody else has."""
    file = data / "settings.toml"
    if PREFIX + "LOG_ORIGIN" in os.environ or file.exists() or (data / "keys").exists():
        return
    make_folder(data)
    file.write_text(
        "# Settings of this installation; docs/operations.md names them all.\n"
        f'log_origin = "xueji.example/{secrets.token_hex(4)}/log"\n',
        "utf-8",
    )


def upgrade(settings: Settings) -> None:
    database = Database(settings)
    try:
        schema.upgrade(database)
    finally:
        database.dispose()


def prepare_models(settings: Settings) -> None:
    """Rewrite the face models for the engine once, so that no worker has to when the first picture comes."""
    from media_pipeline.engine import Engine

    Engine(settings.models)
