"""What is declared of a trainee when she is let into a cohort, and whether it fits: pure functions over frozen facts.

Post and employer are the institution's word until the employer itself posts its people; so whatever does not fit is
given a reason, and every reason stands in the first leaf of her chain and in a list that the regulator reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xueji.rulebook.industries import UNKNOWN
from xueji.rulebook.vocabulary import Category, Training

LONGEST_EMPLOYER, LONGEST_EARLIER, LONGEST_REASON = 120, 200, 300


class Misfit(StrEnum):
    """What of a declaration does not fit the cohort."""

    POST = "post"
    """her post is not whom the cohort is for"""
    INDUSTRY = "industry"
    """her employer's industry is another one than that by which the cohort was opened, or unknown"""
    NOTHING_EARLIER = "nothing_earlier"
    """neither an earlier training on file nor a certificate is named before a refresher, a review or a renewal"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the institution says of somebody it enrols."""

    post: Category
    employer: str
    """Its name."""
    industry: str = UNKNOWN
    """The employer's, by the rulebook's code; that of a registered employer is its own word."""
    earlier: str = ""
    """Which certificate or training came before, with its number or date."""
    reason: str = ""
    """Why she is let in although something does not fit."""


def misfits(
    declared: Declaration | None, *, category: Category, industry: str, training: Training, trained_before: bool
) -> tuple[Misfit, ...]:
    """What does not fit a cohort of the category, industry and training (003 art. 8, 45).

    ``trained_before`` is an earlier training that the platform itself knows to be complete. A cohort that opened as one
    of unknown industry was held to the strictest rules, which fit everybody.
    """
    found: list[Misfit] = []
    if declared is not None and declared.post != category:
        found.append(Misfit.POST)
    if declared is not None and industry not in ("", UNKNOWN) and declared.industry != industry:
        found.append(Misfit.INDUSTRY)
    earlier = trained_before or (declared is not None and bool(declared.earlier))
    if training is not Training.INITIAL and not earlier:
        found.append(Misfit.NOTHING_EARLIER)
    return tuple(found)
