"""What cohorts write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from xueji.trace.leaf import Chain, Count, Division, Id, OfPower, OfStaff, Words, leaf
from xueji.trace.rules import Event


@leaf(Event.COHORT_OPEN, Chain.PLATFORM)
class CohortOpened(OfPower):
    """A cohort was opened."""

    cohort: Id
    organisation: Id
    region: Division


@leaf(Event.COHORT_AMEND, Chain.COHORT)
class TermsAmended(OfStaff):
    """Two people corrected terms of an open cohort."""

    amendment: Id
    fields: Words
    """which terms"""
    trainees: Count
