"""Uploads in pieces: lost lines, repeated pieces, two senders, wrong sums."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from support.school import School, new_school

from courses import errors, rules
from courses.models import Film, Upload, UploadPiece
from courses.services import uploads
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.errors import NotFound

FILE = bytes(range(256)) * 64
HALF = len(FILE) // 2


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


def begin(school: School, sha256: str | None = None, size: int = len(FILE)) -> Upload:
    with school.context.database.writing() as session:
        return uploads.begin_upload(
            session,
            actor=school.staff,
            events=school.context.events,
            name="a.mp4",
            size=size,
            limit=1 << 30,
            sha256=sha256,
        )


def current(school: School, upload: Upload) -> Upload:
    with school.context.database.reading() as session:
        return session.get_one(Upload, upload.id)


def send(school: School, upload: Upload, offset: int, piece: bytes) -> int:
    digest = uploads.store_piece(school.context.store, current(school, upload), offset=offset, piece=piece)
    with school.context.database.writing() as session:
        return uploads.count_piece(session, upload_id=upload.id, offset=offset, size=len(piece), digest=digest)


def finish(school: School, upload: Upload) -> tuple[object, bool]:
    with school.context.database.reading() as session:
        paths = uploads.piece_paths(session, upload.id)
    uploads.check_whole(school.context.store, current(school, upload), paths)
    with school.context.database.writing() as session:
        return uploads.finish_upload(session, actor=school.staff, events=school.context.events, upload_id=upload.id)


def test_a_file_arrives_in_pieces_and_becomes_one_film(school: School) -> None:
    upload = begin(school, hashlib.sha256(FILE).hexdigest())
    assert send(school, upload, 0, FILE[:HALF]) == HALF
    assert send(school, upload, HALF, FILE[HALF:]) == len(FILE)
    film_id, new = finish(school, upload)
    assert new
    assert finish(school, upload) == (film_id, False)


def test_a_piece_sent_again_is_counted_once_and_told_where_to_go_on(school: School) -> None:
    upload = begin(school)
    send(school, upload, 0, FILE[:HALF])
    with pytest.raises(errors.WrongOffset) as refused:
        send(school, upload, 0, FILE[:HALF])
    assert refused.value.extra == {"offset": HALF}
    assert current(school, upload).offset == HALF


def test_of_two_senders_of_one_piece_one_goes_on(school: School) -> None:
    upload = begin(school)
    before = current(school, upload)
    # Both have stored their bytes before either is counted; the loser's must not become part of the file.
    ours = uploads.store_piece(school.context.store, before, offset=0, piece=FILE[:HALF])
    theirs = uploads.store_piece(school.context.store, before, offset=0, piece=b"x" * 100)

    def count(size: int, digest: str) -> int | None:
        try:
            with school.context.database.writing() as session:
                return uploads.count_piece(session, upload_id=upload.id, offset=0, size=size, digest=digest)
        except errors.WrongOffset:
            return None

    assert count(HALF, ours) == HALF
    assert count(100, theirs) is None
    send(school, upload, HALF, FILE[HALF:])
    with school.context.database.reading() as session:
        whole = b"".join(school.context.store.get(path) for path in uploads.piece_paths(session, upload.id))
    assert whole == FILE


def test_a_hundred_senders_at_once_leave_one_whole_file(school: School) -> None:
    upload = begin(school)

    def try_all(_n: int) -> None:
        for offset in range(0, len(FILE), HALF):
            try:
                send(school, upload, offset, FILE[offset : offset + HALF])
            except (errors.WrongOffset, errors.UploadFinished):
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(try_all, range(24)))
    assert current(school, upload).offset == len(FILE)
    with school.context.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(UploadPiece)) == 2


def test_two_finishes_at_once_make_one_film(school: School) -> None:
    upload = begin(school)
    send(school, upload, 0, FILE)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _n: finish(school, upload), range(4)))
    assert len({film_id for film_id, _new in answers}) == 1
    assert [new for _film_id, new in answers].count(True) == 1
    with school.context.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Film)) == 1


def test_what_does_not_fit_is_refused_and_loses_nothing(school: School) -> None:
    upload = begin(school)
    send(school, upload, 0, FILE[:HALF])
    with pytest.raises(errors.UploadTooLarge):
        send(school, upload, HALF, FILE[HALF:] + b"!")
    with pytest.raises(errors.PieceTooLarge):
        send(school, begin(school, size=1 << 29), 0, bytes(rules.PIECE_BYTES + 1))
    with pytest.raises(errors.WrongOffset):
        send(school, upload, HALF + 1, b"x")
    with pytest.raises(errors.UploadIncomplete) as refused:
        finish(school, upload)
    assert refused.value.extra == {"offset": HALF}
    assert current(school, upload).offset == HALF


def test_a_file_that_is_not_what_was_announced_is_refused(school: School) -> None:
    upload = begin(school, hashlib.sha256(b"another").hexdigest())
    send(school, upload, 0, FILE)
    with pytest.raises(errors.UploadDamaged):
        finish(school, upload)
    assert current(school, upload).film_id is None


def test_too_large_and_too_many_are_refused_at_the_beginning(school: School) -> None:
    with pytest.raises(errors.UploadTooLarge):
        begin(school, size=(1 << 30) + 1)
    for _n in range(rules.MOST_UNFINISHED_UPLOADS):
        begin(school)
    with pytest.raises(errors.TooManyUploads):
        begin(school)
    begin(new_school(school.context))


def test_another_institutions_upload_is_not_found(school: School) -> None:
    upload, stranger = begin(school), new_school(school.context)
    send(school, upload, 0, FILE)
    with school.context.database.writing() as session, pytest.raises(NotFound):
        uploads.finish_upload(session, actor=stranger.staff, events=school.context.events, upload_id=upload.id)
    with school.context.database.writing() as session, pytest.raises(NotFound):
        uploads.discard_upload(session, actor=stranger.staff, upload_id=upload.id)


def test_an_abandoned_upload_is_swept_away_with_its_bytes(school: School) -> None:
    with clock.fixed(clock.now()) as time:
        kept, abandoned = begin(school), begin(school)
        send(school, abandoned, 0, FILE[:HALF])
        time.advance(rules.ABANDONED_AFTER + timedelta(seconds=1))
        send(school, kept, 0, FILE[:HALF])
        with school.context.database.writing() as session:
            folders = uploads.discard_abandoned(session, now=clock.now())
    assert folders == [uploads.upload_folder(abandoned.id)]
    for folder in folders:
        uploads.delete_folder(school.context.store, folder)
    assert list(school.context.store.list(folders[0])) == []
    assert current(school, kept).offset == HALF
    with school.context.database.reading() as session:
        assert session.get(Upload, abandoned.id) is None


def test_a_local_file_is_taken_in_by_the_same_steps(school: School, tmp_path: Path) -> None:
    file = tmp_path / "课.mp4"
    file.write_bytes(FILE)
    film_id = uploads.take_in_file(school.context, actor=school.staff, file=file)
    with school.context.database.reading() as session:
        film = session.get_one(Film, film_id)
        assert (film.name, film.size) == ("课.mp4", len(FILE))
