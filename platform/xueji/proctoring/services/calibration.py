"""How well faces are told apart here: measured on this machine with those who agreed to that, every look recorded.

Used are the templates that checks are made against, and one frame of each of a few checks that stand as hers. Nothing
leaves memory but shares and numbers of groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from media_pipeline.descriptors import MICRO
from media_pipeline.evaluate import Evaluation
from media_pipeline.site import LEAST_PEOPLE, Frame, FrameReader, Reader, SitePerson, measure
from media_pipeline.verdict import EngineDown, JudgeSettings
from xueji.identity import queries as identity
from xueji.identity import vault
from xueji.identity.errors import Erased
from xueji.identity.faces import networks
from xueji.identity.rules import ConsentKind, born_on, is_female
from xueji.identity.services import FacePicture, open_seen, record_look
from xueji.identity.services.acting import record_in_office
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Unreadable
from xueji.kernel.errors import Forbidden, NotFound, Unavailable
from xueji.proctoring.errors import TooFewToMeasure
from xueji.proctoring.leaves import FacesCalibrated
from xueji.proctoring.models import Attempt, Calibration, Check, Picture
from xueji.rulebook import rules as rulebook
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import Outcome

MOST_PEOPLE = 500
"""Who agreed last; their frames against everybody's photos are a million distances."""
FRAMES_EACH = 4
"""Of the latest checks, each of another sitting: what is of one sitting is too much alike."""
_AGES = ((30, "under 30"), (45, "30-44"), (60, "45-59"), (200, "60 and over"))


@dataclass(frozen=True)
class _CalibrationFrame:
    """One frame that may be used, and the chain the look at it is recorded in."""

    picture: FacePicture
    device: str
    chain: str


def reader_of(context: Context) -> Reader:
    """Who reads frames; a test puts its twin into ``context.outside[Reader]``. Raises EngineDown."""
    found = context.outside.get(Reader)
    if found is None:
        from media_pipeline.opening import Child

        found = FrameReader(networks(context), Child())
    return found  # type: ignore[return-value]


def calibrate(context: Context, *, actor: Actor) -> Evaluation:
    """Measure with those who agreed, keep the figures and record the act.

    ``actor`` answers for it and stands in every look. Raises Forbidden for anybody but an administrator,
    TooFewToMeasure, and Unavailable while engine or store are down.
    """
    if not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden
    try:
        reader = reader_of(context)
        with context.database.reading() as session:
            agreed = identity.agreed(session, ConsentKind.CALIBRATION, MOST_PEOPLE)
            seen_before = [each for each in agreed if _usable(session, context, each, reader.model)]
        if len(seen_before) < LEAST_PEOPLE:
            raise TooFewToMeasure(people=len(seen_before), least=LEAST_PEOPLE)
        people = [found for each in seen_before for found in _member(context, actor, each, reader)]
    except EngineDown as error:
        raise Unavailable from error
    if len(people) < LEAST_PEOPLE:
        raise TooFewToMeasure(people=len(people), least=LEAST_PEOPLE)
    settings = JudgeSettings(threshold_micro=preset_threshold())
    found = measure(people, engine=reader.name, model=reader.model, settings=settings)
    with context.database.writing() as session:
        _keep(session, context, actor, found, settings)
    return found


def preset_threshold() -> int:
    """The distance in force for new plans, in millionths."""
    return rulebook.load().in_force("", clock.shanghai_day(clock.now())).ruling("plan.match_threshold").whole


def _keep(session: Session, context: Context, actor: Actor, found: Evaluation, settings: JudgeSettings) -> None:
    report = found.report
    session.add(
        Calibration(
            by=actor.person_id,
            measured_ms=clock.to_ms(clock.now()),
            engine=report["engine"],
            model=report["model"],
            threshold=settings.threshold_micro,
            report=report,
        )
    )
    measured = FacesCalibrated(
        **{name: report[name] for name in ("engine", "model", "people", "frames")},
        threshold=settings.threshold_micro,
        **{name: round(report[name] * MICRO) for name in ("tar", "far") if report[name] is not None},
    )
    record_in_office(session, context.keyring, measured, actor=actor)


def _usable(session: Session, context: Context, person_id: UUID, model: str) -> bool:
    """Whether there is something of hers to measure with: known before any picture is opened."""
    try:
        references = identity.references(session, context.keyring, person_id, model)
    except (Erased, NotFound):
        return False
    return bool(references) and bool(_looks(session, person_id))


def _member(context: Context, actor: Actor, person_id: UUID, reader: Reader) -> Iterator[SitePerson]:
    """One person, her looks recorded before a picture is opened; none where nothing of hers could be read."""
    with context.database.writing() as session:
        if identity.standing_consent(session, person_id, ConsentKind.CALIBRATION) is None:
            return  # taken back since it was counted
        references = identity.references(session, context.keyring, person_id, reader.model)
        traits = _traits(session, context, person_id)
        looks = _looks(session, person_id)
        purpose = ConsentKind.CALIBRATION.value
        seen = [
            record_look(session, context.keyring, viewer=actor, picture=look.picture, purpose=purpose, chain=look.chain)
            for look in looks
        ]
    frames = []
    for look, each in zip(looks, seen, strict=True):
        try:
            with context.database.reading() as session:
                picture = open_seen(session, context, each)
        except (NotFound, Erased):
            continue
        face = reader.read(picture)
        if face is not None:
            frames.append(Frame(face.descriptor, {"light": face.light, "device": look.device}))
    if frames and references:
        yield SitePerson(list(references.values()), frames, traits)


def _looks(session: Session, person_id: UUID) -> list[_CalibrationFrame]:
    """The first single frame of the answer that decided, of her latest checks that stand as hers."""
    stands = or_(
        (Check.outcome == Outcome.MATCH) & (Check.decision.is_(None)), Check.decision == Decision.ACCEPTED.value
    )
    rows = session.execute(
        select(Check.occasion_id, Check.enrolment_id, Picture, Attempt.device)
        .join(Attempt, Attempt.check_id == Check.id)
        .join(Picture, Picture.attempt_id == Attempt.id)
        .where(
            identity.same_person(Check.person_id, person_id),
            stands,
            Attempt.number == Check.attempt,
            Attempt.judged_ms.is_not(None),
            Picture.position == 0,
            Picture.movement.is_(None),
            Picture.deleted_ms.is_(None),
        )
        .order_by(Check.due_ms.desc(), Check.id)
    )
    found: dict[UUID, _CalibrationFrame] = {}
    for sitting_id, enrolment_id, picture, device in rows:
        if len(found) == FRAMES_EACH:
            break
        shown = FacePicture(picture.id, picture.person_id, picture.path, picture.path)
        found.setdefault(sitting_id, _CalibrationFrame(shown, device or "unnamed", str(enrolment_id)))
    return list(found.values())


def _traits(session: Session, context: Context, person_id: UUID) -> dict[str, str]:
    """Sex and age band, as her identity number tells them."""
    try:
        number = vault.named(session, context.keyring, person_id).number
        born = born_on(number)
    except (Erased, Unreadable, ValueError):
        return {}
    return {"sex": "female" if is_female(number) else "male", "age": _age_band(born, clock.shanghai_day(clock.now()))}


def _age_band(born: date, today: date) -> str:
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next(name for limit, name in _AGES if years < limit)
