"""How well the engine tells a site's own people apart: the calibration report behind the threshold."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_pipeline.descriptors import MICRO, Descriptor, compare
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import DecodeError, decode, fit_within
from media_pipeline.verdict import JudgeSettings

COLUMNS = ("a", "b", "same")
_TRUE, _FALSE = {"1", "true", "yes", "same"}, {"0", "false", "no", "different"}


class PairsError(ValueError):
    """The list of pairs cannot be used; the message names the line and what is wrong with it."""


@dataclass(frozen=True)
class Pair:
    """Two pictures and whether they show the same person."""

    a: Path
    b: Path
    same: bool


def evaluate(
    pairs_csv: Path, *, engine: Engine, settings: JudgeSettings | None = None
) -> dict[str, float | int | None]:
    """Measure the pairs of a CSV file with the columns ``a, b, same``; paths are relative to the file.

    Every picture is embedded once. Rates are shares of 1, thresholds distances: ``eer`` (equal error rate) and
    ``eer_threshold``; ``tar_at_far_1e-2`` and ``tar_at_far_1e-3`` (true acceptances where at most that share of
    strangers passes); ``tar`` and ``far`` at ``threshold``, the one in force. ``images`` counts distinct pictures,
    ``pairs`` the measured ones, ``no_face`` the pictures without a face (their pairs are left out). A rate
    that the pairs cannot give, for want of either kind, is None. Raises ``PairsError``.
    """
    pairs = read_pairs(pairs_csv)
    descriptors = {path: _embed(path, engine) for path in sorted({path for pair in pairs for path in (pair.a, pair.b)})}
    same: list[float] = []
    different: list[float] = []
    for pair in pairs:
        one, other = descriptors[pair.a], descriptors[pair.b]
        if one is not None and other is not None:
            (same if pair.same else different).append(compare(one, other))
    threshold = (settings or JudgeSettings()).threshold_micro / MICRO
    return report(same, different, threshold) | {
        "images": len(descriptors),
        "pairs": len(same) + len(different),
        "no_face": sum(descriptor is None for descriptor in descriptors.values()),
    }


def report(same: Sequence[float], different: Sequence[float], threshold: float) -> dict[str, float | int | None]:
    """The rates from the distances of true pairs and of pairs of strangers."""
    accepted, strangers = np.sort(np.asarray(same)), np.sort(np.asarray(different))
    eer, eer_threshold = _equal_error(accepted, strangers)
    return {
        "eer": eer,
        "eer_threshold": eer_threshold,
        "tar_at_far_1e-2": _acceptance_at(accepted, strangers, 1e-2),
        "tar_at_far_1e-3": _acceptance_at(accepted, strangers, 1e-3),
        "threshold": threshold,
        "tar": _share_within(accepted, threshold),
        "far": _share_within(strangers, threshold),
    }


def read_pairs(pairs_csv: Path) -> list[Pair]:
    """Read and check the list. Raises ``PairsError`` with the line's number."""
    try:
        text = pairs_csv.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise PairsError(f"{pairs_csv}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise PairsError(f"{pairs_csv}: cannot be read as UTF-8 text") from error
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
    if missing:
        raise PairsError(f"{pairs_csv}: the first line must name the columns a, b, same; missing: {', '.join(missing)}")
    try:
        pairs = [_read_pair(row, reader.line_num, pairs_csv) for row in reader]
    except csv.Error as error:
        raise PairsError(f"{pairs_csv}, line {reader.line_num}: {error}") from error
    if not pairs:
        raise PairsError(f"{pairs_csv}: no pairs")
    return pairs


def _read_pair(row: dict[str, str | None], line: int, pairs_csv: Path) -> Pair:
    values = {column: (row[column] or "").strip() for column in COLUMNS}
    for column in COLUMNS:
        if not values[column]:
            raise PairsError(f"{pairs_csv}, line {line}: column {column} is empty")
    same = values["same"].lower()
    if same not in _TRUE | _FALSE:
        raise PairsError(f"{pairs_csv}, line {line}: same must be 1 or 0, not {values['same']!r}")
    paths = [pairs_csv.parent / values[column] for column in ("a", "b")]
    for path in paths:
        if not path.is_file():
            raise PairsError(f"{pairs_csv}, line {line}: no picture {path}")
    return Pair(paths[0].resolve(), paths[1].resolve(), same in _TRUE)


def _embed(path: Path, engine: Engine) -> Descriptor | None:
    """The descriptor of the largest face, None when there is none."""
    try:
        picture, _ = fit_within(decode(path.read_bytes()))
    except DecodeError as error:
        raise PairsError(f"{path}: not a usable picture ({error.fault.value})") from error
    faces = engine.find_faces(picture, Search.EVERYONE)
    return engine.describe(picture, faces[0]) if faces else None


def _share_within(distances: NDArray[np.float64], threshold: float) -> float | None:
    if distances.size == 0:
        return None
    return float(np.searchsorted(distances, threshold, side="right") / distances.size)


def _acceptance_at(same: NDArray[np.float64], different: NDArray[np.float64], allowed: float) -> float | None:
    """The share of true pairs nearer than the stranger that would be one too many."""
    if same.size == 0 or different.size == 0:
        return None
    first_refused = int(np.floor(allowed * different.size + 1e-9))
    limit = different[first_refused] if first_refused < different.size else np.inf
    return float(np.searchsorted(same, limit, side="left") / same.size)


def _equal_error(same: NDArray[np.float64], different: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Where as many true pairs are refused as strangers accepted: the middle of the two rates, and the threshold."""
    if same.size == 0 or different.size == 0:
        return None, None
    candidates = np.unique(np.concatenate([same, different]))
    refused = 1 - np.searchsorted(same, candidates, side="right") / same.size
    accepted = np.searchsorted(different, candidates, side="right") / different.size
    at = int(np.argmin(np.abs(refused - accepted)))
    return float((refused[at] + accepted[at]) / 2), float(candidates[at])
