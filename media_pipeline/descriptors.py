"""Face descriptors: 128 numbers a face, how far two are apart, and which of many are near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Descriptor = NDArray[np.float32]
"""``[128]`` float32, of length one half. Biometric data: kept encrypted, deleted when consent is withdrawn."""

LENGTH = 128
MICRO = 1_000_000
_BLOCK_ROWS = 8192


def to_bytes(descriptor: Descriptor) -> bytes:
    """512 bytes, little-endian float32."""
    return np.ascontiguousarray(descriptor, "<f4").tobytes()


def from_bytes(data: bytes) -> Descriptor:
    """The reverse of ``to_bytes``. Raises ``ValueError`` unless it is 512 bytes of finite numbers."""
    if len(data) != 4 * LENGTH:
        raise ValueError(f"a descriptor has {4 * LENGTH} bytes, not {len(data)}")
    values = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("a descriptor holds finite numbers only")
    return values


def halved(values: NDArray[np.float32]) -> Descriptor:
    """The direction of ``values`` as a descriptor: length one half, so that no two are farther apart than 1."""
    wide = values.astype(np.float64)
    return np.asarray(wide / max(2 * float(np.linalg.norm(wide)), 1e-12), np.float32)


def compare(one: Descriptor, other: Descriptor) -> float:
    """Euclidean distance: 0 is the same picture, up to 0.5 the same person, strangers lie about 0.7 apart."""
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))


def to_micro(distance: float) -> int:
    """A distance in millionths, as it is stored and put on record."""
    return round(distance * MICRO)


@dataclass(frozen=True)
class Near:
    """One hit of a search: its row in the searched matrix and its distance in micro-units."""

    row: int
    distance_micro: int


def nearest(descriptor: Descriptor, others: NDArray[np.float32], *, within_micro: int, limit: int = 10) -> list[Near]:
    """The rows of ``others`` (``[n, 128]``) no farther than ``within_micro``, nearest first, at most ``limit``.

    For finding one face under two accounts at enrolment. 100 000 rows take some 20 ms.
    """
    if others.size == 0:
        return []
    # In blocks, so that a site with all its people costs a few megabytes and not a copy of everything.
    squares = np.empty(len(others), np.float32)
    for start in range(0, len(others), _BLOCK_ROWS):
        differences = others[start : start + _BLOCK_ROWS] - descriptor
        np.einsum("ij,ij->i", differences, differences, out=squares[start : start + _BLOCK_ROWS])
    rows = np.flatnonzero(squares <= (within_micro / MICRO) ** 2 * (1 + 1e-6))
    hits = [Near(int(row), to_micro(float(np.sqrt(squares[row])))) for row in rows[np.argsort(squares[rows])][:limit]]
    return [hit for hit in hits if hit.distance_micro <= within_micro]
