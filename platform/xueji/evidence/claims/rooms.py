"""What a bundle tells of sessions in person: what she says of them, and which ones it took two to enter.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xueji.evidence import bundle as parts
from xueji.evidence.claims import shapes
from xueji.evidence.claims.reading import ClaimContext, Unanswered
from xueji.trace import rules

LONGEST_REASON = 60


def rooms(reading: ClaimContext) -> str:
    """The sessions in person are told with every bound they do not keep by themselves, and the reasons given for them.

    That they count rightly is the claim on hours; this one says aloud what two people stand for.
    """
    if reading.pictures is None:
        raise Unanswered("the openings did not hold")
    statement = shapes.fields(reading.bundle.read_json(parts.STATEMENT), parts.STATEMENT)
    lines = [
        shapes.fields(line, "a session in the statement", "session", "doubts", "settled", "word")
        for line in shapes.each(statement.get("attendance", []), "attendance in the statement")
    ]
    if not lines:
        return "no session in person is accounted for singly"
    words = [shapes.text(line["word"], "her word in the statement") for line in lines]
    told = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    doubted = [line for line in lines if line["doubts"]]
    if not doubted:
        return f"{len(lines)} in person ({told}), each planned before and entered in time by one person"
    reasons = _reasons(reading)
    notes = "; ".join(_note(line, reasons) for line in doubted)
    return f"{len(lines)} in person ({told}), {len(doubted)} of them not by themselves: {notes}"


def _note(line: Mapping[str, Any], reasons: Mapping[str, list[str]]) -> str:
    doubts = " ".join(shapes.text(doubt, "a doubt") for doubt in shapes.each(line["doubts"], "doubts"))
    given = " / ".join(reasons.get(str(line["session"]), [])) or "reason withheld"
    return f"{doubts}, {'settled' if line['settled'] is True else 'open'} ({given})"


def _reasons(reading: ClaimContext) -> dict[str, list[str]]:
    """By session, the reasons of whoever entered it and of whoever settled it, as far as they are opened."""
    found: dict[str, list[str]] = {}
    for leaf in reading.known_leaves:
        values = leaf.said["values"]
        if leaf.said["event"] in (rules.Event.ATTENDANCE, rules.Event.ATTENDANCE_SETTLE) and "reason" in values:
            reason = (reading.opened or {}).get(str(values["reason"]))
            if reason is not None:
                found.setdefault(str(values["session"]), []).append(reason.decode("utf-8", "replace")[:LONGEST_REASON])
    return found
