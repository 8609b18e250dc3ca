"""What a bundle claims about hours, openings and pictures: each claim answers, or raises Refuted or Unanswered.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle, json_value
from xueji.evidence.claims import shapes
from xueji.evidence.claims.committed import commitments
from xueji.evidence.claims.reading import ClaimContext, Refuted, Unanswered
from xueji.hours.rules import assess, evidence
from xueji.python38 import dataclass, day
from xueji.rulebook.retention import years_after
from xueji.rulebook.rules import Rulebook
from xueji.rulebook.shanghai import date_of, day_of
from xueji.trace import canonical, rules

PICTURE = "picture"
LEAST_YEARS, MOST_YEARS = 3, 100
"""No law lets a training file go sooner than after three years."""
SUMS = ("online", "in_person", "totals")
STATED = ("as_of_ms", "leaves", "rulebook", "rulebook_sha256", "statement_sha256", *SUMS)


def hours(reading: ClaimContext) -> str:
    """The class hours follow from the leaves under the rulebook, by the same function the platform uses."""
    issued = next(
        (leaf for leaf in reversed(reading.known_leaves) if leaf.said["event"] == rules.Event.HOURS_STATEMENT), None
    )
    if issued is None:
        raise Refuted("no statement of hours was recorded")
    values = shapes.fields(issued.said["values"], "the statement's leaf", *STATED)
    written = reading.bundle.read(parts.RULEBOOK)
    if hashlib.sha256(written).hexdigest() != values["rulebook_sha256"]:
        raise Refuted(f"{parts.RULEBOOK} is not the {values['rulebook']} the statement was made under")
    statement = _worked_out(reading, written, values)
    digest = hashlib.sha256(canonical.encode(statement)).hexdigest()
    if digest != values["statement_sha256"] or any(statement[name] != values[name] for name in SUMS):
        raise Refuted("the hours worked out from the leaves are not those that were recorded")
    # Compared as they are written, because to Python True is 1.
    if _canonical(reading.bundle.read_json(parts.STATEMENT)) != canonical.encode(statement):
        raise Refuted(f"{parts.STATEMENT} is not what follows from the leaves")
    online, delivered = statement["online"]["counted_ms"], statement["totals"]["delivered_ms"]
    return f"{_minutes(online)} online and {_minutes(delivered)} in all follow from the leaves"


def _worked_out(reading: ClaimContext, written: bytes, values: Mapping[str, Any]) -> dict[str, Any]:
    count, as_of = shapes.whole(values["leaves"], "the statement's count"), values["as_of_ms"]
    try:
        rulebook = Rulebook.from_dict(json_value(written.decode("utf-8"), parts.RULEBOOK))
        said = evidence([leaf.said for leaf in reading.leaves[:count]])
        statement = assess(rulebook, said, shapes.whole(as_of, "the statement's time")).to_dict()
    except Exception as error:  # the rules may stumble anywhere over a rulebook or a leaf that is not one
        raise Refuted(
            f"the hours cannot be worked out from the leaves under {parts.RULEBOOK}: {type(error).__name__}: {error}"
        ) from error
    if rulebook.reference != values["rulebook"]:
        raise Refuted(f"{parts.RULEBOOK} is not the {values['rulebook']} the statement was made under")
    return statement


def _canonical(value: Any) -> bytes | None:
    try:
        return canonical.encode(value)
    except canonical.NotCanonical:
        return None


def _minutes(ms: int) -> str:
    return f"{ms // 60000} min {ms % 60000 // 1000} s"


def references(reading: ClaimContext) -> str:
    """Each verdict of the judge names the photos it was made against, and the chain knew each of them by then."""
    known: dict[str, str] = {}
    against: Counter[str] = Counter()
    verdicts = silent = 0
    for leaf in reading.known_leaves:
        event, values, what = leaf.said["event"], leaf.said["values"], f"leaf {leaf.said['n']}"
        if event == rules.Event.REFERENCE_STAND:
            for each in shapes.each(values.get("references"), what):
                known[_reference(each, what)] = CONFIRMED if each.get("confirmed") is True else UNCONFIRMED
        elif event == rules.Event.REFERENCE_ENROL:
            known.setdefault(_reference(values, what), UNCONFIRMED)
        elif event in _DECIDED:
            known[_reference(values, what)] = _DECIDED[event]
        elif event == rules.Event.CHECK_VERDICT and values.get("outcome") in _OF_A_FACE:
            named = [shapes.sha256(each, what) for each in shapes.each(values.get("references", []), what)]
            if set(named) - known.keys():
                raise Refuted(f"{what} is a verdict against a photo that the chain did not know by then")
            against.update(named)
            verdicts += 1
            silent += not named
    if verdicts == silent:
        raise Unanswered("no verdict names the reference photos it was made against")
    told = ", ".join(f"{name[:8]}… ({known[name]}) in {count}" for name, count in sorted(against.items()))
    return f"{verdicts} verdicts on faces, against {told}; {silent} name none"


def _reference(values: Any, what: str) -> str:
    return shapes.sha256(shapes.fields(values, what).get("reference"), f"the reference photo in {what}")


CONFIRMED, UNCONFIRMED, NOT_HERS = "confirmed 已核对", "unconfirmed 未核对", "not hers 非本人"
_DECIDED: dict[str, str] = {rules.Event.REFERENCE_CONFIRM: CONFIRMED, rules.Event.REFERENCE_REFUSE: NOT_HERS}
_OF_A_FACE = frozenset({"match", "mismatch"})


@dataclass(frozen=True)
class _Openings:
    """What a bundle says of each commitment: exactly one of the three."""

    opened: dict[str, bytes]
    """By commitment, the value."""
    withheld: set[str]
    erased: dict[str, str]
    """By commitment, when."""


@dataclass(frozen=True)
class _Over:
    """A leaf that deletes what had to be kept for some years, because they were over."""

    n: int
    day: date
    since: date
    years: int
    commitments: tuple[str, ...]


def openings(reading: ClaimContext) -> str:
    """What is opened is what was committed to; what is not opened is withheld by name, or was erased on a day."""
    said = _committed(reading)
    erased_in_log = _erased(reading)
    given = _given(reading.bundle, said)
    for commitment, at in given.erased.items():
        if erased_in_log.get(commitment) != at:
            raise Refuted(f"{commitment[:16]}… is said to have been erased on {at}, and the log does not say so")
    for commitment, at in erased_in_log.items():
        if commitment in said and commitment not in given.erased:
            raise Refuted(f"{commitment[:16]}… was erased on {at}, and the bundle does not say so")
    accounted = {*given.opened, *given.withheld, *given.erased}
    if accounted - said.keys():
        raise Refuted(f"{min(accounted - said.keys())[:16]}… is spoken of and stands in no leaf")
    if said.keys() - accounted:
        raise Refuted(
            f"{min(said.keys() - accounted)[:16]}… stands in a leaf and is neither opened, withheld nor erased"
        )
    reading.opened = given.opened
    reading.pictures = {
        commitment: value.decode("utf-8", "replace")
        for commitment, value in given.opened.items()
        if said[commitment] == PICTURE
    }
    over = _over(reading)
    told = [
        f"{len(leaf.commitments)} deleted on {leaf.day} as the law asks 依法到期删除, "
        f"{leaf.years} years after {leaf.since}"
        for leaf in over
    ]
    others = given.erased.keys() - {each for leaf in over for each in leaf.commitments}
    if others:
        days = sorted({given.erased[each][:10] for each in others})
        told.append(f"{len(others)} erased on {', '.join(days)}")
    return ", ".join(
        [f"{len(given.opened)} opened as committed", f"{len(given.withheld)} withheld", *(told or ["none erased"])]
    )


def _over(reading: ClaimContext) -> list[_Over]:
    """The leaves that delete pictures whose years were over; none of them may speak of a younger one.

    Who runs the platform might call any erasure lawful: what was taken less than so many years before cannot be.
    """
    found = []
    taken: dict[str, date] = {}
    for leaf in reading.known_leaves:
        on, values = date_of(day_of(leaf.at_ms)), leaf.said["values"]
        if leaf.said["event"] != rules.Event.ERASE:
            taken.update(dict.fromkeys(commitments(leaf.said["event"], values), on))
        elif "law" in values:
            what = f"the erasure in leaf {leaf.said['n']}"
            law = shapes.fields(values["law"], what, "years", "since", "figure")
            years, since = shapes.whole(law["years"], what), _day(law["since"], what)
            over = _Over(leaf.said["n"], on, since, years, tuple(values["commitments"]))
            latest = max([since, *(taken[each] for each in over.commitments if each in taken)])
            if not LEAST_YEARS <= years <= MOST_YEARS or on <= years_after(latest, years):
                raise Refuted(f"{what} is said to be what the law asks, and the years were not over")
            found.append(over)
    return found


def _day(given: Any, what: str) -> date:
    try:
        return day(shapes.text(given, f"a day in {what}"))
    except ValueError as error:
        raise Refuted(f"{what} names no day") from error


def _committed(reading: ClaimContext) -> dict[str, str]:
    """Every commitment in the leaves, with the name its place gives it."""
    found: dict[str, str] = {}
    for leaf in reading.known_leaves:
        for commitment, field in commitments(leaf.said["event"], leaf.said["values"]).items():
            if found.setdefault(commitment, field) != field:
                raise Refuted(f"{commitment[:16]}… stands in one leaf as {found[commitment]}, in another as {field}")
    return found


def _erased(reading: ClaimContext) -> dict[str, str]:
    found: dict[str, str] = {}
    for leaf in reading.known_leaves:
        if leaf.said["event"] == rules.Event.ERASE:
            what = f"the erasure in leaf {leaf.said['n']}"
            named = shapes.each(shapes.fields(leaf.said["values"], what, "commitments")["commitments"], what)
            found.update(dict.fromkeys((shapes.sha256(each, what) for each in named), leaf.said["at"]))
    return found


def _given(bundle: Bundle, said: Mapping[str, str]) -> _Openings:
    """What stands in openings.json, each opening proven. Raises Refuted, BundleError."""
    name = parts.OPENINGS
    given = shapes.only_fields(bundle.read_json(name), name, "opened", "withheld", "erased")
    opened = {
        shapes.sha256(commitment, f"a commitment opened in {name}"): _proven(commitment, opening, said)
        for commitment, opening in shapes.fields(given["opened"], f"opened in {name}").items()
    }
    withheld = [
        shapes.sha256(each, f"a commitment withheld in {name}")
        for each in shapes.each(given["withheld"], f"withheld in {name}")
    ]
    erased = {
        shapes.sha256(commitment, f"a commitment erased in {name}"): shapes.text(at, f"a time in {name}")
        for commitment, at in shapes.fields(given["erased"], f"erased in {name}").items()
    }
    if len({*opened, *withheld, *erased}) != len(opened) + len(withheld) + len(erased):
        raise Refuted(f"{name} says two things of one commitment")
    return _Openings(opened, set(withheld), erased)


def _proven(commitment: str, opening: Any, said: Mapping[str, str]) -> bytes:
    """The value an opening shows. The name it shows it under is bound too: by the place in the leaf."""
    what = f"the opening of {commitment[:16]}… in {parts.OPENINGS}"
    if "base64" in shapes.fields(opening, what):
        shapes.only_fields(opening, what, "field", "key", "base64")
        value = shapes.base64_bytes(opening["base64"], what)
    else:
        shapes.only_fields(opening, what, "field", "key", "value")
        value = shapes.text(opening["value"], what).encode()
    key = bytes.fromhex(shapes.sha256(opening["key"], f"the key in {what}"))
    field = shapes.text(opening["field"], f"the name in {what}")
    if hmac.new(key, value, hashlib.sha256).hexdigest() != commitment:
        raise Refuted(f"the {field} opened for {commitment[:16]}… is not what was committed to")
    if commitment in said and said[commitment] != field:
        raise Refuted(f"{commitment[:16]}… is opened as {field}, and stands in its leaf as {said[commitment]}")
    return value


def pictures(reading: ClaimContext) -> str:
    """Each picture is the one whose hash was committed to when it was taken."""
    bundle, expected = reading.bundle, reading.pictures
    if expected is None:
        raise Unanswered("the openings did not hold")
    found: dict[str, str] = {}
    for name in bundle.names(parts.PICTURES):
        commitment = name[len(parts.PICTURES) :].partition(".")[0]
        if commitment in found:
            raise Refuted(f"there are two pictures {commitment[:16]}…")
        found[commitment] = name
    if not expected and not found:
        raise Unanswered("the bundle was made without pictures")
    if found.keys() - expected.keys():
        raise Refuted(f"the picture {min(found.keys() - expected.keys())[:16]}… belongs to no leaf")
    if expected.keys() - found.keys():
        raise Refuted(f"the picture {min(expected.keys() - found.keys())[:16]}… is missing")
    for commitment, name in found.items():
        if hashlib.sha256(bundle.read(name)).hexdigest() != expected[commitment]:
            raise Refuted(f"the picture {commitment[:16]}… is not the one that was taken")
    return f"{len(found)} pictures are those that were taken"
