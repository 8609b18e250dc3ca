"""The one row an installation keeps of itself. Personal data: none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime

THE_ROW = 1


class Installation(Base):
    """Which master key the data was written under, and when the database was last seen to take a change."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    key_check: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """What only the right master key gives (`Keyring.check_value`); it says nothing of the key."""
    probed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
