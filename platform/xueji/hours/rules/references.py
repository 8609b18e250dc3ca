"""Whose face the checks of an enrolment were compared with, and on whose word: reference photos as its chain has them.

A photo is known by its commitment. It is trusted when staff confirmed it, when it is near enough to one that staff
confirmed, or when it was the first and the plan asks for no confirmation. What was decided last holds, and only what
was decided before the time for it was over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from xueji.hours.rules.leaf_values import Values
from xueji.hours.rules.records import EnrolmentTerms
from xueji.python38 import StrEnum, dataclass


class ReferenceState(StrEnum):
    """What is known of a reference photo."""

    TRUSTED = "trusted"
    AWAITING = "awaiting"
    """nobody has said yet that it shows her"""
    REFUSED = "refused"
    """staff did not find her in it"""


@dataclass(slots=True)
class _Reference:
    first: bool
    """whether the chain knew no other before it"""
    confirmed: bool | None = None
    """the last word of staff; None: there is none"""
    near: set[str] = field(default_factory=set)
    """those it is near enough to, in either direction"""


@dataclass(slots=True)
class References:
    """What has been read of an enrolment's reference photos so far."""

    known: dict[str, _Reference] = field(default_factory=dict)

    def stand(self, values: Values) -> None:
        """What stood when the enrolment was opened, or before its chain spoke of references."""
        first = not self.known
        for each in values.each("references"):
            reference = self.known.setdefault(each.text("reference"), _Reference(first))
            if each.flag("confirmed"):
                reference.confirmed = True

    def enrol(self, values: Values) -> None:
        name, limit = values.text("reference"), values.whole("limit")
        reference = self.known.setdefault(name, _Reference(not self.known))
        for each in values.each("near"):
            other = each.text("reference")
            if each.whole("distance") <= limit and other in self.known and other != name:
                reference.near.add(other)
                self.known[other].near.add(name)

    def decide(self, values: Values, *, confirmed: bool) -> None:
        name = values.text("reference")
        self.known.setdefault(name, _Reference(not self.known)).confirmed = confirmed

    def state(self, name: str, enrolment: EnrolmentTerms) -> ReferenceState:
        """One step from a confirmed photo and no farther: else a face could change step by step."""
        reference = self.known.get(name)
        if reference is None:
            return ReferenceState.AWAITING
        if reference.confirmed is not None:
            return ReferenceState.TRUSTED if reference.confirmed else ReferenceState.REFUSED
        if any(self.known[other].confirmed for other in reference.near):
            return ReferenceState.TRUSTED
        taken_as_hers = reference.first and not enrolment.plan.confirm_reference
        return ReferenceState.TRUSTED if taken_as_hers else ReferenceState.AWAITING

    def vouch_for(self, names: Iterable[str], enrolment: EnrolmentTerms) -> bool:
        """Whether a match against these photos says that it was she. Chains of the first edition never asked."""
        if enrolment.rules < ASKED_FROM:
            return True
        named = list(names)
        if not named:
            return not enrolment.plan.confirm_reference
        return all(self.state(name, enrolment) is ReferenceState.TRUSTED for name in named)


ASKED_FROM = 2
"""The edition of the account's rules from which it asks whose face a check was compared with."""
