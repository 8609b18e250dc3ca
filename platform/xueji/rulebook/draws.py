"""Fair draws: whoever knows the seed and those who could be drawn, draws the same ones again. Standard library only."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from uuid import UUID


def drawn(seed: bytes, population: Iterable[UUID], size: int) -> list[UUID]:
    """The ``size`` members of the population whose HMAC-SHA256 under the seed is least, the least first.

    Everybody has the same chance, the order in which the population is given does not matter, and whoever knows seed
    and population draws the same ones again.
    """
    ranked = sorted(set(population), key=lambda each: hmac.digest(seed, each.bytes, "sha256"))
    return ranked[:size]


def population_digest(population: Iterable[UUID]) -> str:
    """SHA-256 (hex) over the ids in ascending order: the leaf of a draw names its population by it."""
    digest = hashlib.sha256()
    for each in sorted(population):
        digest.update(each.bytes)
    return digest.hexdigest()
