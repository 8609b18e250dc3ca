"""The route without a camera: for which time staff vouch for somebody, as the leaves of her check-ins say.

A check-in vouches from one look of staff to the next, and never longer than the plan's rounds are apart: what comes
after a missed round is held, and can be made up. Where the plan asks for the code shown in the room, a check-in vouches
for nothing until she has typed it. A check-in that was false is struck as a whole; somebody else can restore it.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from xueji.hours.rules.leaf_values import Values
from xueji.hours.rules.records import CheckStanding, ConfirmedPresence, DecidedCheck, EnrolmentTerms
from xueji.python38 import dataclass
from xueji.rulebook.vocabulary import Outcome

SUPERVISED: Final = "supervised"
_EVER: Final = 1 << 62
ABSENT: Final = "absent"
"""Why a check-in ended: a round did not find her. The other reason is that she was checked in elsewhere."""


@dataclass(slots=True)
class _CheckIn:
    """What has been read of one check-in so far."""

    looks: list[tuple[int, int]] = field(default_factory=list)
    """(instant, number of the leaf) of each time staff saw her"""
    until_ms: int = 0
    coded: bool = False
    struck_by: str | None = None


@dataclass(slots=True)
class Desk:
    """The check-ins of one chain while its leaves are read."""

    known: dict[str, _CheckIn] = field(default_factory=dict)

    def confirm(self, n: int, at: int, values: Values) -> None:
        """Staff saw her: as she came, in a round, as she left."""
        here = self.known.setdefault(values.text("checkin"), _CheckIn())
        here.looks.append((values.instant("at_ms"), n))
        # The last word on a check-in says until when it vouches: leaving early ends what its opening had promised.
        here.until_ms = values.instant("until_ms")

    def end(self, n: int, at: int, values: Values) -> None:
        """It is over without anybody having seen her leave: a round did not find her, or she is elsewhere."""
        here = self.known.get(values.text("checkin"))
        if here is not None and here.looks:
            seen = max(here.looks)[0]
            here.until_ms = min(here.until_ms, seen if values.text("why") == ABSENT else values.instant("at_ms"))

    def code(self, n: int, at: int, values: Values) -> None:
        """She typed the code shown in the room."""
        here = self.known.get(values.text("checkin"))
        if here is not None:
            here.coded = True

    def revoke(self, n: int, at: int, values: Values) -> None:
        here = self.known.get(values.text("checkin"))
        if here is not None:
            here.struck_by = values.who

    def restore(self, n: int, at: int, values: Values) -> None:
        """By somebody else than whoever struck it."""
        here = self.known.get(values.text("checkin"))
        if here is not None and here.struck_by not in (None, values.who):
            here.struck_by = None

    def confirmations(self) -> list[DecidedCheck]:
        """Each look of staff is a good check made by a person."""
        return [
            DecidedCheck(n, checkin, SUPERVISED, moment, Outcome.MATCH, CheckStanding.GOOD)
            for checkin, here in self.known.items()
            if here.struck_by is None
            for moment, n in here.looks
        ]

    def presences(self, enrolment: EnrolmentTerms) -> list[ConfirmedPresence]:
        """For which time staff vouch, in pieces where a round was missed; the first edition asked for no rounds."""
        plan = enrolment.plan
        found: list[ConfirmedPresence] = []
        round_ms = plan.round_ms if enrolment.rules >= 2 else _EVER
        for checkin, here in self.known.items():
            if here.struck_by is not None or (enrolment.rules >= 2 and plan.room_code and not here.coded):
                continue
            looks = sorted(moment for moment, _n in here.looks)
            start = looks[0]
            for look, following in zip(looks, [*looks[1:], None]):
                vouched = look + round_ms
                if following is None:
                    found.append(ConfirmedPresence(checkin, start, max(start, min(vouched, here.until_ms))))
                elif vouched < following:
                    found.append(ConfirmedPresence(checkin, start, vouched))
                    start = following
        return found
