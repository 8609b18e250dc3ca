"""Consent, reference photos, look-alikes, and who looked."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from flask import Flask, render_template
from sqlalchemy import select
from support.people import HarmlessFaces, Someone, consented, face, someone

from media_pipeline.frames import DecodeFault
from media_pipeline.quality import QualityCode
from xueji.identity import consent_text, queries, services, tasks, vault
from xueji.identity.errors import ConsentNeeded, ConsentOutdated, EnoughPhotos, PhotoUnusable
from xueji.identity.events import ReferenceStored
from xueji.identity.models import DuplicateFlag, Person, ReferencePhoto
from xueji.identity.part import MANIFEST
from xueji.identity.rules import ConsentKind, PhotoState, ProofRoute
from xueji.identity.services import photos
from xueji.identity.wording import PHOTO_PROBLEM
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Conflict, Forbidden, Invalid, Unavailable
from xueji.kernel.tasks import using
from xueji.trace import queries as trace
from xueji.trace.rules import PLATFORM


@pytest.fixture
def faces(context: Context) -> HarmlessFaces:
    return HarmlessFaces.in_(context)


@pytest.fixture
def trainee(context: Context, faces: HarmlessFaces) -> Someone:
    who = someone(context)
    consented(context, who)
    return who


def _enrol(context: Context, who: Someone, number: int) -> UUID:
    return services.enrol_photo(context, person_id=who.id, photo=bytes([number]) + b" a picture")


def _withdraw(context: Context, who: Someone) -> None:
    with context.database.writing() as session:
        person = session.get_one(Person, who.id)
        services.withdraw_consent(
            session, context.keyring, context.store, context.events, person=person, kind=ConsentKind.FACE
        )


def _leaves(context: Context, event: str) -> list[dict[str, object]]:
    with context.database.reading() as session:
        return [leaf for leaf in trace.chain(session, PLATFORM) if leaf["event"] == event]


def test_a_photo_is_kept_encrypted_and_its_template_comes_back_exactly(context: Context, trainee: Someone) -> None:
    photo_id = _enrol(context, trainee, 7)
    (path,) = context.store.list("faces/")
    assert b"a picture" not in context.store.get(path)
    with context.database.reading() as session:
        photo = session.get_one(ReferencePhoto, photo_id)
        seen = services.RecordedLook(services.FacePicture.of_reference(photo))
        assert services.open_seen(session, context, seen) == b"\x07 a picture"
        assert face(7).tobytes() not in (photo.descriptor_cipher or b"")
        (descriptor,) = queries.references(session, context.keyring, trainee.id, "none").values()
    assert descriptor.dtype == np.float32
    assert np.array_equal(descriptor, face(7))


def test_what_is_stored_is_the_picture_that_was_judged_and_nothing_else_of_the_file(
    context: Context, trainee: Someone, faces: HarmlessFaces
) -> None:
    faces.kept = b"\xff\xd8 the picture alone"
    photo_id = _enrol(context, trainee, 1)
    with context.database.reading() as session:
        photo = session.get_one(ReferencePhoto, photo_id)
        key = vault.person_key(session, context.keyring, trainee.id)
        sealed = context.store.get(photo.path or "")
        assert vault.unseal(key, trainee.id, vault.photo_field(photo_id), sealed) == faces.kept
        assert photo.plain_sha256 == hashlib.sha256(faces.kept).hexdigest()


def test_enrolling_and_deleting_are_recorded_under_a_pseudonym(context: Context, trainee: Someone) -> None:
    photo_id = _enrol(context, trainee, 7)
    with context.database.writing() as session:
        photo = session.get_one(ReferencePhoto, photo_id)
        sha256 = photo.sha256
        services.delete_photo(session, context.keyring, context.store, context.events, photo)
    (enrolled,) = _leaves(context, "reference.enrol")
    (deleted,) = _leaves(context, "reference.delete")
    assert enrolled["values"] == {"photo": str(photo_id), "sha256": sha256, "quality": []}
    assert deleted["values"] == {"photo": str(photo_id), "sha256": sha256}
    assert enrolled["who"] == deleted["who"] == context.keyring.pseudonym(trainee.id, PLATFORM)
    assert str(trainee.id) not in str(enrolled)


def test_without_consent_no_photo_is_even_judged(context: Context, faces: HarmlessFaces) -> None:
    who = someone(context)
    faces.down = True
    with pytest.raises(ConsentNeeded):
        _enrol(context, who, 1)
    assert list(context.store.list("faces/")) == []


def test_three_photos_are_enough(context: Context, trainee: Someone) -> None:
    for number in (1, 2, 3):
        _enrol(context, trainee, number)
    with pytest.raises(EnoughPhotos):
        _enrol(context, trainee, 4)
    assert len(list(context.store.list("faces/"))) == 3


def test_an_unusable_photo_says_everything_that_is_wrong_and_leaves_nothing(
    context: Context, trainee: Someone, faces: HarmlessFaces
) -> None:
    faces.codes = (QualityCode.TOO_DARK, QualityCode.TURNED_AWAY)
    with pytest.raises(PhotoUnusable) as refused:
        _enrol(context, trainee, 1)
    assert refused.value.extra["problems"] == ["too_dark", "turned_away"]
    assert list(context.store.list("faces/")) == []


@pytest.mark.parametrize("code", [*QualityCode, *DecodeFault])
def test_each_problem_of_a_photo_has_a_sentence(code: str) -> None:
    assert str(PHOTO_PROBLEM[code]).endswith("。")


def test_an_engine_that_is_down_is_nobody_s_fault(context: Context, trainee: Someone, faces: HarmlessFaces) -> None:
    faces.down = True
    with pytest.raises(Unavailable):
        _enrol(context, trainee, 1)


def test_a_file_does_not_outlive_a_photo_that_could_not_be_enrolled(
    context: Context, trainee: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("the log is not there")

    monkeypatch.setattr("xueji.identity.services.photos.record_of_person", fail)
    with pytest.raises(RuntimeError):
        _enrol(context, trainee, 1)
    assert list(context.store.list("faces/")) == []


def test_withdrawing_deletes_templates_photos_and_files_and_moves_her_to_the_other_route(
    context: Context, trainee: Someone
) -> None:
    _enrol(context, trainee, 1)
    _enrol(context, trainee, 2)
    _withdraw(context, trainee)
    assert list(context.store.list("faces/")) == []
    with context.database.reading() as session:
        photos = session.scalars(select(ReferencePhoto)).all()
        assert {photo.state for photo in photos} == {PhotoState.DELETED}
        assert [photo.descriptor_cipher for photo in photos] == [None, None]
        assert queries.references(session, context.keyring, trainee.id, "none") == {}
        assert session.get_one(Person, trainee.id).proof_route is ProofRoute.SUPERVISED
        (consent,) = queries.consents(session, trainee.id)
        assert consent.withdrawn_at is not None
    assert [leaf["values"] for leaf in _leaves(context, "consent.withdraw")] == [
        {"kind": "face", "text_version": "2026-12"}
    ]
    assert len(_leaves(context, "reference.enrol")) == 2  # what was recorded stays


def test_agreeing_twice_is_recorded_once_and_only_the_current_words_count(context: Context, trainee: Someone) -> None:
    consented(context, trainee)
    assert len(_leaves(context, "consent.give")) == 1
    with context.database.writing() as session, pytest.raises(ConsentOutdated):
        services.give_consent(
            session,
            context.keyring,
            person=session.get_one(Person, trainee.id),
            kind=ConsentKind.FACE,
            text_version="2025-01",
        )


def test_who_agreed_to_earlier_words_has_agreed_until_she_takes_it_back(
    context: Context, trainee: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setitem(consent_text.CURRENT, ConsentKind.FACE, "2026-11")
        consented(context, trainee)
    _enrol(context, trainee, 1)
    with context.database.reading() as session:
        standing = queries.standing_consent(session, trainee.id)
        assert standing is not None and standing.text_version == "2026-11"
        assert queries.proof_of(session, trainee.id).consented
    consented(context, trainee)
    with context.database.reading() as session:
        standing = queries.standing_consent(session, trainee.id)
        assert standing is not None and standing.text_version == consent_text.CURRENT[ConsentKind.FACE]
        assert len(queries.reference_photos(session, trainee.id)) == 1


@pytest.mark.parametrize("version", ["2026-11", consent_text.CURRENT[ConsentKind.FACE]])
def test_every_text_somebody_agreed_to_is_kept(app: Flask, version: str) -> None:
    with app.test_request_context():
        for language in ("zh", "en"):
            assert render_template(consent_text.template(ConsentKind.FACE, version, language))


def test_the_consent_text_promises_what_there_is(app: Flask) -> None:
    """Pictures of checks end when the years of the file are over; the copy is a button of the account page."""
    with app.test_request_context():
        current = consent_text.CURRENT[ConsentKind.FACE]
        zh, en = (render_template(consent_text.template(ConsentKind.FACE, current, each)) for each in ("zh", "en"))
    assert "期满即删除" in zh and "Then they are deleted" in en
    assert "带走我的数据" in zh and "Take my data along" in en


def test_either_route_is_one_step_away_and_photos_wait_for_a_return(context: Context, trainee: Someone) -> None:
    _enrol(context, trainee, 1)
    for route in (ProofRoute.SUPERVISED, ProofRoute.FACE):
        with context.database.writing() as session:
            services.choose_route(session, context.events, person=session.get_one(Person, trainee.id), route=route)
        with context.database.reading() as session:
            assert session.get_one(Person, trainee.id).proof_route is route
    with context.database.reading() as session:
        assert len(queries.reference_photos(session, trainee.id)) == 1


def test_the_face_route_is_never_taken_without_consent(context: Context) -> None:
    who = someone(context)
    with context.database.writing() as session:
        person = session.get_one(Person, who.id)
        with pytest.raises(ConsentNeeded):
            services.choose_route(session, context.events, person=person, route=ProofRoute.FACE)
        assert person.proof_route is ProofRoute.SUPERVISED
        assert person.route_chosen_at is None


def test_a_file_left_by_a_crash_is_found_and_deleted(context: Context, trainee: Someone) -> None:
    photo_id = _enrol(context, trainee, 1)
    (path,) = context.store.list("faces/")
    _withdraw(context, trainee)
    context.store.put(path, b"as if the process had died before the deletion")
    for left in (1, 0):
        with context.database.writing() as session:
            assert services.remove_deleted_files(session, context.store) == left
    assert list(context.store.list("faces/")) == []
    with context.database.reading() as session:
        assert session.get_one(ReferencePhoto, photo_id).path is None


# Look-alikes --------------------------------------------------------------------------------------------------------


def _flags(context: Context) -> list[DuplicateFlag]:
    with context.database.reading() as session:
        return list(session.scalars(select(DuplicateFlag).order_by(DuplicateFlag.distance)))


def test_one_face_under_two_accounts_is_shown_to_staff_and_refused_to_nobody(
    context: Context, trainee: Someone
) -> None:
    other, unlike = someone(context), someone(context)
    for who in (other, unlike):
        consented(context, who)
    stored: list[ReferenceStored] = []
    context.events.subscribe(ReferenceStored, stored.append)
    first, second = _enrol(context, trainee, 5), _enrol(context, other, 5)
    third = _enrol(context, unlike, 6)
    assert [event.photo_id for event in stored] == [first, second, third]
    assert [services.compare_with_everybody(context, each) for each in (second, second, first, third)] == [1, 0, 0, 0]
    (flag,) = _flags(context)
    assert (flag.person_id, flag.other_person_id, flag.distance) == (other.id, trainee.id, 0)
    (leaf,) = _leaves(context, "duplicate.notice")
    assert leaf["values"] == {"duplicate": str(flag.id)}
    with context.database.reading() as session:
        assert queries.photos_to_compare(session, clock.now()) == []


def test_what_no_worker_was_told_of_is_found_by_the_regular_look(
    context: Context, trainee: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.compare_waiting, "apply_async", lambda **_: None)
    other = someone(context)
    consented(context, other)
    with clock.fixed(clock.now()) as time, using(context):
        _enrol(context, trainee, 5)
        _enrol(context, other, 5)
        assert tasks.compare_waiting() == 0  # a worker may still be on its way
        time.advance(timedelta(minutes=3))
        assert sum(tasks.compare_waiting() for _ in range(3)) == 1
        assert tasks.remove_deleted_files() == 0


def test_one_s_own_photos_may_look_alike(context: Context, trainee: Someone) -> None:
    _enrol(context, trainee, 5)
    assert services.compare_with_everybody(context, _enrol(context, trainee, 5)) == 0


def test_templates_of_another_model_are_not_compared(context: Context, trainee: Someone) -> None:
    other = someone(context)
    consented(context, other)
    first = _enrol(context, trainee, 5)
    with context.database.writing() as session:
        session.get_one(ReferencePhoto, first).model = "an older one"
    assert services.compare_with_everybody(context, _enrol(context, other, 5)) == 0


def test_everybody_is_looked_through_in_batches(context: Context, trainee: Someone) -> None:
    for number in range(5):
        other = someone(context)
        consented(context, other)
        _enrol(context, other, number)
    with context.database.reading() as session:
        batches = list(queries.everybody_elses_templates(session, context.keyring, trainee.id, "none", batch=2))
    assert [len(batch.photo_ids) for batch in batches] == [2, 2, 1]
    assert len({photo for batch in batches for photo in batch.photo_ids}) == 5
    assert batches[0].descriptors.shape == (2, 128)


def test_photos_of_another_model_are_described_anew_in_turns_of_their_own(
    context: Context, trainee: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody waits for a judgement; one that the new model cannot describe stands in nobody's way."""
    monkeypatch.setattr(photos, "MOST_DESCRIBED", 1)
    monkeypatch.setattr(photos, "_not_described", set())
    twin = HarmlessFaces.in_(context)
    spoilt, good = _enrol(context, trainee, 3), _enrol(context, trainee, 3)
    with context.database.writing() as session:
        session.get_one(ReferencePhoto, spoilt).enrolled_at -= timedelta(minutes=1)
    twin.described_by = "a newer one"
    twin.codes = (next(iter(QualityCode)),)
    assert services.describe_all_anew(context) == 0
    twin.codes = ()
    assert MANIFEST.schedule["identity.describe_anew"] <= timedelta(minutes=10)
    assert services.describe_all_anew(context) == 1
    with context.database.reading() as session:
        assert session.get_one(ReferencePhoto, good).model == "a newer one"
        assert set(queries.references(session, context.keyring, trainee.id, "a newer one")) == {good}
    twin.down = True
    assert services.describe_all_anew(context) == 0


def test_what_is_done_for_many_photos_is_done_in_short_turns_one_behind_the_other(
    context: Context, trainee: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes that do it judge checks too: nobody's check waits for a hundred photos of others."""
    asked: list[str] = []
    for task in (tasks.describe_anew, tasks.compare_waiting):
        monkeypatch.setattr(task, "apply_async", lambda name=task.name, **_: asked.append(name))
    monkeypatch.setattr(photos, "TURN_SECONDS", 0)
    monkeypatch.setattr(photos, "_not_described", set())
    HarmlessFaces.in_(context).described_by = "a newer one"
    with clock.fixed(clock.now()) as time, using(context):
        enrolled = [_enrol(context, trainee, number) for number in range(3)]
        with context.database.writing() as session:
            for photo_id in enrolled:
                session.get_one(ReferencePhoto, photo_id).model = "an older one"
        assert [tasks.describe_anew() for _ in range(4)] == [1, 1, 1, 0]
        time.advance(timedelta(minutes=3))
        for _ in range(4):
            tasks.compare_waiting()
    assert asked == ["identity.describe_anew"] * 3 + ["identity.compare_waiting"] * 3


def test_staff_decide_once_and_in_writing(context: Context, trainee: Someone) -> None:
    other, admin = someone(context), someone(context, Role.ADMINISTRATOR).actor(Role.ADMINISTRATOR)
    consented(context, other)
    _enrol(context, trainee, 5)
    services.compare_with_everybody(context, _enrol(context, other, 5))
    (flag,) = _flags(context)

    def decide(reason: str, actor: object = admin) -> None:
        with context.database.writing() as session:
            services.decide_duplicate(
                session,
                context.keyring,
                flag_id=flag.id,
                reason=reason,
                actor=actor,  # type: ignore[arg-type]
            )

    with pytest.raises(Forbidden):
        decide("双胞胎", replace(admin, roles=frozenset({Role.INSTITUTION})))
    with pytest.raises(Invalid):
        decide("  ")
    decide("双胞胎")
    with pytest.raises(Conflict):
        decide("又想了想")
    assert len(_leaves(context, "duplicate.notice")) == 1
    (decided,) = _leaves(context, "duplicate.decide")
    assert decided["values"]["same"] is False  # type: ignore[index]


@pytest.mark.parametrize(
    ("persons", "level"), [(0, "quiet"), (79_999, "quiet"), (80_000, "near"), (99_999, "near"), (100_000, "filing")]
)
def test_the_counter_warns_before_the_authority_must_be_told(persons: int, level: str) -> None:
    assert queries.FaceCount(persons).level == level


def test_the_counter_counts_persons_not_photos(context: Context, trainee: Someone) -> None:
    _enrol(context, trainee, 1)
    _enrol(context, trainee, 2)
    with context.database.reading() as session:
        assert queries.stored_faces(session).persons == 1
    _withdraw(context, trainee)
    with context.database.reading() as session:
        assert queries.stored_faces(session).persons == 0


def test_every_look_is_recorded_and_shown_to_the_person(context: Context, trainee: Someone) -> None:
    regulator = someone(context, Role.REGULATOR, name="赵检察")
    viewer, chain = regulator.actor(Role.REGULATOR), str(uuid4())
    with clock.fixed(datetime(2026, 11, 21, 4, tzinfo=UTC)), context.database.writing() as session:
        picture = services.FacePicture(uuid4(), trainee.id, "nowhere", "nothing")
        services.record_look(session, context.keyring, viewer=viewer, picture=picture, purpose="audit", chain=chain)
    with context.database.reading() as session:
        (look,) = queries.face_views(session, trainee.id)
        assert (look.viewer, look.own, look.picture, look.purpose) == ("赵**", False, str(picture.id), "audit")
        assert look.organisation
        (leaf,) = trace.chain(session, chain)
        assert leaf["event"] == "face.view"
        about_staff = {"staff_name", "staff_organisation"}
        assert leaf["values"].keys() == {"picture", "purpose"} | about_staff
        assert (leaf["values"]["picture"], leaf["values"]["purpose"]) == (str(picture.id), "audit")
        assert leaf["who"] == context.keyring.pseudonym(regulator.id, chain)
        assert queries.face_views(session, regulator.id) == []
