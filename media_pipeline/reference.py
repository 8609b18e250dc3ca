"""Reference photos: is one good enough to be compared with for months, and if not, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from media_pipeline import quality
from media_pipeline.descriptors import Descriptor
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import encode_photo
from media_pipeline.looking import Seen, count_far_and_near, look
from media_pipeline.opening import Opener, OpenHere
from media_pipeline.quality import QualityCode, QualityLimits

_READABLE = 0.5
"""Of the least size: what a smaller face does cannot be read off it."""


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
    codes = _faults_of_faces(seen, engine, limits)
    if opened.width * opened.height < limits.min_pixels:
        codes.append(QualityCode.TOO_FEW_PIXELS)
    descriptor = engine.describe(picture, faces[0], seen.mesh) if not codes else None
    photo = None if codes else encode_photo(picture)
    return ReferenceQuality(descriptor, tuple(codes), engine.name, engine.model, photo)


def _faults_of_faces(seen: Seen, engine: Engine, limits: QualityLimits) -> list[QualityCode]:
    """What is wrong with whom the photo shows. Whether it is one person comes first: of two nobody knows whose faults
    the others are, but that the largest is too small is true of all.

    Whoever stands far away may not be the only one who does: where no face is large enough it is looked closer.
    """
    picture, faces = seen.picture, seen.faces
    is_small = not faces or faces[0].side < limits.min_face
    count = max(len(faces), count_far_and_near(engine, picture)) if is_small else len(faces)
    if count == 0:
        return [QualityCode.NO_FACE]
    if count > 1 or not faces or faces[0].side < _READABLE * limits.min_face:
        several = [QualityCode.SEVERAL_FACES] if count > 1 else []
        return several + ([QualityCode.FACE_TOO_SMALL] if is_small else [])
    (face,) = faces
    measures = quality.measure(picture, face)
    expression = engine.read_expression(picture, face, seen.mesh)
    wrong = quality.judge_picture(picture, face, measures, expression, limits)
    return [code for code in wrong if code is not QualityCode.TOO_FEW_PIXELS]
