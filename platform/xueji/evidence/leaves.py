"""What the handing out of evidence and of one's own data writes into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from typing import Annotated, Any

from xueji.trace.leaf import Chain, Count, EpochMs, InOffice, Members, OverPerson, Sha256, Text, Unit, leaf
from xueji.trace.rules import Event

Sums = Annotated[dict[str, Any], Unit("object"), Members(Unit("ms"))]


@leaf(Event.HOURS_STATEMENT)
class HoursStated(InOffice):
    """The figures with which a bundle closes."""

    as_of_ms: EpochMs
    leaves: Count
    """of the chain, that the statement was made from"""
    rulebook: Text
    rulebook_sha256: Sha256
    statement_sha256: Sha256
    online: Sums
    in_person: Sums
    totals: Sums


@leaf(Event.EVIDENCE_EXPORT)
class EvidenceExported(InOffice):
    """A bundle was taken away; it ends the chain as the bundle shows it."""

    head: Sha256
    """of the leaf before, the statement"""
    size: Count
    """leaves of the bundle's chain without the export"""


@leaf(Event.FILE_COPY, Chain.PLATFORM)
class FileCopied(OverPerson):
    """She took along what is kept about her."""
