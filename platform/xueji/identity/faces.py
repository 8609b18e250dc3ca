"""The face engine as identity needs it: whether a photo may be a reference, and whether she is alone in view.

What answers it weighs 150 MiB in memory and is imported at the first photo: most processes never see one.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, cast

from media_pipeline.verdict import EngineDown
from xueji.identity.errors import PhotoUnusable
from xueji.kernel.context import Context
from xueji.kernel.errors import Unavailable
from xueji.kernel.permits import PermitGivenBack

if TYPE_CHECKING:
    from media_pipeline.behind import Behind
    from media_pipeline.engine import Engine
    from media_pipeline.opening import Child
    from media_pipeline.reference import ReferenceQuality
    from media_pipeline.reference_child import ReferenceChild


class FaceEngine(Protocol):
    """The real engine or its harmless twin."""

    @property
    def model(self) -> str:
        """What describes faces; templates of another are compared with nothing. Raises EngineDown."""

    def assess(self, photo: bytes) -> ReferenceQuality:
        """Raises media_pipeline's DecodeError and EngineDown."""

    def look_behind(self, first: bytes, later: bytes) -> Behind:
        """Raises media_pipeline's DecodeError and EngineDown."""


class _FaceEngine:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._networks: Engine | None = None
        self._opener: Child | None = None

    def networks(self) -> Engine:
        """Loaded once. Raises EngineDown."""
        from media_pipeline.engine import Engine

        with self._lock:
            if self._networks is None:
                self._networks = Engine(self._folder)
            return self._networks

    @property
    def model(self) -> str:
        return self.networks().model

    def assess(self, photo: bytes) -> ReferenceQuality:
        from media_pipeline.reference import assess_reference

        return assess_reference(photo, self.networks(), opener=self._opening())

    def look_behind(self, first: bytes, later: bytes) -> Behind:
        from media_pipeline.behind import look_behind

        return look_behind(first, later, self.networks(), self._opening())

    def _opening(self) -> Child:
        from media_pipeline.opening import Child

        with self._lock:
            self._opener = self._opener or Child()
            return self._opener


class _Beside:
    """Photos are looked at in a child, which gives way to whoever reports study; the networks are nowhere else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._child: ReferenceChild | None = None

    @property
    def model(self) -> str:
        from media_pipeline.models import model_name

        return model_name()

    def assess(self, photo: bytes) -> ReferenceQuality:
        return self._looking().assess(photo)

    def look_behind(self, first: bytes, later: bytes) -> Behind:
        return self._looking().look_behind(first, later)

    def _looking(self) -> ReferenceChild:
        from media_pipeline.reference_child import ReferenceChild

        with self._lock:
            self._child = self._child or ReferenceChild(self._folder)
            return self._child


def look_beside(context: Context) -> None:
    """From now on photos are looked at in a child: for applications that serve."""
    context.outside.setdefault(FaceEngine, _Beside(_folder(context)))


def _folder(context: Context) -> Path:
    return context.settings.data / "models"


def engine(context: Context) -> FaceEngine:
    """The installation's engine; a test puts its twin into ``context.outside[faces.FaceEngine]``."""
    return cast(FaceEngine, context.outside.setdefault(FaceEngine, _FaceEngine(_folder(context))))


def model(context: Context) -> str:
    """What describes faces now. Raises Unavailable."""
    try:
        return engine(context).model
    except EngineDown as error:
        raise Unavailable from error


def networks(context: Context) -> Engine:
    """The networks, for whoever else judges faces in this process: they are in memory once. Raises EngineDown."""
    found = engine(context)
    own = found if isinstance(found, _FaceEngine) else _FaceEngine(_folder(context))
    return own.networks()


def assess(judge: FaceEngine, photo: bytes) -> ReferenceQuality:
    """A photo that may be a reference. Raises PhotoUnusable with named problems, and Unavailable."""
    from media_pipeline.frames import DecodeError

    try:
        with PermitGivenBack():
            found = judge.assess(photo)
    except DecodeError as error:
        raise PhotoUnusable(problems=[error.fault.value]) from error
    except EngineDown as error:
        raise Unavailable from error
    if found.descriptor is None:
        raise PhotoUnusable(problems=[code.value for code in found.codes])
    return found


def look_behind(judge: FaceEngine, first: bytes, later: bytes) -> Behind:
    """Who else is in view. Raises PhotoUnusable for what is no picture, and Unavailable."""
    from media_pipeline.frames import DecodeError

    try:
        with PermitGivenBack():
            return judge.look_behind(first, later)
    except DecodeError as error:
        raise PhotoUnusable(problems=[error.fault.value]) from error
    except EngineDown as error:
        raise Unavailable from error
