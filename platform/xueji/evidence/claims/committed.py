"""What stands in a leaf as a commitment, and under which name it may be opened.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from xueji.trace.rules import STAFF_NAME, STAFF_ORGANISATION, Event

SUBJECT = (
    "person_name",
    "person_number",
    "masked_name",
    "number_end",
    "institution",
    "cohort_title",
    "lesson_titles",
)
"""Whom and what an enrolment is about, as its opening leaf commits to it. Lesson titles are one JSON list."""
COMMITTED = frozenset(
    {
        *("commitment", "device", "schedule", "place", "reason", "teacher", "session_title", "actor", "subject"),
        *("reference", "references", "holder", "employer", "earlier"),
        *(STAFF_NAME, STAFF_ORGANISATION),
        *SUBJECT,
    }
)
"""Under these names a leaf holds commitments."""
FIELDS: dict[tuple[str, str], str] = {
    (Event.CHECK_ANSWER, "frames.commitment"): "picture",
    (Event.CHECK_ANSWER, "device"): "camera",
    (Event.CHECK_APPEAL, "reason"): "appeal",
    (Event.CHECK_PROPOSE, "reason"): "review",
    (Event.CHECK_REVIEW, "reason"): "review",
    (Event.CHECK_STRIKE, "reason"): "review",
    (Event.CHECK_REOPEN, "reason"): "review",
    (Event.CHECK_VERDICT, "references"): "reference",
    (Event.REFERENCE_STAND, "references.reference"): "reference",
    (Event.REFERENCE_ENROL, "near.reference"): "reference",
    (Event.REFERENCE_REFUSE, "reason"): "review",
}
"""By event and place in its values: the name a commitment is opened under, where that is not its name in the leaf."""
_COMMITMENT = re.compile(r"[0-9a-f]{64}")


def commitments(event: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The commitments that stand anywhere in a leaf's values, each with the one name it may be opened under."""
    return {
        commitment: FIELDS.get((event, place), place.rpartition(".")[2])
        for name, value in values.items()
        for place, commitment in _collect(name, name, value)
    }


def _collect(name: str, place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if name in COMMITTED and _COMMITMENT.fullmatch(value):
            yield place, value
    elif isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _collect(inner_name, f"{place}.{inner_name}", inner)
    elif isinstance(value, list) and value and not isinstance(value[0], int):
        for inner in value:
            yield from _collect(name, place, inner)
