"""What a verifier reads from a bundle before it judges, and how it says that something does not hold.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from functools import cached_property
from typing import Any

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle, BundleError, json_value
from xueji.evidence.claims import shapes
from xueji.python38 import UTC, dataclass
from xueji.trace import rules
from xueji.trace.note import COSIGNATURE, ED25519, Checkpoint, Note, NoteError, VerifierKey
from xueji.trace.tokens import Certificate


class Refuted(Exception):
    """A claim does not hold; the message names the thing that does not."""


class Unanswered(Exception):
    """There is nothing to check, or it cannot be checked because another claim fell."""


@dataclass(frozen=True)
class Policy:
    """Whom the reader trusts."""

    keys: dict[str, list[VerifierKey]]
    """By the origin of a log, what it signs with."""
    clocks: dict[str, list[VerifierKey]]
    witnesses: list[VerifierKey]
    authorities: list[bytes]
    lag_ms: int
    """Never more than the log itself allows: a policy that asks for more would let leaves be dated back."""

    @classmethod
    def parse(cls, written: str, name: str) -> Policy:
        """From the JSON that `trace.policy` writes; ``name`` is what the file is called. Raises BundleError."""
        values = shapes.only_fields(json_value(written, name), name, "logs", "witnesses", "authorities", "lag_ms")
        keys: dict[str, list[VerifierKey]] = {}
        clocks: dict[str, list[VerifierKey]] = {}
        for log in shapes.each(values["logs"], f"logs in {name}"):
            shapes.only_fields(log, f"a log in {name}", "origin", "keys", "clocks")
            origin = shapes.text(log["origin"], f"an origin in {name}")
            if origin in keys:
                raise BundleError(f"{name} lists {origin} twice")
            keys[origin] = _keys(log["keys"], ED25519, f"the keys of {origin} in {name}")
            clocks[origin] = _keys(log["clocks"], COSIGNATURE, f"the clocks of {origin} in {name}")
        authorities = shapes.each(values["authorities"], f"authorities in {name}")
        return cls(
            keys=keys,
            clocks=clocks,
            witnesses=_keys(values["witnesses"], COSIGNATURE, f"the witnesses in {name}"),
            authorities=[_certificate(each, f"an authority in {name}") for each in authorities],
            lag_ms=shapes.whole(values["lag_ms"], f"lag_ms in {name}", most=rules.LONGEST_LAG_MS),
        )


def _keys(value: Any, kind: int, what: str) -> list[VerifierKey]:
    try:
        keys = [VerifierKey.parse(shapes.text(each, what)) for each in shapes.each(value, what)]
    except NoteError as error:
        raise BundleError(f"{what}: {error}") from error
    if any(key.kind != kind for key in keys):
        raise BundleError(f"{what}: a key of another kind")
    return keys


def _certificate(value: Any, what: str) -> bytes:
    whole = shapes.base64_bytes(value, what)
    try:
        Certificate.parse(whole)
    except (ValueError, IndexError) as error:
        raise BundleError(f"{what} is no certificate") from error
    return whole


@dataclass(frozen=True)
class BundleLeaf:
    """One line of the events: its exact bytes, their hash, and what they say."""

    data: bytes
    hash: bytes
    said: dict[str, Any]
    at_ms: int


@dataclass(frozen=True)
class Anchor:
    """An earlier checkpoint of a tree, with what came with it."""

    checkpoint: Checkpoint
    written: str
    signed: Note
    """With the witnesses' lines."""
    time: int
    """Epoch seconds, by the log's own clock."""
    consistency: list[bytes]


@dataclass(frozen=True)
class BundleTree:
    """One log's part of the proof; there is more than one only after a loss."""

    checkpoint: Checkpoint
    signed: Note
    time: int
    leaves: list[tuple[int, int]]
    """(n in the chain, index in the tree), ascending."""
    hashes: list[bytes]
    anchors: list[Anchor] = field(default_factory=list)


@dataclass
class ClaimContext:
    """What claims found out and later ones build on."""

    bundle: Bundle
    brought: str | None = None
    """The text of a policy the auditor brought along."""
    held: str | None = None
    """A checkpoint the auditor brought along."""
    leaves: list[BundleLeaf] = field(default_factory=list)
    trees: list[BundleTree] = field(default_factory=list)
    opened: dict[str, bytes] | None = None
    """By commitment, each value that is opened; None as long as the openings do not hold."""
    outside: set[str] = field(default_factory=set)
    """Who outside has seen this log: witnesses by name, and whether an authority stamped it."""
    pictures: dict[str, str] | None = None
    """By commitment, the SHA-256 (hex) of each picture that is opened; None as long as the openings do not hold."""

    @cached_property
    def policy(self) -> Policy:
        """Raises BundleError."""
        if self.brought is not None:
            return Policy.parse(self.brought, "the policy you hold")
        return Policy.parse(self.bundle.read_text(parts.POLICY), parts.POLICY)

    @property
    def known_leaves(self) -> list[BundleLeaf]:
        """Never empty. Raises Unanswered."""
        if not self.leaves:
            raise Unanswered("the leaves could not be read")
        return self.leaves

    @property
    def newest(self) -> BundleTree:
        """Raises Unanswered."""
        if not self.trees:
            raise Unanswered("the checkpoints did not hold")
        return self.trees[-1]


def utc(seconds: int) -> str:
    """Epoch seconds as a reader writes them. Raises Refuted when they are no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError) as error:
        raise Refuted(f"{seconds} s after 1970 is no time") from error
