"""Whom a seed draws, and by what a draw names those it was made from."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from xueji.rulebook.draws import drawn, population_digest

SEED = b"s" * 32
PEOPLE = [UUID(int=n) for n in range(1, 41)]


def test_whoever_knows_seed_and_population_draws_the_same_ones_again() -> None:
    """Reckoned as anybody can: HMAC-SHA256 of the 16 bytes of an id under the seed, the least first."""
    by_hand = sorted(PEOPLE, key=lambda each: hmac.new(SEED, each.bytes, hashlib.sha256).digest())
    assert drawn(SEED, PEOPLE, 5) == by_hand[:5]
    assert drawn(SEED, [*reversed(PEOPLE), *PEOPLE], 5) == by_hand[:5]
    assert drawn(SEED, PEOPLE, 99) == by_hand
    assert drawn(b"t" * 32, PEOPLE, 5) != by_hand[:5]
    assert drawn(SEED, PEOPLE, 0) == []


def test_a_population_is_named_by_its_ids_in_ascending_order() -> None:
    by_hand = hashlib.sha256(b"".join(each.bytes for each in PEOPLE)).hexdigest()
    assert population_digest(PEOPLE) == population_digest(reversed(PEOPLE)) == by_hand
    assert population_digest(PEOPLE[:-1]) != by_hand
    assert population_digest([]) == hashlib.sha256(b"").hexdigest()
