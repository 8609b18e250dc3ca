"""How well the engine tells a site's own people apart: each one's frames against her photos and everybody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from media_pipeline import quality
from media_pipeline.descriptors import MICRO, Descriptor
from media_pipeline.engine import Engine, Search
from media_pipeline.evaluate import Distances, Evaluation, report
from media_pipeline.frames import DecodeError
from media_pipeline.looking import look
from media_pipeline.opening import Opener
from media_pipeline.verdict import JudgeSettings

LEAST_PEOPLE = 5
"""Of fewer people nothing is told apart: the figures would be theirs, not the site's."""
_DARK, _BRIGHT = 70.0, 170.0
"""Mean grey level of the face (0..255) under which the light is called dark, and over which bright."""


@dataclass(frozen=True)
class FrameFace:
    """What is read of one frame: its descriptor, and the light on the face: ``dark``, ``medium`` or ``bright``."""

    descriptor: Descriptor
    light: str


class Reader(Protocol):
    """Who reads frames: ``FrameReader``, or its twin in a test."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def read(self, picture: bytes) -> FrameFace | None:
        """None where no face is seen. Raises ``EngineDown``."""
        ...


@dataclass(frozen=True)
class FrameReader:
    """Reads a frame as the judge does."""

    engine: Engine
    opener: Opener

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def model(self) -> str:
        return self.engine.model

    def read(self, picture: bytes) -> FrameFace | None:
        try:
            seen = look(self.engine, self.opener.open(picture).picture, Search.NEAREST)
        except DecodeError:
            return None
        if not seen.faces:
            return None
        brightness = quality.measure(seen.picture, seen.faces[0]).brightness
        light = "dark" if brightness < _DARK else "bright" if brightness > _BRIGHT else "medium"
        return FrameFace(self.engine.describe(seen.picture, seen.faces[0], seen.mesh), light)


@dataclass(frozen=True)
class Frame:
    """One frame of somebody, and what it was taken with and in: ``device``, ``light``."""

    descriptor: Descriptor
    traits: Mapping[str, str]


@dataclass(frozen=True)
class SitePerson:
    """One person: the templates of her photos, her frames, and what is known of her: ``sex``, ``age``."""

    references: Sequence[Descriptor]
    frames: Sequence[Frame]
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Table:
    """The distance of every frame (a row) to every person (a column), whose frame it is, and the traits of each."""

    apart: NDArray[np.float64]
    own: NDArray[np.int64]
    people: Sequence[SitePerson]
    frames: Sequence[Frame]


def measure(
    people: Sequence[SitePerson], *, engine: str, model: str, settings: JudgeSettings | None = None
) -> Evaluation:
    """Every frame against the photos of its own person and of each other one, as the judge compares: by the median.

    Rates are those of ``evaluate.report``. ``people``, ``frames``: how many; ``refused_people``: of them, those with a
    frame beyond the threshold from her own photos; ``stranger_pairs``, ``stranger_pairs_accepted``: pairs of people,
    and those of which some frame of one is within the threshold of the other. ``by``: the same for each value of each
    trait that at least five people have; of ``sex`` and ``age`` among those who share it, else of those frames
    against everybody. Somebody without frames or photos is left out.
    """
    settings = settings or JudgeSettings()
    table = _table([each for each in people if len(each.frames) and len(each.references)])
    everyone = np.ones(len(table.people), np.bool_)
    whole = np.ones(len(table.frames), np.bool_)
    curves = {"": _distances(table, whole, everyone)}
    told: dict[str, Any] = {"engine": engine, "model": model, **_told(table, whole, everyone, settings), "by": {}}
    for trait in sorted({name for each in table.people for name in each.traits}):
        for value in sorted({each.traits[trait] for each in table.people if trait in each.traits}):
            within = np.array([each.traits.get(trait) == value for each in table.people], np.bool_)
            _add(told, curves, table, (trait, value), within[table.own], within, settings)
    for trait in sorted({name for each in table.frames for name in each.traits}):
        for value in sorted({each.traits[trait] for each in table.frames if trait in each.traits}):
            chosen = np.array([each.traits.get(trait) == value for each in table.frames], np.bool_)
            _add(told, curves, table, (trait, value), chosen, everyone, settings)
    return Evaluation(told, curves)


def _add(
    told: dict[str, Any],
    curves: dict[str, Distances],
    table: _Table,
    name: tuple[str, str],
    frames: NDArray[np.bool_],
    people: NDArray[np.bool_],
    settings: JudgeSettings,
) -> None:
    trait, value = name
    if len(set(table.own[frames])) < LEAST_PEOPLE:
        return
    told["by"].setdefault(trait, {})[value] = _told(table, frames, people, settings)
    curves[f"{trait} {value}"] = _distances(table, frames, people)


def _table(people: Sequence[SitePerson]) -> _Table:
    frames = [(place, frame) for place, each in enumerate(people) for frame in each.frames]
    own = np.array([place for place, _ in frames], np.int64)
    apart = np.zeros((len(frames), len(people)))
    if frames:
        probes = np.stack([frame.descriptor for _, frame in frames]).astype(np.float64)
        for place, each in enumerate(people):
            references = np.stack(each.references).astype(np.float64)
            between = np.linalg.norm(probes[:, None] - references[None], axis=2)
            apart[:, place] = np.median(between, axis=1)
    return _Table(apart, own, people, [frame for _, frame in frames])


def _distances(table: _Table, frames: NDArray[np.bool_], people: NDArray[np.bool_]) -> Distances:
    rows = np.flatnonzero(frames)
    same = table.apart[rows, table.own[rows]]
    others = people[None, :] & (np.arange(len(people))[None, :] != table.own[rows][:, None])
    return Distances(tuple(same.tolist()), tuple(table.apart[rows][others].tolist()))


def _told(
    table: _Table, frames: NDArray[np.bool_], people: NDArray[np.bool_], settings: JudgeSettings
) -> dict[str, Any]:
    threshold = settings.threshold_micro / MICRO
    rows = np.flatnonzero(frames)
    own = table.own[rows]
    refused = {int(who) for who, row in zip(own, rows, strict=True) if table.apart[row, who] > threshold}
    pairs, accepted = set(), set()
    for who, row in zip(own, rows, strict=True):
        for other in np.flatnonzero(people):
            if other != who:
                pair = (min(int(who), int(other)), max(int(who), int(other)))
                pairs.add(pair)
                if table.apart[row, other] <= threshold:
                    accepted.add(pair)
    return {
        **report(_distances(table, frames, people), settings),
        "people": len({int(who) for who in own}),
        "frames": len(rows),
        "refused_people": len(refused),
        "stranger_pairs": len(pairs),
        "stranger_pairs_accepted": len(accepted),
    }
