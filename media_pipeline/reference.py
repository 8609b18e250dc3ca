"""Reference photos: is one good enough to be compared with for months, and if not, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from media_pipeline import quality
from media_pipeline.descriptors import Descriptor
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import encode_photo
from media_pipeline.looking import look
from media_pipeline.opening import Opener, OpenHere
from media_pipeline.quality import QualityCode, QualityLimits


@dataclass(frozen=True)
class ReferenceQuality:
    """The descriptor of a photo that may be a reference, or None and the codes of everything that is wrong.

    ``engine`` and ``model`` name what made the descriptor: descriptors of different models do not compare.
    """

    descriptor: Descriptor | None
    codes: tuple[QualityCode, ...]
    engine: str
    model: str
    photo: bytes | None = None
    """What to keep of it: the picture as it was judged, upright, as a JPEG in which nothing else stands."""


def assess_reference(
    frame: bytes, engine: Engine, limits: QualityLimits = quality.REFERENCE, opener: Opener | None = None
) -> ReferenceQuality:
    """Assess one photo. Raises ``DecodeError`` when the bytes are no picture and ``EngineDown``.

    ``opener`` None: it is opened in this process and without limits.
    """
    opened = (opener or OpenHere()).open(frame, any_kind=True)
    seen = look(engine, opened.picture, Search.EVERYONE)
    picture, faces = seen.picture, seen.faces
    codes: list[QualityCode] = []
    if opened.width * opened.height < limits.min_pixels:
        codes.append(QualityCode.TOO_FEW_PIXELS)
    if not faces:
        codes.append(QualityCode.NO_FACE)
    elif len(faces) > 1:
        codes.append(QualityCode.SEVERAL_FACES)
    else:
        (face,) = faces
        measures = quality.measure(picture, face)
        expression = engine.read_expression(picture, face, seen.mesh)
        wrong = quality.judge_picture(picture, face, measures, expression, limits)
        codes += [code for code in wrong if code is not QualityCode.TOO_FEW_PIXELS]
    descriptor = engine.describe(picture, faces[0], seen.mesh) if not codes else None
    photo = None if codes else encode_photo(picture)
    return ReferenceQuality(descriptor, tuple(codes), engine.name, engine.model, photo)
