"""How well the engine tells people apart: the calibration report behind the threshold."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media_pipeline.descriptors import MICRO, Descriptor, compare
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import DecodeError, decode, fit_within
from media_pipeline.looking import look
from media_pipeline.verdict import JudgeSettings

COLUMNS = ("a", "b", "same")
GROUP = "group"
_TRUE, _FALSE = {"1", "true", "yes", "same"}, {"0", "false", "no", "different"}
REFERENCES, DRAWS = 3, 10
"""Photos that a person may have enrolled, and how often they are drawn from a person's pictures."""


class PairsError(ValueError):
    """The list of pairs cannot be used; the message names the line and what is wrong with it."""


@dataclass(frozen=True)
class Pair:
    """Two pictures, whether they show the same person, and the group that both belong to ("" for none)."""

    a: Path
    b: Path
    same: bool
    group: str = ""


@dataclass(frozen=True)
class Distances:
    """What was measured: distances of one person's pictures and of strangers', 0 to 1."""

    same: tuple[float, ...]
    different: tuple[float, ...]


@dataclass(frozen=True)
class Evaluation:
    """The ``report`` as plain JSON values, and the distances that it was made from, by name of the curve."""

    report: dict[str, Any]
    curves: dict[str, Distances]


def evaluate(pairs_csv: Path, *, engine: Engine, settings: JudgeSettings | None = None) -> Evaluation:
    """Measure the pairs of a CSV file with the columns ``a, b, same`` and perhaps ``group``; paths relative to it.

    Every picture is described once. Rates are shares of 1, thresholds distances: ``eer`` (equal error rate) and
    ``eer_threshold``; ``tar_at_far_…`` (true acceptances where at most that share of strangers passes); ``tar`` and
    ``far`` at ``threshold``, the one in force; ``accused`` and ``known_strangers``, the shares of true pairs and of
    strangers beyond the line of a mismatch. ``same`` and ``different`` count the pairs, ``images`` distinct pictures,
    ``no_face`` those without a face (their pairs are left out). ``three_references`` gives the same rates for the
    median distance to three of a person's pictures, ``groups`` both for each group. A rate that the pairs cannot give
    is None. Raises ``PairsError``.
    """
    settings = settings or JudgeSettings()
    pairs = read_pairs(pairs_csv)
    described = {path: _embed(path, engine) for path in sorted({path for pair in pairs for path in (pair.a, pair.b)})}
    usable = [pair for pair in pairs if described[pair.a] is not None and described[pair.b] is not None]
    known = {path: descriptor for path, descriptor in described.items() if descriptor is not None}
    single, several = _single(usable, known), _with_references(usable, known)
    groups = sorted({pair.group for pair in usable} - {""})
    curves = {"": single}
    told: dict[str, Any] = {
        "engine": engine.name,
        "model": engine.model,
        **report(single, settings),
        "images": len(described),
        "pairs": len(usable),
        "no_face": len(described) - len(known),
        "three_references": report(several, settings),
    }
    if groups:
        told["groups"] = {}
    for group in groups:
        within = [pair for pair in usable if pair.group == group]
        curves[group] = _single(within, known)
        told["groups"][group] = {
            **report(curves[group], settings),
            "people": len(set(_people(within).values())),
            "three_references": report(_with_references(within, known), settings),
        }
    return Evaluation(told, curves)


def report(measured: Distances, settings: JudgeSettings) -> dict[str, float | int | None]:
    """The rates from the distances of true pairs and of pairs of strangers."""
    same, different = np.sort(np.asarray(measured.same)), np.sort(np.asarray(measured.different))
    eer, eer_threshold = _equal_error(same, different)
    threshold, mismatch = settings.threshold_micro / MICRO, settings.mismatch_micro / MICRO
    return {
        "eer": eer,
        "eer_threshold": eer_threshold,
        "tar_at_far_1e-2": _acceptance_at(same, different, 1e-2),
        "tar_at_far_1e-3": _acceptance_at(same, different, 1e-3),
        "tar_at_far_1e-4": _acceptance_at(same, different, 1e-4),
        "threshold": threshold,
        "tar": _share_within(same, threshold),
        "far": _share_within(different, threshold),
        "accused": _share_beyond(same, mismatch),
        "known_strangers": _share_beyond(different, mismatch),
        "same": len(same),
        "different": len(different),
    }


def _single(pairs: Iterable[Pair], known: dict[Path, Descriptor]) -> Distances:
    measured = [(pair.same, compare(known[pair.a], known[pair.b])) for pair in pairs]
    return Distances(
        tuple(apart for same, apart in measured if same), tuple(apart for same, apart in measured if not same)
    )


def _people(pairs: Iterable[Pair]) -> dict[Path, Path]:
    """Who is in each picture, named by one of the person's pictures: whatever true pairs connect is one person."""
    person: dict[Path, Path] = {}

    def find(path: Path) -> Path:
        while person.setdefault(path, path) != path:
            path = person[path]
        return path

    for pair in pairs:
        one, other = sorted((find(pair.a), find(pair.b)))
        if pair.same:
            person[other] = one
    return {path: find(path) for path in person}


def _with_references(pairs: Sequence[Pair], known: dict[Path, Descriptor]) -> Distances:
    """Three of a person's pictures drawn as references, her other ones and the strangers' held against them.

    Strangers are only those whom some pair of the list calls different.
    """
    person = _people(pairs)
    pictures: dict[Path, list[Path]] = {}
    for path, who in sorted(person.items()):
        pictures.setdefault(who, []).append(path)
    strangers: dict[Path, set[Path]] = {}
    for pair in pairs:
        if not pair.same and person[pair.a] != person[pair.b]:
            strangers.setdefault(person[pair.a], set()).add(person[pair.b])
            strangers.setdefault(person[pair.b], set()).add(person[pair.a])
    chance = np.random.default_rng(0)
    same: list[float] = []
    different: list[float] = []
    for who, own in pictures.items():
        if len(own) <= REFERENCES:
            continue
        others = [path for other in sorted(strangers.get(who, ())) for path in pictures[other]]
        for _ in range(DRAWS):
            order = [own[place] for place in chance.permutation(len(own))]
            references = np.stack([known[path] for path in order[:REFERENCES]])
            same += _medians(references, [known[path] for path in order[REFERENCES:]])
            different += _medians(references, [known[path] for path in others])
    return Distances(tuple(same), tuple(different))


def _medians(references: NDArray[np.float32], probes: Sequence[Descriptor]) -> list[float]:
    if not probes:
        return []
    apart = np.linalg.norm(np.stack(probes)[:, None].astype(np.float64) - references[None], axis=2)
    return [float(median) for median in np.median(apart, axis=1)]


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
    return Pair(paths[0].resolve(), paths[1].resolve(), same in _TRUE, (row.get(GROUP) or "").strip())


def _embed(path: Path, engine: Engine) -> Descriptor | None:
    """The descriptor of the largest face, None when there is none."""
    try:
        picture, _ = fit_within(decode(path.read_bytes()))
    except DecodeError as error:
        raise PairsError(f"{path}: not a usable picture ({error.fault.value})") from error
    seen = look(engine, picture, Search.NEAREST)
    return engine.describe(seen.picture, seen.faces[0], seen.mesh) if seen.faces else None


def _share_within(distances: NDArray[np.float64], threshold: float) -> float | None:
    if distances.size == 0:
        return None
    return float(np.searchsorted(distances, threshold, side="right") / distances.size)


def _share_beyond(distances: NDArray[np.float64], limit: float) -> float | None:
    within = _share_within(distances, limit)
    return None if within is None else 1 - within


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
