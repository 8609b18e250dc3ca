"""Which parts have occasions, and how `proctoring` reaches one without knowing whose it is.

A new kind of occasion is a model derived from `Occasion`, a `Host`, and `register` in its part's manifest, as what it
does once connected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from xueji.identity.queries import same_person
from xueji.occasions.models import Occasion
from xueji.rulebook.vocabulary import Method


class Subject(NamedTuple):
    """What an occasion is about, as lists of checks name it: the lesson of a sitting."""

    id: UUID
    title: str


@dataclass(frozen=True)
class Host:
    """A part that has occasions of one kind."""

    row: type[Occasion]
    """its model"""
    current: Callable[[Session, UUID, UUID], Occasion | None]
    """by session, person and enrolment: the occasion she is in now, locked; None when in none of that enrolment"""
    subjects: Callable[[Session, Collection[UUID]], Mapping[UUID, Subject]]
    """what each of these occasions is about, in one query"""

    @property
    def kind(self) -> str:
        """Of its occasions: `Occasion.KIND`."""
        return self.row.KIND


_HOSTS: dict[str, Host] = {}


def register(host: Host) -> None:
    """Let checks be asked in occasions of this host. May be said again: a process may open several contexts."""
    _HOSTS[host.kind] = host


def host_of(kind: str) -> Host:
    """Raises KeyError for a kind that no part has registered."""
    return _HOSTS[kind]


def occasion(session: Session, kind: str, occasion_id: UUID) -> Occasion:
    """One that is known to stand, as it was last read."""
    return session.get_one(host_of(kind).row, occasion_id)


def locked_occasion(session: Session, kind: str, occasion_id: UUID) -> Occasion:
    """The same, locked and read anew. Occasions are locked before their checks, as on the beat path."""
    return session.get_one(host_of(kind).row, occasion_id, with_for_update=True, populate_existing=True)


def with_open_checks(session: Session, kind: str, enrolment_id: UUID) -> Sequence[Occasion]:
    """Of one enrolment and kind, those in which a check stands open, locked, the oldest first."""
    row = host_of(kind).row
    chosen = select(row).where(row.enrolment_id == enrolment_id, row.open_check.is_not(None))
    return session.scalars(chosen.order_by(row.opened_ms).with_for_update()).all()


def lock_asked(
    session: Session, person_id: UUID, waiting: Iterable[tuple[str, UUID]]
) -> dict[tuple[str, UUID], Occasion]:
    """A person's occasions with an open check, and those named in ``waiting`` (kind and id), locked in their order."""
    named: dict[str, set[UUID]] = {kind: set() for kind in _HOSTS}
    for kind, occasion_id in waiting:
        named[kind].add(occasion_id)
    found: dict[tuple[str, UUID], Occasion] = {}
    for kind, host in sorted(_HOSTS.items()):
        row = host.row
        chosen = select(row).where(
            same_person(row.person_id, person_id), row.open_check.is_not(None) | row.id.in_(named[kind])
        )
        locked = chosen.order_by(row.id).with_for_update().execution_options(populate_existing=True)
        found |= {(kind, each.id): each for each in session.scalars(locked)}
    return found


def end_vouching(session: Session, enrolment_id: UUID, at_ms: int) -> None:
    """Nobody vouches for the person in this enrolment beyond this instant (epoch ms)."""
    for row in _rows():
        session.execute(
            update(row).where(row.enrolment_id == enrolment_id, row.valid_until_ms > at_ms).values(valid_until_ms=at_ms)
        )


def end_face_route(session: Session, person_id: UUID, at_ms: int) -> None:
    """No occasion of hers goes on by face checks beyond this instant (epoch ms)."""
    for row in _rows():
        session.execute(
            update(row)
            .where(
                same_person(row.person_id, person_id),
                row.method == Method.FACE,
                row.ended_ms.is_(None),
                row.valid_until_ms.is_(None),
            )
            .values(valid_until_ms=at_ms)
        )


def last_begun(session: Session, enrolment_ids: Collection[UUID]) -> dict[UUID, int]:
    """By enrolment: when the latest occasion that has not ended began (epoch ms); one query a kind."""
    latest: dict[UUID, int] = {}
    for row in _rows():
        chosen = select(row.enrolment_id, func.max(row.opened_ms)).where(
            row.enrolment_id.in_(enrolment_ids), row.ended_ms.is_(None)
        )
        for enrolment_id, opened_ms in session.execute(chosen.group_by(row.enrolment_id)):
            latest[enrolment_id] = max(opened_ms, latest.get(enrolment_id, 0))
    return latest


def subjects_of(session: Session, occasions: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], Subject]:
    """By kind and id of occasions: what each is about; one query a kind."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, occasion_id in occasions:
        by_kind.setdefault(kind, set()).add(occasion_id)
    return {
        (kind, occasion_id): subject
        for kind, ids in by_kind.items()
        for occasion_id, subject in host_of(kind).subjects(session, ids).items()
    }


def _rows() -> Iterator[type[Occasion]]:
    return (host.row for _kind, host in sorted(_HOSTS.items()))
