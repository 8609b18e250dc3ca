"""Making an installation: its folder, keys, database, log and models. Doing it again changes nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from xueji import keycheck
from xueji.enrolment.services.corrections import correct_openings
from xueji.enrolment.services.identifying import identify_enrolments
from xueji.kernel import schema
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.settings import PREFIX, Settings
from xueji.kernel.storage import Store
from xueji.trace.process import AnotherSequencer, sequencer_lock
from xueji.trace.sequencer import Sequencer


def make(settings: Settings) -> None:
    """Everything `xueji up` needs. Raises OSError when the folder cannot be used, OtherKey beside data of another."""
    make_folder(settings.data)
    if not (settings.keys / "master.key").exists():
        keycheck.refuse_beside_data(settings)
    Keyring.create(settings.keys)
    Store.open(settings)
    upgrade(settings)
    context = Context.open(settings)
    try:
        keycheck.settle(context)
        correct_openings(context)
        identify_enrolments(context)
    finally:
        context.close()
    if settings.sequencer:
        open_log(settings)
    prepare_models(settings)


def make_folder(folder: Path) -> None:
    """Closed to everybody else, whatever the machine's habits are."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def name_the_log(data: Path, prefix: str = "xueji.example/") -> bool:
    """Two logs must never sign under one name, so a new installation's gets one that nobody else has.

    Returns whether it was named: not when it is somebody else's to name, or has a name already.
    """
    file = data / "settings.toml"
    if PREFIX + "LOG_ORIGIN" in os.environ or file.exists() or (data / "keys").exists():
        return False
    make_folder(data)
    file.write_text(
        "# Settings of this installation; docs/operations.md names them all.\n"
        f'log_origin = "{prefix}{secrets.token_hex(4)}/log"\n',
        "utf-8",
    )
    return True


def upgrade(settings: Settings) -> None:
    database = Database(settings)
    try:
        schema.upgrade(database)
    finally:
        database.dispose()


def open_log(settings: Settings) -> None:
    """Before anything is recorded, so that the first leaf is not older than the log it stands in."""
    context = Context.open(settings)
    try:
        with sequencer_lock(context):
            sequencer = Sequencer(context.database, settings)
            sequencer.start()
            sequencer.step()
    except AnotherSequencer:
        return  # the installation is up, so its log is open
    finally:
        context.close()


def prepare_models(settings: Settings) -> None:
    """Rewrite the face models for the engine once, so that no worker has to when the first picture comes."""
    from media_pipeline.engine import Engine

    Engine(settings.models)
