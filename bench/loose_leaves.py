"""Leaves whose values are put together by hand, for benchmarks and tests: the product records only declared classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from xueji.trace.leaf import Chain, InOffice, OfPower, OfStaff
from xueji.trace.rules import BY, By, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseLeaf(InOffice):
    """A leaf of some event, on any chain."""

    written: Mapping[str, Any]

    CHAINS: ClassVar[frozenset[Chain]] = frozenset(Chain)

    def values(self) -> dict[str, Any]:
        """What was written, and who acted when that was added later."""
        names = {"staff_name": self.staff_name, "staff_organisation": self.staff_organisation}
        return {**self.written, **{name: value for name, value in names.items() if value is not None}}

    def unnamed(self) -> bool:
        """Whether it lacks who acted."""
        return not set(self.NAMED_BY) <= self.values().keys()


@cache
def _class(event: Event, *, named: bool) -> type[LooseLeaf]:
    named_by = {By.STAFF: OfStaff.NAMED_BY, By.POWER: OfPower.NAMED_BY}.get(BY[event], ()) if named else ()
    return type("LooseLeaf", (LooseLeaf,), {"EVENT": event, "NAMED_BY": named_by, "__slots__": ()})


def loose(event: Event, values: Mapping[str, Any], *, named: bool = True) -> LooseLeaf:
    """A leaf of this event with these values; not ``named``, it need not say who acted, as in the first release."""
    return _class(event, named=named)(written=values)
