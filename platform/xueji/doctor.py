"""`xueji doctor`: looks at everything an installation needs, one line each, and says what to do about what is wrong."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from media_pipeline.models import model_name
from media_pipeline.selftest import self_test
from xueji import probes
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.log_collector import Collector
from xueji.kernel.settings import Settings
from xueji.proctoring import queries as proctoring
from xueji.rulebook import rules as rulebook
from xueji.trace import checkpoint_holders
from xueji.trace import models as trace_models
from xueji.trace import queries as trace
from xueji.trace.fork_guard import CannotSign, OutsideCheckpoint
from xueji.trace.models import Cosignature, TimeStamp
from xueji.trace.note import Checkpoint
from xueji.trace.probes import sequencer as sequencer_probe
from xueji.trace.process import AnotherSequencer, sequencer_lock
from xueji.web.assets import BUILT
from xueji.web.health import Failing

SCARCE_BYTES, TOO_FEW_BYTES = 5 * 1024**3, 512 * 1024**2
_UNSYNCHRONISED = 5  # adjtimex's TIME_ERROR
_TIMEX_BYTES = 256


class LineStatus(StrEnum):
    """From good to bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Line:
    subject: str
    outcome: LineStatus
    words: str


Examination = Callable[[], Line]


def examine(settings: Settings) -> Iterator[Line]:
    """Everything that can be looked at; without keys there is no installation, and the rest is left out."""
    yield _safely("python", python)
    yield _safely("data", partial(data_folder, settings))
    yield _safely("disk", partial(disk, settings))
    yield _safely("clock", clock_is_set)
    yield _safely("front end", front_end)
    yield _safely("fonts", fonts)
    for found in self_test(settings.models):
        yield Line(f"engine/{found.name}", LineStatus.OK if found.works else LineStatus.FAIL, found.detail)
    yield _safely("log lines", partial(log_lines, settings))
    yield _safely("settings", partial(names_and_safety, settings))
    keys_found = _safely("keys", partial(keys, settings))
    yield keys_found
    if keys_found.outcome is LineStatus.FAIL:
        return
    context = Context.open(settings)
    try:
        yield _probed("database", partial(probes.database, context))
        yield _probed("migrations", partial(probes.migrations, context))
        yield _probed("master key", partial(probes.keys, context))
        yield _safely("pages", partial(pages, context))
        yield _safely("grants", partial(grants, context))
        yield broker(context)
        yield _probed("store", partial(probes.store, context))
        yield _safely("sequencer", partial(sequencer, context))
        yield _safely("log", partial(fork_guard, context))
        yield _safely("outside", partial(outside, context))
        yield _safely("calibration", partial(calibration, context))
    finally:
        context.close()


def _safely(subject: str, look: Examination) -> Line:
    try:
        return look()
    except Exception as error:
        return Line(subject, LineStatus.FAIL, f"could not be looked at: {type(error).__name__}: {error}")


def _probed(subject: str, probe: Callable[[], None]) -> Line:
    try:
        probe()
    except Exception as error:
        return Line(subject, LineStatus.FAIL, str(error))
    return Line(subject, LineStatus.OK, "answers as it should")


def python() -> Line:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Line("python", LineStatus.OK, f"{version}, {os.cpu_count()} processors")


def data_folder(settings: Settings) -> Line:
    if not settings.data.is_dir():
        return Line("data", LineStatus.FAIL, f"{settings.data} is not there: run `xueji setup`")
    if not os.access(settings.data, os.W_OK):
        return Line("data", LineStatus.FAIL, f"{settings.data} cannot be written by this user")
    if _open_to_others(settings.data):
        return Line("data", LineStatus.FAIL, f"{settings.data} can be read by others: chmod 700 {settings.data}")
    return Line("data", LineStatus.OK, f"{settings.data}, closed to others")


def disk(settings: Settings) -> Line:
    free = shutil.disk_usage(settings.data if settings.data.exists() else settings.data.parent).free
    words = f"{free / 1024**3:.1f} GiB free"
    if free < TOO_FEW_BYTES:
        return Line("disk", LineStatus.FAIL, f"{words}: nothing more may be recorded soon; make room")
    if free < SCARCE_BYTES:
        return Line("disk", LineStatus.WARN, f"{words}: films and pictures will need more")
    return Line("disk", LineStatus.OK, words)


def clock_is_set() -> Line:
    """The server's clock bounds every credited second, so it should be kept by somebody."""
    told = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if told == _UNSYNCHRONISED:
        return Line("clock", LineStatus.WARN, "not synchronised, says the kernel: run an NTP client on this machine")
    return Line("clock", LineStatus.OK, "synchronised")


def front_end() -> Line:
    if not (BUILT / ".vite" / "manifest.json").exists():
        return Line("front end", LineStatus.FAIL, "not built: run `make assets`")
    return Line("front end", LineStatus.OK, "built")


def fonts() -> Line:
    """The one font that is drawn with here is OpenCV's own, for films; pages use the reader's."""
    learning, trace_of_it = _drawn("学"), _drawn("迹")
    # A font without these characters draws the same empty box for both.
    if not learning.any() or np.array_equal(learning, trace_of_it):
        return Line("fonts", LineStatus.WARN, "OpenCV draws no Chinese here: the demonstration's films will be blank")
    return Line("fonts", LineStatus.OK, "Chinese can be drawn into films (OpenCV's own font); pages use the reader's")


def _drawn(character: str) -> NDArray[np.uint8]:
    picture = np.zeros((64, 64), np.uint8)
    cv2.putText(picture, character, (8, 48), (255,), cv2.FontFace("uni"), 40)
    return picture


def names_and_safety(settings: Settings) -> Line:
    if settings.demo:
        return Line("settings", LineStatus.WARN, "this is a demonstration: no second factor is asked of staff")
    if settings.staff_second_factor != "required":
        return Line("settings", LineStatus.WARN, "staff_second_factor is not required of staff")
    if settings.public_url.startswith("https:") and not settings.secure_cookies:
        return Line("settings", LineStatus.WARN, "public_url is https: set secure_cookies to true")
    if settings.log_origin.startswith("xueji.example"):
        return Line("settings", LineStatus.WARN, "log_origin is still an example's: name a domain of yours, before use")
    return Line("settings", LineStatus.OK, "as for real use")


def log_lines(settings: Settings) -> Line:
    """Whether the lines of the programs' logs leave this machine."""
    if not settings.log_collector:
        words = "the lines stay on this machine, where an intruder can change them: set log_collector"
        return Line("log lines", LineStatus.OK if settings.demo else LineStatus.WARN, words)
    try:
        Collector.parse(settings.log_collector).reach()
    except OSError as error:
        return Line("log lines", LineStatus.FAIL, f"{settings.log_collector} takes none: {error}")
    return Line("log lines", LineStatus.OK, f"sent to {settings.log_collector}")


def keys(settings: Settings) -> Line:
    if not (settings.keys / "master.key").exists():
        return Line("keys", LineStatus.FAIL, f"no master key in {settings.keys}: run `xueji setup`, or restore it")
    readable = [file.name for file in (settings.keys, *sorted(settings.keys.iterdir())) if _open_to_others(file)]
    if readable:
        return Line("keys", LineStatus.FAIL, f"others can read {', '.join(readable)}: chmod -R go= {settings.keys}")
    if not (settings.keys / "trace.keys").exists():
        return Line("keys", LineStatus.OK, "present; the log's own are made when it first runs")
    return Line("keys", LineStatus.OK, "present, closed to others; keep a copy apart from the database's backups")


def _open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def pages(context: Context) -> Line:
    """Whether every page of the database can be read and fits; damaged ones are named."""
    if not context.database.is_sqlite:
        with context.database.reading() as session:
            kept = session.scalar(text("SHOW data_checksums"))
        if kept != "on":
            words = "PostgreSQL keeps no checksums of its pages: stop it and run pg_checksums --enable"
            return Line("pages", LineStatus.WARN, words)
        return Line(
            "pages", LineStatus.OK, "PostgreSQL keeps checksums of its pages and names damaged ones as it reads"
        )
    found: list[str] = []
    with context.database.reading() as session:
        try:
            found.extend(str(row[0]) for row in session.execute(text("PRAGMA quick_check(5)")))
        except DatabaseError as error:
            found.append(str(error.orig))  # what it found before it could go no further stands before this
    if found != ["ok"]:
        words = f"damaged: {'; '.join(found)}. Stop, copy the file away, and restore: see docs/operations.md"
        return Line("pages", LineStatus.FAIL, words)
    return Line("pages", LineStatus.OK, "every page of the database fits")


def grants(context: Context) -> Line:
    """On PostgreSQL the role that serves may add to the log and read it; its owner cannot sign in."""
    if context.database.is_sqlite:
        return Line("grants", LineStatus.OK, "SQLite knows no roles; triggers and checkpoints guard the log")
    statement = text("SELECT has_table_privilege(current_user, 'trace_leaf', :right)")
    with context.database.reading() as session:
        held = [right for right in ("UPDATE", "DELETE", "TRUNCATE") if session.scalar(statement, {"right": right})]
    if held:
        words = f"the serving role may {', '.join(held)} the log's leaves: see the grants in docs/operations.md"
        return Line("grants", LineStatus.WARN, words)
    return Line("grants", LineStatus.OK, "the serving role can only add to the log")


def broker(context: Context) -> Line:
    try:
        probes.broker(context)
    except Failing as error:
        if context.settings.embedded_broker:
            return Line("broker", LineStatus.WARN, "the embedded broker is not running: `xueji up` starts it")
        return Line("broker", LineStatus.FAIL, str(error))
    return Line("broker", LineStatus.OK, "answers as it should")


def sequencer(context: Context) -> Line:
    try:
        sequencer_probe(context)
    except Failing as error:
        try:
            with sequencer_lock(context):
                words = "leaves wait for the sequencer, which is not running: `xueji up` starts it"
                return Line("sequencer", LineStatus.WARN, words)
        except AnotherSequencer:
            return Line("sequencer", LineStatus.FAIL, f"{error}, though it is running: see log/sequencer.jsonl")
    return Line("sequencer", LineStatus.OK, "nothing waits for it")


OUTSIDE_DAYS = 7
"""Days after which what is held outside counts as too old."""


def outside(context: Context) -> Line:
    """Whether anybody outside would notice that the end of the log was cut off: without that nobody can."""
    since = clock.now() - timedelta(days=OUTSIDE_DAYS)
    with context.database.reading() as session:
        stamped = session.scalar(select(func.max(TimeStamp.time)))
        signed = session.scalar(
            select(func.max(trace_models.CheckpointRow.time)).join(
                Cosignature,
                (Cosignature.log == trace_models.CheckpointRow.log)
                & (Cosignature.size == trace_models.CheckpointRow.size),
            )
        )
        held = checkpoint_holders.last_acknowledged(session)
    known = {
        "a time-stamp authority": clock.from_ms(stamped * 1000) if stamped is not None else None,
        "a witness": clock.from_ms(signed * 1000) if signed is not None else None,
        "somebody who holds a checkpoint": held,
    }
    fresh = [who for who, when in known.items() if when is not None and when >= since]
    if fresh:
        return Line("outside", LineStatus.OK, f"the log's end is known to {' and '.join(fresh)}")
    words = (
        f"nobody outside has seen the log in the last {OUTSIDE_DAYS} days: its end could be cut off unseen. Set"
        " timestamp_urls or witness_urls, or give `xueji log checkpoint export` to somebody and `acknowledge` it"
    )
    return Line("outside", LineStatus.WARN if context.settings.demo else LineStatus.FAIL, words)


def fork_guard(context: Context) -> Line:
    """Whether the log in the database continues the last checkpoint kept outside it, as far as its size tells."""
    with context.database.reading() as session:
        state = trace.state(session)
    if state.alarms:
        raised = "; ".join(f"{alarm.kind}: {alarm.detail}" for alarm in state.alarms)
        return Line("log", LineStatus.FAIL, f"{raised}; docs/operations.md says what each alarm asks for")
    try:
        outside = OutsideCheckpoint(context.settings.data).read()
    except CannotSign as error:
        return Line("log", LineStatus.FAIL, str(error))
    if outside is None:
        if state.origin is None:
            return Line("log", LineStatus.OK, "not opened yet: the sequencer does, when `xueji up` first runs")
        return Line("log", LineStatus.FAIL, "the checkpoint kept outside the database is gone: nothing will be signed")
    signed = Checkpoint.parse(outside.text)
    if state.origin != signed.origin or state.size < signed.size:
        words = f"{signed.size} leaves of {signed.origin} were signed for, the database holds {state.size}"
        return Line("log", LineStatus.FAIL, f"{words}: it was restored from an older state, see docs/operations.md")
    return Line("log", LineStatus.OK, f"{state.size} leaves, {state.signed_size} signed for, none waiting long")


def calibration(context: Context) -> Line:
    """Whether faces are told apart here as well as the preset's limit promises, as far as the site had it measured."""
    subject = "calibration"
    with context.database.reading() as session:
        last = proctoring.last_calibration(session)
    if last is None:
        words = "how well faces are told apart here was never measured: `xueji faces evaluate --site`"
        return Line(subject, LineStatus.OK, words)
    if last.model != model_name():
        words = f"measured with {last.model}, which judges no more: `xueji faces evaluate --site`"
        return Line(subject, LineStatus.WARN, words)
    worse = _worse_than_preset(last.report)
    if worse:
        words = f"worse than the preset's figures: {'; '.join(worse)}. docs/faces.md says what can be done"
        return Line(subject, LineStatus.WARN, words)
    told = last.report
    words = f"{told['people']} people, {told['frames']} frames: no worse than the preset's figures"
    return Line(subject, LineStatus.OK, words)


def _worse_than_preset(report: dict[str, Any]) -> list[str]:
    """In words. One pair of people, or one person, may be the exception: two are needed to say it of a site."""
    in_force = rulebook.load().in_force("", clock.shanghai_day(clock.now()))
    groups = [(f"{trait} {value}", told) for trait, values in report["by"].items() for value, told in values.items()]
    found = []
    for name, told in [("all", report), *groups]:
        key = "faces.strangers_accepted" if told is report else "faces.strangers_accepted_in_group"
        strangers, own = in_force.ruling(key).whole / 10_000, in_force.ruling("faces.own_accepted").whole / 10_000
        far, tar = 100 * (told["far"] or 0.0), 100 * (1.0 if told["tar"] is None else told["tar"])
        if far > strangers and told["stranger_pairs_accepted"] > 1:
            pairs = f"{told['stranger_pairs_accepted']} of {told['stranger_pairs']} pairs of people"
            found.append(f"{name}: {far:.3g} % of strangers accepted ({pairs}), preset {strangers:g} %")
        if tar < own and told["refused_people"] > 1:
            people = f"{told['refused_people']} of {told['people']} people"
            found.append(f"{name}: {tar:.4g} % of own frames accepted ({people} refused once), preset {own:g} %")
    return found
