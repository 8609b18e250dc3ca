"""What a bundle claims about whom and what it is of, and about who acted in it.

The leaves commit to the person, the institution, the cohort and its lessons, and every act of staff to who acted. What
the bundle states has to be what those commitments open to; and whatever she did stands under the pseudonym that the
first leaf gives her. Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

from typing import Any

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import BundleError
from xueji.evidence.claims import shapes
from xueji.evidence.claims.committed import SUBJECT
from xueji.evidence.claims.reading import BundleLeaf, ClaimContext, Refuted, Unanswered
from xueji.trace.rules import ABOUT, BY, STAFF_NAME, STAFF_ORGANISATION, SYSTEM, By, Event

_EVENTS = frozenset(event.value for event in Event)
WITHHELD = "(withheld 未公开)"


def subject(reading: ClaimContext) -> str:
    """The hours are of the person, institution and cohort that the bundle names; acts of staff name who acted."""
    known = reading.known_leaves
    whose = known[0].said["who"]
    _one_person(known, whose)
    naming = _naming(known, whose)
    stated = reading.bundle.has(parts.SUBJECT)
    if naming is None:
        if stated:
            raise Refuted(f"{parts.SUBJECT} says whom this is about, and no leaf does")
        raise Unanswered("no leaf says whom this is about: the release that recorded it did not commit to it")
    if not stated:
        raise Refuted(f"leaf {naming.said['n']} says whom this is about, and {parts.SUBJECT} is missing")
    if reading.opened is None:
        raise Unanswered("the openings did not hold")
    acts = _acts_of_staff(known[naming.said["n"] :], whose)
    told = _stated(reading, naming)
    return f"{_person(told)}; {told.get('institution', WITHHELD)}; {told.get('cohort_title', WITHHELD)}; {_count(acts)}"


def _one_person(known: list[BundleLeaf], whose: str) -> None:
    for leaf in known:
        event = leaf.said["event"]
        hers = event in _EVENTS and BY[Event(event)] is By.TRAINEE
        if hers and leaf.said["who"] not in (whose, SYSTEM):
            raise Refuted(f"leaf {leaf.said['n']} ({event}) is of another person than leaf 0")


def _naming(known: list[BundleLeaf], whose: str) -> BundleLeaf | None:
    """The leaf that says whom the chain is about: the first, or the last one that identified her since."""
    naming = known[0] if ABOUT in known[0].said["values"] else None
    for leaf in known:
        if leaf.said["event"] != Event.ENROLMENT_IDENTIFY:
            continue
        values = shapes.fields(leaf.said["values"], f"leaf {leaf.said['n']}", ABOUT, "of")
        if values["of"] != whose:
            raise Refuted(f"leaf {leaf.said['n']} identifies another person than leaf 0 began with")
        naming = leaf
    return naming


def _acts_of_staff(known: list[BundleLeaf], whose: str) -> int:
    """How many acts of somebody in office name her. Raises Refuted for one that does not."""
    count = 0
    for leaf in known:
        said, event = leaf.said, leaf.said["event"]
        by = BY[Event(event)] if event in _EVENTS else None
        if said["who"] == SYSTEM or not (by is By.STAFF or (by is By.ANYBODY and said["who"] != whose)):
            continue
        if event == Event.ERASE:
            continue  # what is erased is named, not who asked for it
        for name in (STAFF_NAME, STAFF_ORGANISATION):
            if name not in said["values"]:
                raise Refuted(f"leaf {said['n']} ({event}) does not commit to who acted")
            shapes.sha256(said["values"][name], f"{name} of leaf {said['n']}")
        count += 1
    return count


def _stated(reading: ClaimContext, naming: BundleLeaf) -> dict[str, str]:
    """What the bundle states, each word of it held to its opening. Raises Refuted, BundleError."""
    said = shapes.only_fields(naming.said["values"][ABOUT], f"what leaf {naming.said['n']} is about", *SUBJECT)
    stated: dict[str, Any] = shapes.fields(reading.bundle.read_json(parts.SUBJECT), parts.SUBJECT)
    opened = reading.opened or {}
    for name in stated:
        if name not in SUBJECT:
            raise BundleError(f"{parts.SUBJECT} has {name!r}, which is not known here")
    for name in SUBJECT:
        commitment = shapes.sha256(said[name], f"{name} in leaf {naming.said['n']}")
        if name in stated and commitment not in opened:
            raise Refuted(f"{parts.SUBJECT} states {name}, and nothing opens it")
        if name not in stated and commitment in opened:
            raise Refuted(f"{parts.SUBJECT} does not state {name}, which is opened")
        if name in stated and shapes.text(stated[name], f"{name} in {parts.SUBJECT}").encode() != opened[commitment]:
            raise Refuted(f"{parts.SUBJECT} states another {name} than leaf {naming.said['n']} committed to")
    _fits_itself(stated)
    return stated


def _fits_itself(stated: dict[str, Any]) -> None:
    """The short forms are those of the long ones."""
    name, number = stated.get("person_name"), stated.get("person_number")
    masked, end = stated.get("masked_name"), stated.get("number_end")
    if name and masked and (name[0] != masked[0] or set(masked[1:]) != {"*"}):
        raise Refuted("the name and its masked form do not belong together")
    if number and end and not number.endswith(end):
        raise Refuted("the identity number and its last digits do not belong together")


def _person(told: dict[str, str]) -> str:
    name = told.get("person_name") or told.get("masked_name") or WITHHELD
    number = told.get("person_number") or (f"…{told['number_end']}" if "number_end" in told else "")
    return f"{name} {number}".strip()


def _count(acts: int) -> str:
    return f"{acts} acts of others, each commits to who acted" if acts else "no acts of others"
