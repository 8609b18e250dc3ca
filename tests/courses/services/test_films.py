"""From an uploaded file to a film that plays, by workers that die."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from support.films import film
from support.school import School, new_school

from courses import rules, wording
from courses.models import Film, FilmState, Lesson, Upload, UploadPiece
from courses.services import films, uploads
from courses.services.uploads import delete_folder, upload_folder
from media_pipeline.demo_film import make_demo_film
from media_pipeline.film import FilmFault
from media_pipeline.hls import FilmRemark
from xueji.kernel import clock
from xueji.kernel.context import Context


@pytest.fixture
def school(context: Context) -> School:
    return new_school(context)


@pytest.fixture(scope="session")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "课.mp4"
    make_demo_film(file, 3, "课")
    return file


def queued(school: School, file: Path) -> UUID:
    return uploads.take_in_file(school.context, actor=school.staff, file=file)


def nonsense(school: School, tmp_path: Path) -> UUID:
    file = tmp_path / "not-a-film.mp4"
    file.write_bytes(b"\x00\x01 not a film " * 100)
    return queued(school, file)


def current(school: School, film_id: UUID) -> Film:
    with school.context.database.reading() as session:
        return session.get_one(Film, film_id)


def take(school: School, film_id: UUID) -> films.LeasedFilm | None:
    with school.context.database.writing() as session:
        return films.take_film(session, film_id)


def test_a_film_is_made_once_and_its_original_let_go(school: School, film_file: Path) -> None:
    film_id = queued(school, film_file)
    assert films.make_film(school.context, film_id)
    film = current(school, film_id)
    assert film.state is FilmState.READY
    assert film.progress == 1000
    assert film.duration_ms is not None
    assert abs(film.duration_ms - 3000) <= 100
    assert film.sha256 == hashlib.sha256(film_file.read_bytes()).hexdigest()
    names = [path.removeprefix(f"{film.folder}/") for path in school.context.store.list(str(film.folder))]
    assert {rules.PLAYLIST, rules.POSTER} <= set(names)
    assert all(rules.media_type(name) for name in names)
    assert list(school.context.store.list("uploads")) == []
    assert not films.make_film(school.context, film_id)
    assert current(school, film_id).folder == film.folder


def test_a_file_that_is_no_film_is_refused_in_words(school: School, tmp_path: Path) -> None:
    film_id = nonsense(school, tmp_path)
    films.make_film(school.context, film_id)
    film = current(school, film_id)
    assert (film.state, film.refused_reason) == (FilmState.REFUSED, FilmFault.NOT_A_FILM)
    assert list(school.context.store.list("uploads")) == []
    with school.context.database.reading() as session:
        assert session.scalar(select(UploadPiece)) is None
    assert list((school.context.settings.data / "run").glob("film-*")) == []


def test_a_film_somebody_works_on_is_nobody_elses(school: School, film_file: Path) -> None:
    film_id = queued(school, film_file)
    taken = take(school, film_id)
    assert taken is not None
    assert not films.make_film(school.context, film_id)
    with school.context.database.reading() as session:
        assert films.waiting_films(session) == []


def test_a_killed_workers_film_is_taken_up_again_and_the_dead_cannot_finish_it(school: School, film_file: Path) -> None:
    film_id = queued(school, film_file)
    with clock.fixed(clock.now()) as time:
        dead = take(school, film_id)
        assert dead is not None
        time.advance(rules.LEASE + timedelta(seconds=1))
        with school.context.database.reading() as session:
            assert films.waiting_films(session) == [film_id]
        assert films.make_film(school.context, film_id)
    made = current(school, film_id)
    with school.context.database.writing() as session:
        assert not films.report_progress(session, dead, 500)
        assert not films.refuse_film(session, dead, FilmFault.BROKEN)
    assert current(school, film_id).folder == made.folder
    assert current(school, film_id).state is FilmState.READY


def test_a_report_keeps_the_lease(school: School, film_file: Path) -> None:
    film_id = queued(school, film_file)
    with clock.fixed(clock.now()) as time:
        taken = take(school, film_id)
        assert taken is not None
        time.advance(rules.LEASE - timedelta(seconds=1))
        with school.context.database.writing() as session:
            assert films.report_progress(session, taken, 420)
        time.advance(rules.LEASE - timedelta(seconds=1))
        assert take(school, film_id) is None
    assert current(school, film_id).progress == 420


def test_a_worker_that_lost_its_film_stops_and_clears_up(
    school: School, film_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film_id = queued(school, film_file)
    monkeypatch.setattr(films, "report_progress", lambda *_: False)
    assert films.make_film(school.context, film_id)
    assert current(school, film_id).state is FilmState.WORKING
    assert list(school.context.store.list(f"films/{film_id}")) == []


def test_what_goes_wrong_with_the_machine_is_tried_again_later_and_not_for_ever(
    school: School, film_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film_id = queued(school, film_file)

    def full_disk(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, clock.fixed(clock.now()) as time:
        patch.setattr(films, "package_film", full_disk)
        for _attempt in range(rules.MOST_ATTEMPTS):
            with pytest.raises(OSError, match="space"):
                films.make_film(school.context, film_id)
            assert current(school, film_id).state is FilmState.QUEUED
            assert take(school, film_id) is None, "it rests first"
            time.advance(timedelta(hours=1))
        assert films.make_film(school.context, film_id)
    film = current(school, film_id)
    assert (film.state, film.refused_reason) == (FilmState.REFUSED, rules.Fault.GAVE_UP)


def test_a_lost_piece_is_said_and_not_made_up(school: School, film_file: Path) -> None:
    film_id = queued(school, film_file)
    with school.context.database.reading() as session:
        upload_id = session.scalar(select(Upload.id))
    assert upload_id is not None
    delete_folder(school.context.store, upload_folder(upload_id))
    films.make_film(school.context, film_id)
    assert current(school, film_id).refused_reason == rules.Fault.ORIGINAL_LOST


def test_only_films_that_no_lesson_shows_are_swept_away(school: School, film_file: Path) -> None:
    lesson = school.lesson(duration_ms=None)
    with clock.fixed(clock.now()) as time:
        shown = uploads.take_in_file(school.context, actor=school.staff, file=film_file, lesson_id=lesson.id)
        unused, waiting = queued(school, film_file), queued(school, film_file)
        for film_id in (shown, unused):
            films.make_film(school.context, film_id)
        time.advance(rules.UNUSED_KEPT + timedelta(seconds=1))
        with school.context.database.writing() as session:
            folders = films.discard_unused(session, now=clock.now())
    assert folders[0] == f"films/{unused}"
    assert len(folders) == 2
    with school.context.database.reading() as session:
        assert set(session.scalars(select(Film.id))) == {shown, waiting}
        assert session.get_one(Lesson, lesson.id).film_id == shown


def test_a_broken_film_is_refused_with_the_moment(school: School, tmp_path: Path) -> None:
    data = film(tmp_path / "half.mkv", seconds=8, size="160x90").read_bytes()
    (tmp_path / "half.mkv").write_bytes(data[: len(data) // 2])
    film_id = queued(school, tmp_path / "half.mkv")
    films.make_film(school.context, film_id)
    refused = current(school, film_id)
    assert (refused.refused_reason, refused.has_strip) == (FilmFault.BROKEN, False)
    assert refused.refused_at_ms is not None
    assert 1000 < refused.refused_at_ms < 7000
    assert f"0:0{refused.refused_at_ms // 1000}" in wording.refusal(FilmFault.BROKEN, refused.refused_at_ms)


def test_what_is_odd_about_a_film_and_how_it_looks_stay_with_it(school: School, tmp_path: Path) -> None:
    film_id = queued(school, film(tmp_path / "film.mp4", seconds=2, sound=4, size="160x90"))
    films.make_film(school.context, film_id)
    made = current(school, film_id)
    assert made.remarks == [FilmRemark.PICTURE_HELD]
    assert made.has_strip
    assert school.context.store.get(f"{made.folder}/{rules.STRIP}").startswith(b"\xff\xd8")


@pytest.mark.parametrize("words", [FilmFault, rules.Fault, FilmRemark])
def test_every_code_has_words(words: type[StrEnum]) -> None:
    assert {str(code) for code in words} <= {str(code) for code in (*wording.REFUSED, *wording.REMARK)}
