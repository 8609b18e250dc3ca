"""Tokens, oneself, consent, route and reference photos as JSON."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request
from flask_openapi3.blueprint import APIBlueprint

from xueji.identity import consent_text, queries, services, vault
from xueji.identity.access import access_person, access_reference_photo
from xueji.identity.authentication import limit_failures
from xueji.identity.devices import origin_of_request
from xueji.identity.errors import (
    CodeNeeded,
    ConsentNeeded,
    ConsentOutdated,
    EnoughPhotos,
    Erased,
    LockedOut,
    NoMembership,
    PhotoUnusable,
    SetUpNeeded,
    Suspended,
    WrongCode,
    WrongPassword,
)
from xueji.identity.models import Consent, LoginSession, Person, ReferencePhoto
from xueji.identity.rules import MOST_REFERENCE_PHOTOS, ConsentKind, PhotoStanding, SessionEnd, SessionKind, SignInStep
from xueji.identity.schemas import (
    ConsentPath,
    ConsentWords,
    EnrolledPhoto,
    InView,
    Looks,
    Me,
    NewConsent,
    NewPhoto,
    NewToken,
    OneLook,
    OneMembership,
    PhotoPath,
    Photos,
    Route,
    StandingConsent,
    TokenOut,
    TwoLooks,
)
from xueji.identity.services import Needed
from xueji.identity.wording import PHOTO_PROBLEM, STEP_SENTENCE
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem, TooMany
from xueji.trace.rules import PLATFORM
from xueji.web.access import public, roles, signed_in
from xueji.web.api_description import files, refuses
from xueji.web.language import LANGUAGES
from xueji.web.session import actor, context, db, writes

blueprint = APIBlueprint("identity_api", __name__, url_prefix="/api/v1")


@blueprint.post("/tokens", responses={201: TokenOut})
@public
@limit_failures
@refuses(WrongPassword, CodeNeeded, WrongCode, SetUpNeeded, Suspended, NoMembership, LockedOut, TooMany)
def issue_token(body: NewToken) -> tuple[dict[str, Any], int]:
    """Sign in. A code is asked for with 401 ``code-needed``; a learner's new token ends her old session."""
    passed = services.pass_password(
        context(),
        account=body.account,
        password=body.password,
        code=body.code,
        kind=SessionKind.TOKEN,
        user_agent=request.user_agent.string,
        origin=origin_of_request(body.account),
    )
    if isinstance(passed, Needed):
        raise (
            CodeNeeded if passed.step is SignInStep.CODE else SetUpNeeded(STEP_SENTENCE[passed.step], step=passed.step)
        )
    token = TokenOut(
        token=passed.token,
        expires_at=passed.expires_at,
        person_id=passed.claims.person_id,
        roles=sorted(passed.claims.roles),
    )
    return token.model_dump(mode="json"), 201


@blueprint.delete("/tokens/current", responses={204: None})
@signed_in
def end_token() -> tuple[str, int]:
    login = db().get_one(LoginSession, actor().login_session_id)
    services.end_session(db(), context().events, login, reason=SessionEnd.SIGNED_OUT)
    return "", 204


@blueprint.get("/me", responses={200: Me})
@signed_in
def read_me() -> dict[str, Any]:
    someone = actor()
    profile = queries.profile(db(), context().keyring, someone.person_id)
    return Me(
        person_id=someone.person_id,
        account=profile.account,
        name=services.display_name(db(), context().keyring, someone.person_id),
        id_number_masked=profile.id_number_masked,
        roles=sorted(someone.roles),
        organisation_id=someone.organisation_id,
        region=someone.region,
        memberships=[
            OneMembership(
                role=member.role,
                organisation_id=member.organisation_id,
                organisation=member.organisation,
                kind=member.kind,
                region=member.region,
            )
            for member in profile.memberships
        ],
        proof_route=profile.proof_route,
        proof_route_chosen=profile.route_chosen,
        consent=_standing(queries.standing_consent(db(), someone.person_id)),
        reference_photos=len(queries.reference_photos(db(), someone.person_id)),
        second_factor=profile.second_factor,
    ).model_dump(mode="json")


@blueprint.put("/me/proof-route", responses={200: Route})
@roles(Role.TRAINEE)
@refuses(ConsentNeeded)
def choose_route(body: Route) -> dict[str, Any]:
    """Either way weighs the same. Choosing ``face`` without a standing consent is answered 409 ``consent-needed``."""
    services.choose_route(db(), context().events, person=_herself(), route=body.route)
    return body.model_dump(mode="json")


@blueprint.get("/me/consents/<kind>", responses={200: ConsentWords})
@roles(Role.TRAINEE)
def read_consent(path: ConsentPath) -> dict[str, Any]:
    version = consent_text.CURRENT[path.kind]
    texts = {language: render_template(consent_text.template(path.kind, version, language)) for language in LANGUAGES}
    standing = _standing(queries.standing_consent(db(), actor().person_id, path.kind))
    return ConsentWords(kind=path.kind, text_version=version, text=texts, standing=standing).model_dump(mode="json")


@blueprint.post("/me/consents", responses={201: StandingConsent})
@roles(Role.TRAINEE)
@refuses(ConsentNeeded, ConsentOutdated)
def give_consent(body: NewConsent) -> tuple[dict[str, Any], int]:
    """Agree to exactly the words read before; agreeing to face checks also takes the face route."""
    given = services.give_consent(
        db(), context().keyring, person=_herself(), kind=body.kind, text_version=body.text_version
    )
    standing = StandingConsent(kind=given.kind, text_version=given.text_version, given_at=given.given_at)
    return standing.model_dump(mode="json"), 201


@blueprint.delete("/me/consents/<kind>", responses={204: None})
@roles(Role.TRAINEE)
def withdraw_consent(path: ConsentPath) -> tuple[str, int]:
    """Of face checks: templates and photos are deleted and the supervised route holds; records of study stay."""
    services.withdraw_consent(
        db(), context().keyring, context().store, context().events, person=_herself(), kind=path.kind
    )
    return "", 204


@blueprint.get("/me/reference-photos", responses={200: Photos})
@roles(Role.TRAINEE)
def list_photos() -> dict[str, Any]:
    stored = queries.reference_photos(db(), actor().person_id)
    return Photos(photos=[_photo(each) for each in stored], most=MOST_REFERENCE_PHOTOS).model_dump(mode="json")


@blueprint.post("/me/reference-photos", responses={201: EnrolledPhoto})
@roles(Role.TRAINEE)
@refuses(ConsentNeeded, EnoughPhotos, PhotoUnusable)
def enrol_photo(form: NewPhoto) -> tuple[dict[str, Any], int]:
    """Up to three. A photo that cannot be used is answered 422 ``photo-unusable`` with ``problems``, each a code."""
    try:
        photo_id = services.enrol_photo(context(), person_id=actor().person_id, photo=form.photo.read())
    except Problem as problem:
        if "problems" in problem.extra:
            problem.detail = "".join(str(PHOTO_PROBLEM[code]) for code in problem.extra["problems"])
        raise
    with context().database.reading() as session:
        stored = access_reference_photo(session, actor(), photo_id)
    return _photo(stored).model_dump(mode="json"), 201


@blueprint.post("/me/view", responses={200: InView})
@roles(Role.TRAINEE)
@refuses(ConsentNeeded, PhotoUnusable)
def look_behind(form: TwoLooks) -> dict[str, Any]:
    """Whether a poster or somebody is in view beside oneself, asked before a check. The pictures are not kept."""
    first, later = form.first.read(), form.later.read()
    return {"behind": services.look_behind(context(), person_id=actor().person_id, first=first, later=later)}


@blueprint.get("/me/reference-photos/<photo_id>/picture", responses={200: files(*vault.PICTURE_TYPES)})
@roles(Role.TRAINEE)
@writes
@refuses(Erased)
def read_photo(path: PhotoPath) -> Response:
    photo = access_reference_photo(db(), actor(), path.photo_id)
    shown = services.FacePicture.of_reference(photo)
    picture = services.show_picture(db(), context(), viewer=actor(), picture=shown, purpose="own", chain=PLATFORM)
    return Response(picture, mimetype=vault.picture_type(picture))


@blueprint.delete("/me/reference-photos/<photo_id>", responses={204: None})
@roles(Role.TRAINEE)
def delete_photo(path: PhotoPath) -> tuple[str, int]:
    photo = access_reference_photo(db(), actor(), path.photo_id)
    services.delete_photo(db(), context().keyring, context().store, context().events, photo)
    return "", 204


@blueprint.get("/me/face-views", responses={200: Looks})
@signed_in
def list_looks() -> dict[str, Any]:
    """Who looked at my pictures, when and for what."""
    looks = queries.face_views(db(), actor().person_id)
    return Looks(looks=[OneLook(**vars(look)) for look in looks]).model_dump(mode="json")


def _herself() -> Person:
    return access_person(db(), actor(), actor().person_id)


def _standing(consent: Consent | None) -> StandingConsent | None:
    if consent is None:
        return None
    return StandingConsent(kind=ConsentKind(consent.kind), text_version=consent.text_version, given_at=consent.given_at)


def _photo(photo: ReferencePhoto) -> EnrolledPhoto:
    return EnrolledPhoto(
        photo_id=photo.id, quality=[], standing=PhotoStanding(photo.standing), enrolled_at=photo.enrolled_at
    )
