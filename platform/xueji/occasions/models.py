"""What the row of every occasion has, whatever part keeps it.

Personal data: which person was at it, and when; each part says at its model how long it is kept.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Dialect, ForeignKey, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from xueji.occasions.open_check import OpenCheck, read_open_check, write_open_check
from xueji.rulebook.plan import ProctoringPlan


class OpenCheckColumn(TypeDecorator[OpenCheck]):
    """A text column whose value is an open check."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: OpenCheck | None, dialect: Dialect) -> str | None:
        """As JSON."""
        return write_open_check(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> OpenCheck | None:
        """Also what earlier releases wrote."""
        return read_open_check(value)


class Occasion:
    """One row of a host's table: during this a person may be asked to show herself. Times are epoch ms of the server.

    A host derives its model from this and from `Base`, and says the rest in an `occasions.hosts.Host`.
    """

    KIND: ClassVar[str]
    """Which kind of occasion it is: a word of at most 16 letters, kept with each check and part of a page's room."""

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    """Chosen by the client, so that opening can be repeated safely."""
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"))
    """Its checks are recorded on this enrolment's chain."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "whose face may be asked for"})
    who: Mapped[str] = mapped_column(String(64), info={"personal": "her pseudonym in this enrolment's chain"})
    method: Mapped[str] = mapped_column(String(16))
    """How the person is known in it: `rulebook.vocabulary.Method`."""
    opened_ms: Mapped[int] = mapped_column(BigInteger)
    """When it began."""
    last_contact_ms: Mapped[int] = mapped_column(BigInteger)
    """When its page was last heard of."""
    valid_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Until when a member of staff vouches for the person; None on the face route, until face checks end."""
    open_check: Mapped[OpenCheck | None] = mapped_column(OpenCheckColumn)
    """The check that stands open, kept with its occasion so that contact with the page needs no second query."""
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When it was ended; None while it goes on, and of one that simply stopped."""

    @property
    def plan(self) -> ProctoringPlan:
        """The rules it was opened under."""
        raise NotImplementedError

    def person_seen(self, at_ms: int) -> None:
        """Note a sign of the person at this instant (epoch ms)."""
        raise NotImplementedError

    def owe_check(self) -> None:
        """The next check is due as soon as she goes on: the last one did not show her."""
        raise NotImplementedError

    def settle_check(self) -> None:
        """She has shown herself: a check that is owed is owed no longer."""
        raise NotImplementedError

    def keep(self, check: OpenCheck | None, *, seen_ms: int | None = None) -> None:
        """Change what it keeps of its open check; ``seen_ms``: when that showed the person to be there (epoch ms)."""
        self.open_check = check
        if seen_ms is not None:
            self.person_seen(seen_ms)

    def keeps(self, check_id: UUID) -> bool:
        """Whether this is the check that stands open in it."""
        return self.open_check is not None and self.open_check.check_id == str(check_id)
