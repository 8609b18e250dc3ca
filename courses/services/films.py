"""Turning an uploaded file into a film that plays, by workers that may die at any moment.

A film is taken under a lease that the worker renews with every report of progress. Whoever finds another's lease on it
has lost it and stops; a lease that ran out is anybody's again. Every attempt writes into a folder of its own, and only
the row says which folder is the film, so half of one attempt and half of another never meet.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from courses import rules
from courses.models import Film, FilmState, Lesson, Upload, UploadPiece
from courses.services.uploads import delete_folder, piece_paths, upload_folder
from media_pipeline.ffmpeg import FilmCancelled
from media_pipeline.film import FilmError, FilmFault, FilmLimits
from media_pipeline.hls import PackagedFilm, package_film
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.storage import Store

log = structlog.get_logger(__name__)

BETWEEN_REPORTS = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class LeasedFilm:
    """A film somebody works on now."""

    film_id: UUID
    lease: UUID
    attempt: int
    """From 1."""
    size: int
    upload_id: UUID | None
    pieces: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Where this attempt's files go."""
        return f"films/{self.film_id}/{self.lease}"


class Unmakable(Exception):
    """There will be no film, and that is no fault of the file."""

    def __init__(self, fault: rules.Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def make_film(context: Context, film_id: UUID) -> bool:
    """Do all the work of one film; nothing when it is done, or another's for now. Returns whether it was taken.

    May be called any number of times. What goes wrong with the machine (no disk, no store) is raised, and the film
    goes back to the queue.
    """
    with context.database.writing() as session:
        taken = take_film(session, film_id)
    if taken is None:
        return False
    log.info("film.taken", film=str(film_id))
    try:
        _work(context, taken)
    except FilmCancelled:
        log.warning("film.lost", film=str(film_id))
        delete_folder(context.store, taken.folder)
    except BaseException:
        with context.database.writing() as session:
            _let_go(session, taken)
        raise
    return True


def take_film(session: Session, film_id: UUID) -> LeasedFilm | None:
    """Lease a waiting film; None when there is nothing to do, or another does it."""
    now = clock.now()
    film = session.scalar(select(Film).where(Film.id == film_id, _free(now)).with_for_update(skip_locked=True))
    if film is None:
        return None
    upload_id = session.scalar(select(Upload.id).where(Upload.film_id == film_id))
    pieces = piece_paths(session, upload_id) if upload_id is not None else []
    lease = uuid4()
    film.state, film.progress, film.attempts = FilmState.WORKING, 0, film.attempts + 1
    film.lease, film.lease_until = lease, now + rules.LEASE
    return LeasedFilm(film.id, lease, film.attempts, film.size, upload_id, tuple(pieces))


def report_progress(session: Session, taken: LeasedFilm, thousandths: int) -> bool:
    """Keep the lease and say how far the work is. False when the film is no longer ours."""
    kept = session.execute(
        update(Film)
        .where(Film.id == taken.film_id, Film.lease == taken.lease, Film.state == FilmState.WORKING)
        .values(progress=thousandths, lease_until=clock.now() + rules.LEASE)
        .execution_options(synchronize_session=False)
    )
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def complete_film(session: Session, taken: LeasedFilm, made: PackagedFilm, sha256: str) -> bool:
    """Publish an attempt's folder as the film. False when it is no longer ours."""
    film = _ours(session, taken)
    if film is None:
        return False
    film.state, film.progress, film.finished_at = FilmState.READY, 1000, clock.now()
    film.duration_ms, film.folder, film.sha256 = made.duration_ms, taken.folder, sha256
    film.remarks, film.has_strip = [str(remark) for remark in made.remarks], rules.STRIP in made.files
    film.renditions = [
        {"name": each.name, "width": each.width, "height": each.height, "copied": each.copied}
        for each in made.renditions
    ]
    film.lease = film.lease_until = None
    return True


def refuse_film(session: Session, taken: LeasedFilm, reason: str, at_ms: int | None = None) -> bool:
    """Say why there will be no film, and where in it, in milliseconds. False when it is no longer ours."""
    film = _ours(session, taken)
    if film is None:
        return False
    film.state, film.refused_reason, film.refused_at_ms = FilmState.REFUSED, str(reason), at_ms
    film.finished_at, film.lease, film.lease_until = clock.now(), None, None
    return True


def waiting_films(session: Session) -> list[UUID]:
    """Films nobody works on: those whose task was lost, and those whose worker was."""
    return list(session.scalars(select(Film.id).where(_free(clock.now())).order_by(Film.uploaded_at).limit(100)))


def discard_unused(session: Session, *, now: datetime) -> list[str]:
    """Forget finished films that no lesson shows. Returns the folders to be deleted after the commit."""
    unused = [
        (film_id, upload_id)
        for film_id, upload_id in session.execute(
            select(Film.id, Upload.id)
            .outerjoin(Upload, Upload.film_id == Film.id)
            .where(Film.finished_at < now - rules.UNUSED_KEPT, ~exists().where(Lesson.film_id == Film.id))
            .limit(100)
        )
    ]
    films = [film_id for film_id, _upload_id in unused]
    session.execute(delete(Upload).where(Upload.film_id.in_(films)).execution_options(synchronize_session=False))
    session.execute(delete(Film).where(Film.id.in_(films)).execution_options(synchronize_session=False))
    return [f"films/{film_id}" for film_id in films] + [upload_folder(upload_id) for _film_id, upload_id in unused]


def _work(context: Context, taken: LeasedFilm) -> None:
    reports = _Reports(context, taken)
    work_folder = context.settings.data / "run"
    work_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="film-", dir=work_folder) as temporary:
        fault: str
        at_ms: int | None = None
        try:
            made, sha256 = _package(context, taken, Path(temporary), reports)
        except FilmError as error:
            fault, at_ms = error.fault, error.at_ms
            # What was made and does not play is our own fault and for somebody to look at.
            tell = log.error if fault is FilmFault.UNPLAYABLE else log.info
            tell("film.refused", film=str(taken.film_id), fault=fault, at_ms=at_ms, detail=error.detail)
        except Unmakable as error:
            fault = error.fault
            log.error("film.failed", film=str(taken.film_id), fault=fault)
        else:
            _finish(context, taken, lambda session: complete_film(session, taken, made, sha256))
            return
    _finish(context, taken, lambda session: refuse_film(session, taken, fault, at_ms))


def _package(context: Context, taken: LeasedFilm, folder: Path, reports: _Reports) -> tuple[PackagedFilm, str]:
    """Make the film and put its files into the store. Raises FilmError, Unmakable, FilmCancelled."""
    if taken.attempt > rules.MOST_ATTEMPTS:
        raise Unmakable(rules.Fault.GAVE_UP)
    original, made_in = folder / "original", folder / "film"
    sha256 = assemble(context.store, taken, original, reports.lost)
    limits = FilmLimits(max_bytes=context.settings.upload_limit_mib * 1024 * 1024)
    made = package_film(original, made_in, limits=limits, progress=reports.at, cancelled=reports.lost)
    for name in made.files:
        context.store.put(f"{taken.folder}/{name}", made_in / name)
        if reports.lost():
            raise FilmCancelled
    return made, sha256


def assemble(store: Store, taken: LeasedFilm, target: Path, cancelled: Callable[[], bool]) -> str:
    """Write the pieces one after another into ``target``. Returns the whole's SHA-256.

    Raises Unmakable when they are not all there, FilmCancelled.
    """
    whole, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        for path in taken.pieces:
            try:
                piece = store.get(path)
            except FileNotFoundError as error:
                raise Unmakable(rules.Fault.ORIGINAL_LOST) from error
            whole.update(piece)
            size += len(piece)
            file.write(piece)
            if cancelled():
                raise FilmCancelled
    if size != taken.size:
        raise Unmakable(rules.Fault.ORIGINAL_LOST)
    return whole.hexdigest()


def _finish(context: Context, taken: LeasedFilm, settle: Callable[[Session], bool]) -> None:
    """Write how it ended, and with it let the original go. Raises FilmCancelled when it is no longer ours."""
    with context.database.writing() as session:
        if not settle(session):
            raise FilmCancelled
        session.execute(delete(UploadPiece).where(UploadPiece.upload_id == taken.upload_id))
    if taken.upload_id is not None:
        delete_folder(context.store, upload_folder(taken.upload_id))
    log.info("film.finished", film=str(taken.film_id))


class _Reports:
    """Progress as the database hears of it: at most once a second, in transactions of their own."""

    def __init__(self, context: Context, taken: LeasedFilm) -> None:
        self._context = context
        self._taken = taken
        self._thousandths = 0
        self._next = clock.now()
        self._lost = False

    def at(self, thousandths: int) -> None:
        self._thousandths = thousandths

    def lost(self) -> bool:
        """Asked a few times a second while ffmpeg works, also when it has nothing to say."""
        if clock.now() >= self._next and not self._lost:
            self._next = clock.now() + BETWEEN_REPORTS
            with self._context.database.writing() as session:
                self._lost = not report_progress(session, self._taken, min(self._thousandths, 999))
        return self._lost


def _free(now: datetime) -> ColumnElement[bool]:
    """Not finished, and nobody's: never taken, or until a time that has passed."""
    unfinished = Film.state.in_((FilmState.QUEUED, FilmState.WORKING))
    return and_(unfinished, or_(Film.lease_until.is_(None), Film.lease_until < now))


def _ours(session: Session, taken: LeasedFilm) -> Film | None:
    return session.scalar(
        select(Film)
        .where(Film.id == taken.film_id, Film.lease == taken.lease, Film.state == FilmState.WORKING)
        .with_for_update()
    )


def _let_go(session: Session, taken: LeasedFilm) -> None:
    """Back to the queue, for later: the attempt counts, and what is wrong may take a while to be put right."""
    session.execute(
        update(Film)
        .where(Film.id == taken.film_id, Film.lease == taken.lease, Film.state == FilmState.WORKING)
        .values(state=FilmState.QUEUED, lease=None, lease_until=clock.now() + taken.attempt * rules.REST)
        .execution_options(synchronize_session=False)
    )
