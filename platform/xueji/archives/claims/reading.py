"""What a verifier reads from a bundle before it judges, and how it says that something does not hold.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from xueji.archives.bundle import Bundle, BundleError
from xueji.trace.note import Checkpoint, Note, VerifierKey


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

    @classmethod
    def parse(cls, values: Any) -> Policy:
        """Raises BundleError."""
        try:
            return cls(
                keys={log["origin"]: [VerifierKey.parse(key) for key in log["keys"]] for log in values["logs"]},
                clocks={log["origin"]: [VerifierKey.parse(key) for key in log["clocks"]] for log in values["logs"]},
                witnesses=[VerifierKey.parse(key) for key in values["witnesses"]],
                authorities=[base64.b64decode(each, validate=True) for each in values["authorities"]],
                lag_ms=int(values["lag_ms"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"the policy cannot be read: {error!r}") from error


@dataclass(frozen=True)
class Leaf:
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
    stamps: list[bytes]


@dataclass(frozen=True)
class Tree:
    """One log's part of the proof; there is more than one only after a loss."""

    checkpoint: Checkpoint
    signed: Note
    time: int
    leaves: list[tuple[int, int]]
    """(n in the chain, index in the tree), ascending."""
    hashes: list[bytes]
    anchors: list[Anchor]


@dataclass
class Reading:
    """What claims found out and later ones build on."""

    bundle: Bundle
    policy: Policy
    held: str | None = None
    """A checkpoint the auditor brought along."""
    leaves: list[Leaf] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)

    @property
    def newest(self) -> Tree:
        if not self.trees:
            raise Unanswered("the checkpoints did not hold")
        return self.trees[-1]


def hashes(encoded: Any) -> list[bytes]:
    try:
        decoded = [base64.b64decode(each, validate=True) for each in encoded]
    except (TypeError, binascii.Error) as error:
        raise Refuted(f"a proof cannot be read: {error}") from error
    if any(len(each) != 32 for each in decoded):
        raise Refuted("a proof holds something that is no hash")
    return decoded


def utc(seconds: int) -> str:
    """Epoch seconds as a reader writes them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
