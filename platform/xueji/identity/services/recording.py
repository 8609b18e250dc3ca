"""How identity writes into the traceability log: nobody is named, and nothing here belongs to one enrolment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.kernel.crypto import Keyring
from xueji.trace.rules import PLATFORM, Event
from xueji.trace.services import record


def record_of_person(
    session: Session, keyring: Keyring, event: Event, person_id: UUID, values: Mapping[str, Any]
) -> None:
    """In the caller's transaction, under the person's pseudonym on the platform's chain."""
    who = keyring.pseudonym(person_id, PLATFORM)
    record(session, event=event, chain=PLATFORM, who=who, values=values)
