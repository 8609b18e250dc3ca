"""Which commitments of a trace a bundle opens, for each who may ask for one, with pictures and without."""

from __future__ import annotations

import pytest

from xueji.evidence.rules import Asker, opened_fields

FACES = {"picture", "reference"}
HER_NAME_AND_NUMBER = {"person_name", "person_number"}
WORDS_AND_DECLARATIONS = {"reason", "appeal", "review", "employer", "earlier"}


@pytest.mark.parametrize("asker", Asker)
def test_faces_go_with_the_pictures_and_never_to_the_employer(asker: Asker) -> None:
    without = opened_fields(asker, with_pictures=False)
    assert not without & FACES
    added = opened_fields(asker, with_pictures=True) - without
    assert added == (set() if asker is Asker.ENTERPRISE else FACES)


@pytest.mark.parametrize(
    ("asker", "full", "words", "schedule"),
    [
        (Asker.TRAINEE, True, True, False),
        (Asker.INSTITUTION, False, True, False),
        (Asker.ENTERPRISE, False, False, False),
        (Asker.REGULATOR, True, True, True),
    ],
)
def test_her_number_is_hers_and_the_regulator_s_and_checks_to_come_are_told_to_nobody_taught(
    asker: Asker, full: bool, words: bool, schedule: bool
) -> None:
    opened = opened_fields(asker, with_pictures=False)
    assert (opened >= HER_NAME_AND_NUMBER, bool(HER_NAME_AND_NUMBER & opened)) == (full, full)
    assert (opened >= WORDS_AND_DECLARATIONS, bool(WORDS_AND_DECLARATIONS & opened)) == (words, words)
    assert ("schedule" in opened) is schedule
    assert {"masked_name", "number_end", "institution", "cohort_title", "staff_organisation"} <= opened
