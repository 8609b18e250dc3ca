"""What of a trace somebody may open: fields named one by one, so that a new one is nobody's until it is decided."""

from __future__ import annotations

from enum import StrEnum

SITTING = frozenset({"device", "camera", "place"})
WORDS = frozenset({"reason", "appeal", "review"})
PICTURE = "picture"
REFERENCE = "reference"
SCHEDULE = "schedule"


class Asker(StrEnum):
    """In which capacity a bundle is asked for."""

    HERSELF = "herself"
    INSTITUTION = "institution"
    ENTERPRISE = "enterprise"
    REGULATOR = "regulator"


OPENED = {
    # When checks are still to come is for nobody who is checked, or who teaches those who are.
    Asker.HERSELF: SITTING | WORDS,
    Asker.INSTITUTION: SITTING | WORDS,
    Asker.ENTERPRISE: SITTING,
    Asker.REGULATOR: SITTING | WORDS | {SCHEDULE},
}
SEES_FACES = frozenset({Asker.HERSELF, Asker.INSTITUTION, Asker.REGULATOR})
"""Never the employer."""


def opened_fields(asker: Asker, *, with_pictures: bool) -> frozenset[str]:
    """The kinds of commitments a bundle opens for somebody; what a picture hashes to goes with the picture."""
    faces = with_pictures and asker in SEES_FACES
    return OPENED[asker] | ({PICTURE, REFERENCE} if faces else frozenset())
