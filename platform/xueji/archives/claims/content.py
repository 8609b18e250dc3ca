"""What a bundle claims about hours, openings and pictures: each claim answers, or raises Refuted or Unanswered.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any

from xueji.archives import bundle as parts
from xueji.archives.claims.reading import Reading, Refuted, Unanswered
from xueji.hours.rules import assess, evidence
from xueji.rulebook.rules import Rulebook
from xueji.trace import canonical, rules

COMMITTED = frozenset({"commitment", "device", "schedule", "place", "reason"})
"""Under these names a leaf holds commitments."""
_HEX = re.compile(r"[0-9a-f]{64}")


def hours(reading: Reading) -> str:
    """The class hours follow from the leaves under the rulebook, by the same function the platform uses."""
    issued = next(
        (leaf for leaf in reversed(reading.leaves) if leaf.said["event"] == rules.Event.HOURS_STATEMENT.value), None
    )
    if issued is None:
        raise Refuted("no statement of hours was recorded")
    values = issued.said["values"]
    rulebook = Rulebook.from_json(reading.bundle.read(parts.RULEBOOK))
    if (rulebook.reference, rulebook.digest) != (values["rulebook"], values["rulebook_sha256"]):
        raise Refuted(f"{parts.RULEBOOK} is not the {values['rulebook']} the statement was made under")
    first = [leaf.said for leaf in reading.leaves[: values["leaves"]]]
    try:
        statement = assess(rulebook, evidence(first), values["as_of_ms"]).to_dict()
    except Exception as error:
        raise Refuted(f"the hours cannot be worked out from the leaves: {error}") from error
    digest = hashlib.sha256(canonical.encode(statement)).hexdigest()
    if digest != values["statement_sha256"] or any(
        statement[name] != values[name] for name in ("online", "in_person", "totals")
    ):
        raise Refuted("the hours worked out from the leaves are not those that were recorded")
    if statement != reading.bundle.read_json(parts.STATEMENT):
        raise Refuted(f"{parts.STATEMENT} is not what follows from the leaves")
    online = statement["online"]["counted_ms"]
    return (
        f"{_minutes(online)} online and {_minutes(statement['totals']['delivered_ms'])} in all follow from the leaves"
    )


def _minutes(ms: int) -> str:
    return f"{ms // 60000} min {ms % 60000 // 1000} s"


def commitments(values: dict[str, Any]) -> set[str]:
    """The commitments that stand anywhere in a leaf's values."""
    found: set[str] = set()
    for name, value in values.items():
        _collect(name, value, found)
    return found


def _collect(name: str, value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        if name in COMMITTED and _HEX.fullmatch(value):
            found.add(value)
    elif isinstance(value, dict):
        for inner_name, inner in value.items():
            _collect(inner_name, inner, found)
    elif isinstance(value, list) and value and not isinstance(value[0], int):
        for inner in value:
            _collect(name, inner, found)


def openings(reading: Reading) -> str:
    """What is opened is what was committed to; what is not opened is withheld by name, or was erased on a day."""
    said = set().union(*(commitments(leaf.said["values"]) for leaf in reading.leaves))
    erased_in_log = {
        commitment: leaf.said["at"]
        for leaf in reading.leaves
        if leaf.said["event"] == rules.Event.ERASE.value
        for commitment in leaf.said["values"]["commitments"]
    }
    given = reading.bundle.read_json(parts.OPENINGS)
    opened, withheld, erased = given["opened"], given["withheld"], given["erased"]
    for commitment, opening in opened.items():
        made = hmac.new(bytes.fromhex(opening["key"]), _value(opening), hashlib.sha256).hexdigest()
        if made != commitment:
            raise Refuted(f"the {opening['field']} opened for {commitment[:16]}… is not what was committed to")
    for commitment, day in erased.items():
        if erased_in_log.get(commitment) != day:
            raise Refuted(f"{commitment[:16]}… is said to have been erased on {day}, and the log does not say so")
    accounted = {*opened, *withheld, *erased}
    if accounted - said:
        raise Refuted(f"{min(accounted - said)[:16]}… is opened and stands in no leaf")
    if said - accounted:
        raise Refuted(f"{min(said - accounted)[:16]}… stands in a leaf and is neither opened, withheld nor erased")
    days = sorted({day[:10] for day in erased.values()})
    told = f"{len(erased)} erased on {', '.join(days)}" if erased else "none erased"
    return f"{len(opened)} opened as committed, {len(withheld)} withheld, {told}"


def _value(opening: dict[str, str]) -> bytes:
    return base64.b64decode(opening["base64"]) if "base64" in opening else opening["value"].encode()


def pictures(reading: Reading) -> str:
    """Each picture is the one whose hash was committed to when it was taken."""
    given = reading.bundle.read_json(parts.OPENINGS)
    expected = {
        commitment: opening["value"] for commitment, opening in given["opened"].items() if opening["field"] == "picture"
    }
    found = {name[len(parts.PICTURES) :].split(".")[0]: name for name in reading.bundle.names(parts.PICTURES)}
    if not expected and not found:
        raise Unanswered("the bundle was made without pictures")
    if found.keys() - expected.keys():
        raise Refuted(f"the picture {min(found.keys() - expected.keys())[:16]}… belongs to no leaf")
    if expected.keys() - found.keys():
        raise Refuted(f"the picture {min(expected.keys() - found.keys())[:16]}… is missing")
    for commitment, name in found.items():
        if hashlib.sha256(reading.bundle.read(name)).hexdigest() != expected[commitment]:
            raise Refuted(f"the picture {commitment[:16]}… is not the one that was taken")
    return f"{len(found)} pictures are those that were taken"
