"""What of a trace somebody may open: fields named one by one, so that a new one is nobody's until it is decided."""

from __future__ import annotations

from enum import StrEnum

from xueji.trace.rules import STAFF_ORGANISATION

SITTING = frozenset({"device", "camera", "place"})
WORDS = frozenset({"reason", "appeal", "review"})
ABOUT = frozenset({"masked_name", "number_end", "institution", "cohort_title", "lesson_titles", "session_title"})
"""Enough to know whose hours, taught by whom and in what; not enough to give a stranger her identity number."""
IN_FULL = frozenset({"person_name", "person_number"})
IN_OFFICE = frozenset({"staff_name", "teacher"})
"""Who stands for an act. An employer is told for which organisation, and no more."""
DECLARED = frozenset({"employer", "earlier"})
PICTURE = "picture"
REFERENCE = "reference"
SCHEDULE = "schedule"


class Asker(StrEnum):
    """In which capacity a bundle is asked for."""

    TRAINEE = "herself"
    INSTITUTION = "institution"
    ENTERPRISE = "enterprise"
    REGULATOR = "regulator"


OPENED = {
    # When checks are still to come is for nobody who is checked, or who teaches those who are.
    Asker.TRAINEE: SITTING | WORDS | DECLARED | ABOUT | IN_FULL | IN_OFFICE | {STAFF_ORGANISATION},
    Asker.INSTITUTION: SITTING | WORDS | DECLARED | ABOUT | IN_OFFICE | {STAFF_ORGANISATION},
    Asker.ENTERPRISE: SITTING | ABOUT | {STAFF_ORGANISATION},
    Asker.REGULATOR: SITTING | WORDS | DECLARED | ABOUT | IN_FULL | IN_OFFICE | {STAFF_ORGANISATION, SCHEDULE},
}
SEES_FACES = frozenset({Asker.TRAINEE, Asker.INSTITUTION, Asker.REGULATOR})
"""Never the employer."""


def opened_fields(asker: Asker, *, with_pictures: bool) -> frozenset[str]:
    """The kinds of commitments a bundle opens for somebody; what a picture hashes to goes with the picture."""
    faces = with_pictures and asker in SEES_FACES
    return OPENED[asker] | ({PICTURE, REFERENCE} if faces else frozenset())
