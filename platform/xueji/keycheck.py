"""Whether the master key is the one the data was written under."""

from __future__ import annotations

import hmac
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from xueji.identity.models import Person
from xueji.kernel.context import Context
from xueji.kernel.crypto import Unreadable
from xueji.kernel.database import Database
from xueji.kernel.models import THE_ROW, Installation
from xueji.kernel.settings import Settings
from xueji.trace.models import LeafRow, Pending


class OtherKey(Exception):
    """The data was written under another master key; the message says what to do."""


def refuse_beside_data(settings: Settings) -> None:
    """A new key is made only where there is nothing yet that it could not open. Raises OtherKey."""
    found = "files in the store" if _has_files(settings) else ""
    database = Database(settings)
    try:
        tables = set(inspect(database.engine).get_table_names())
        with database.reading() as session:
            for table in (Person, LeafRow, Pending, Installation):
                if table.__tablename__ in tables and session.execute(select(1).select_from(table).limit(1)).first():
                    found = f"rows in {table.__tablename__}"
    finally:
        database.dispose()
    if found:
        raise OtherKey(
            f"there is no master key in {settings.keys}, and there are {found}: put back keys/master.key from its copy;"
            " a new one could open nothing of them"
        )


def settle(context: Context) -> None:
    """Write down which key the data is under, where that was never done. Raises OtherKey."""
    with context.database.reading() as session:
        check(context, session)
        row = session.get(Installation, THE_ROW)
    if row is not None and row.key_check is not None:
        return
    with context.database.writing() as session:
        row = session.get(Installation, THE_ROW) or Installation(id=THE_ROW)
        row.key_check = context.keyring.check_value()
        session.add(row)


def check(context: Context, session: Session) -> None:
    """Raises OtherKey. Where no value was written down yet, somebody's key must open with it."""
    row = session.get(Installation, THE_ROW)
    if row is not None and row.key_check is not None:
        right = hmac.compare_digest(row.key_check, context.keyring.check_value())
    else:
        right = _opens_somebody(context, session)
    if not right:
        raise OtherKey(
            "keys/master.key is not the one the data was written under: put back the right one from its copy"
        )


def _opens_somebody(context: Context, session: Session) -> bool:
    held = select(Person.id, Person.wrapped_key).where(Person.wrapped_key.is_not(None)).limit(1)
    row = session.execute(held).first()
    if row is None:
        return True
    try:
        context.keyring.unwrap(row.wrapped_key, str(row.id))
    except Unreadable:
        return False
    return True


def _has_files(settings: Settings) -> bool:
    folder: Path = settings.data / "files"
    return not settings.storage_url and folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))
