"""What a leaf says, before it is recorded: one frozen class an event, in `leaves.py` of the part that writes it.

A class names each field of the leaf's ``values`` with its unit, and which fields are commitments::

    @leaf(Event.CHECK_EXTEND)
    class CheckExtended(OfTrainee):
        "The browser's question about the camera stands, or was answered."

        check: Id
        answer_by_ms: EpochMs

A field without a default stands in every leaf, if need be as null. A field whose default is None is left out where it
is None. A name that Python keeps for itself is written with an underscore at the end (``from_``). Units and
commitments are read by tests alone (docs/log-events.md, `evidence.claims.committed`); recording pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar, dataclass_transform

from xueji.trace import canonical, rules
from xueji.trace.rules import BY, By, Event


class Chain(StrEnum):
    """Which kind of chain an event goes on."""

    ENROLMENT = "enrolment"
    """of one trainee in one cohort: its name is the enrolment's id"""
    COHORT = "cohort"
    """``cohort/<id>``"""
    PLATFORM = "platform"
    """the one chain of the installation"""
    LOG = "log"
    """``log/<origin>``: a log's own opening"""
    HOLDERS = "holders"
    """of those outside who hold a checkpoint"""


class Unit(NamedTuple):
    """What a field is measured in, in the words of docs/log-events.md."""

    name: str


class Members(NamedTuple):
    """What every member of an object is measured in, where its names are another's business."""

    unit: Unit


class Hidden(StrEnum):
    """What a commitment hides."""

    PERSON = "person"
    """something about the person whose file it is, in her file: name, face, device, words"""
    STAFF = "staff"
    """who acted in office, and for whom"""
    PLACE = "place"
    """where, and in which course"""
    DRAW = "draw"
    """what must not be foreseen: when checks fall due, from which seed was drawn"""


class Commitment(NamedTuple):
    """An HMAC stands in the leaf; what it was made from is kept apart, and may be opened or erased."""

    kind: Hidden
    opened_as: str | None = None
    """the name it may be opened under (`evidence.rules`), where that is not its name in the leaf"""


Id = Annotated[str, Unit("id")]
Word = Annotated[str, Unit("word")]
WordOrNull = Annotated[str | None, Unit("word or null")]
Words = Annotated[list[str], Unit("list of words")]
Text = Annotated[str, Unit("text")]
Pseudonym = Annotated[str, Unit("pseudonym")]
Sha256 = Annotated[str, Unit("SHA-256")]
EpochMs = Annotated[int, Unit("epoch ms")]
Ms = Annotated[int, Unit("ms")]
MediaMs = Annotated[int, Unit("ms of media")]
Millionths = Annotated[int, Unit("millionths")]
Count = Annotated[int, Unit("count")]
NumberFromOne = Annotated[int, Unit("number from 1")]
Flag = Annotated[bool, Unit("true or false")]
Day = Annotated[str, Unit("date")]
Division = Annotated[str, Unit("six digits")]
StaffName = Annotated[str, Commitment(Hidden.STAFF)]
OfPerson = Annotated[str, Commitment(Hidden.PERSON)]
OfPlace = Annotated[str, Commitment(Hidden.PLACE)]
Drawn = Annotated[str, Commitment(Hidden.DRAW)]


class Unnamed(ValueError):
    """An act of staff that does not commit to who acted: it is made with `identity.services.acting`."""


class WrongChain(ValueError):
    """A leaf was to be recorded on a chain that its event does not go on."""


class LeafTooLarge(ValueError):
    """Large things are hashed and the hash is logged."""


class _Layout(NamedTuple):
    """How the values of a class of leaves are read."""

    names: tuple[str, ...] = ()
    """of the fields that stand in every leaf"""
    read: Callable[[Any], Any] | None = None
    """gives their values, in this order: a tuple, or the value itself where there is one field"""
    optional: tuple[tuple[str, str], ...] = ()
    """attribute and name of the others"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What one leaf says. Its classes are made with `leaf`."""

    EVENT: ClassVar[Event]
    CHAINS: ClassVar[frozenset[Chain]] = frozenset({Chain.ENROLMENT})
    OCCURRED: ClassVar[bool] = False
    """Whether the leaf carries the client's own time, too."""
    FORMER: ClassVar[frozenset[str]] = frozenset()
    """Fields that leaves of earlier releases have, and that are written no more."""
    NAMED_BY: ClassVar[tuple[str, ...]] = ()
    """Which fields must say who acted, where somebody did."""
    ACTS_OF: ClassVar[frozenset[By]] = frozenset()
    LAYOUT: ClassVar[_Layout] = _Layout()

    def values(self) -> dict[str, Any]:
        """The leaf's ``values`` as they are written."""
        names, read, optional = self.LAYOUT
        values = {} if read is None else dict(zip(names, read(self) if len(names) > 1 else (read(self),), strict=True))
        for attribute, name in optional:
            value = getattr(self, attribute)
            if value is not None:
                values[name] = value
        return values

    def unnamed(self) -> bool:
        """Whether it does not say who acted, where somebody must have."""
        return any(getattr(self, name) is None for name in self.NAMED_BY)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTrainee(Leaf):
    """An act of the person whose chain it is, under her pseudonym."""

    ACTS_OF: ClassVar[frozenset[By]] = frozenset({By.TRAINEE})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPlatform(Leaf):
    """Nobody in particular did it."""

    ACTS_OF: ClassVar[frozenset[By]] = frozenset({By.PLATFORM})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAnybody(Leaf):
    """Whoever asked did it, under her pseudonym; she is not named."""

    ACTS_OF: ClassVar[frozenset[By]] = frozenset({By.ANYBODY})


@dataclass(frozen=True, slots=True, kw_only=True)
class InOffice(Leaf):
    """An act that may be somebody's in office; the leaf then commits to who acted. See `identity.services.acting`."""

    staff_name: StaffName | None = None
    staff_organisation: StaffName | None = None

    ACTS_OF: ClassVar[frozenset[By]] = frozenset({By.ANYBODY})

    def named(self, staff_name: str, staff_organisation: str) -> Self:
        """The same with commitments to who acted, and for which organisation."""
        return replace(self, staff_name=staff_name, staff_organisation=staff_organisation)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfStaff(InOffice):
    """An act of somebody in office."""

    ACTS_OF: ClassVar[frozenset[By]] = frozenset({By.STAFF})
    NAMED_BY: ClassVar[tuple[str, ...]] = (rules.STAFF_NAME, rules.STAFF_ORGANISATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPower(Leaf):
    """An act of somebody with power over accounts, organisations or cohorts. See `identity.services.recording`."""

    actor: StaffName | None = None
    """her id; absent when it was the installation itself"""

    ACTS_OF: ClassVar[frozenset[By]] = frozenset({By.POWER})
    NAMED_BY: ClassVar[tuple[str, ...]] = ("actor",)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverPerson(OfPower):
    """An act of power over one person's account or file."""

    subject: OfPerson | None = None
    """the id of whoever it was done to"""


_Class = TypeVar("_Class", bound=Leaf)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def leaf(
    event: Event, *chains: Chain, occurred: bool = False, former: tuple[str, ...] = ()
) -> Callable[[type[_Class]], type[_Class]]:
    """Make a class the one of an event; it goes on a trainee's chain unless ``chains`` says otherwise.

    Raises TypeError when the event is somebody else's act than the class it derives from says.
    """

    def make(cls: type[_Class]) -> type[_Class]:
        if BY[event] not in cls.ACTS_OF:
            raise TypeError(f"{cls.__name__}: {event} is an act of {BY[event].name}")
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.EVENT = event
        made.CHAINS = frozenset(chains or (Chain.ENROLMENT,))
        made.OCCURRED = occurred
        made.FORMER = frozenset(former)
        always = tuple(field.name for field in fields(made) if field.default is MISSING)
        optional = tuple(field.name for field in fields(made) if field.default is not MISSING)
        made.LAYOUT = _Layout(
            tuple(map(name_in_leaf, always)),
            attrgetter(*always) if always else None,
            tuple((attribute, name_in_leaf(attribute)) for attribute in optional),
        )
        return made

    return make


def name_in_leaf(attribute: str) -> str:
    """What a class's field is called in the leaf."""
    return attribute.rstrip("_")


class Entry(NamedTuple):
    """What a service asks to have recorded."""

    leaf: Leaf
    chain: str
    who: str
    at_ms: int | None = None
    """Server time in epoch milliseconds; None means now."""
    occurred: str | None = None
    """The client's own time of it (RFC 3339), believed by nobody, kept for the reader."""

    @property
    def event(self) -> Event:
        """What happened."""
        return self.leaf.EVENT


def kind_of(chain: str) -> Chain:
    """Which kind a chain of this name is."""
    if chain == rules.PLATFORM:
        return Chain.PLATFORM
    if chain == rules.HOLDERS:
        return Chain.HOLDERS
    if chain.startswith(rules.COHORT):
        return Chain.COHORT
    return Chain.LOG if chain.startswith(rules.LOG) else Chain.ENROLMENT


def may_stand(entry: Entry) -> None:
    """Raises Unnamed where somebody in office must have acted and is not named, WrongChain."""
    said, chain, who = entry.leaf, entry.chain, entry.who
    if said.NAMED_BY and who != rules.SYSTEM and said.unnamed():
        raise Unnamed(f"{said.EVENT} in {chain}")
    if kind_of(chain) not in said.CHAINS:
        raise WrongChain(f"{said.EVENT} on {chain}")


def leaf_bytes(entry: Entry, *, n: int, previous: bytes, at: str, salt: bytes) -> bytes:
    """The bytes that are stored, hashed and never written again. Raises canonical.NotCanonical, LeafTooLarge."""
    written: dict[str, Any] = {
        "v": 1,
        "event": entry.leaf.EVENT,
        "at": at,
        "chain": entry.chain,
        "n": n,
        "prev": previous.hex(),
        "salt": salt.hex(),
        "who": entry.who,
        "values": entry.leaf.values(),
    }
    if entry.occurred is not None:
        written["occurred"] = entry.occurred
    data = canonical.encode(written)
    if len(data) > rules.LARGEST_LEAF:
        raise LeafTooLarge(f"{entry.event}: {len(data)} bytes")
    return data
