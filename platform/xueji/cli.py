"""``xueji …``: the operator's and the auditor's commands. Each only reads its words, calls, and says how it went."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from xueji.kernel.settings import SettingError, Settings


def _settings() -> Settings:
    try:
        return Settings.load()
    except SettingError as error:
        _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(1)


@contextmanager
def _installation() -> Iterator[Any]:
    """The context of an installation that was set up."""
    from xueji.kernel.context import Context

    settings = _settings()
    try:
        context = Context.open(settings)
    except FileNotFoundError:
        _refuse(
            f"{settings.keys} holds no master key: run `xueji setup`, or put the key back beside data that is there"
        )
    try:
        yield context
    finally:
        context.close()


@click.group()
@click.version_option(package_name="xueji")
def main() -> None:
    """Xueji 学迹: proctored online learning whose class hours anyone can check."""
    import structlog

    # What a command answers with goes to standard output, and nothing else does.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@main.command()
@click.option(
    "--demonstration", is_flag=True, help="Begin the log six weeks ago, under a name that says so, for `xueji demo`."
)
def setup(demonstration: bool) -> None:
    """Make the data folder, keys, database and face models; what is there is kept."""
    from contextlib import nullcontext

    from xueji import installation
    from xueji.kernel import clock
    from xueji.keycheck import OtherKey
    from xueji.trace.rules import DEMONSTRATION, PLAYED

    prefix = {"prefix": DEMONSTRATION} if demonstration else {}
    named = installation.name_the_log(Path(os.environ.get("XUEJI_DATA") or "data").resolve(), **prefix)
    settings = _settings()
    begins = clock.fixed(clock.now() - PLAYED) if demonstration and named else nullcontext()
    try:
        with begins:
            installation.make(settings)
    except OtherKey as error:
        _refuse(str(error))
    click.echo(f"{settings.data} is set up")


@main.command()
def upgrade() -> None:
    """Bring the database to the revision this program needs. Make a backup first."""
    from xueji import installation

    installation.upgrade(_settings())
    click.echo("the database is up to date")


@main.command("correct-openings")
def correct_openings() -> None:
    """Say in chains of an early release what their first leaf left out: whom they are about, and the subject.

    Doing it again changes nothing.
    """
    from xueji.enrolment.services.corrections import correct_openings as correct
    from xueji.enrolment.services.identifying import identify_enrolments

    with _installation() as context:
        click.echo(f"{correct(context)} chains were put right, {identify_enrolments(context)} identified")


@main.command()
def up() -> None:
    """Start web, workers, sequencer and broker, and keep them up until stopped (Ctrl-C or SIGTERM)."""
    import structlog

    from xueji import demo as demonstration
    from xueji import doctor as doctor_of
    from xueji import keycheck, probes
    from xueji.doctor import LineStatus
    from xueji.kernel import logs
    from xueji.supervisor.process import NotStarted
    from xueji.supervisor.programs import UnsafeFolder
    from xueji.supervisor.supervise import CannotStart, run
    from xueji.web.health import Failing

    with _installation() as context:
        logs.configure(context.settings, "supervisor")
        try:
            probes.migrations(context)
            keycheck.settle(context)
            seen = doctor_of.outside(context)
            if seen.outcome is not LineStatus.OK:
                structlog.get_logger(__name__).warning("log.not_held_outside", words=seen.words)
                click.echo(f"warning: {seen.words}", err=True)
            run(context, when_ready=lambda: click.echo(demonstration.welcome(context)))
        except (CannotStart, NotStarted, UnsafeFolder, Failing, keycheck.OtherKey) as error:
            _refuse(str(error))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print accounts, enrolments and lessons as JSON.")
def demo(as_json: bool) -> None:
    """Fill the installation with an invented demonstration, or say again what it holds."""
    from xueji import demo as demonstration

    with _installation() as context:
        try:
            made = demonstration.make(context)
        except demonstration.NotMade as error:
            _refuse(str(error))
        if as_json:
            click.echo(json.dumps(made, ensure_ascii=False, indent=2))
        else:
            click.echo(demonstration.welcome(context))
        for note in made["notes"]:
            click.echo(note, err=True)


@main.command()
def doctor() -> None:
    """Check engine, broker, database, keys and machine, and say what to do about what is wrong."""
    from xueji.doctor import LineStatus, examine

    worst = LineStatus.OK
    for finding in examine(_settings()):
        click.echo(f"{finding.outcome.value:4}  {finding.subject:13} {finding.words}")
        worst = max(worst, finding.outcome, key=list(LineStatus).index)
    raise SystemExit(1 if worst is LineStatus.FAIL else 0)


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, metavar="BUNDLE [--policy FILE] [--checkpoint FILE]", type=click.UNPROCESSED)
def verify(words: tuple[str, ...]) -> None:
    """Check an evidence BUNDLE (a zip or its folder) offline, one line a claim."""
    from xueji.evidence import verify as verifier

    raise SystemExit(verifier.main(words))


@main.group()
def faces() -> None:
    """The face engine."""


@faces.command()
@click.argument("pairs", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", is_flag=True, help="Measure with people of this installation who agreed to it, instead.")
@click.option("--account", help="With --site: the administrator who answers for it; her password is asked for.")
@click.option("--curve", type=click.Path(dir_okay=False, path_type=Path), help="Draw the curves into this PNG file.")
def evaluate(pairs: Path | None, site: bool, account: str | None, curve: Path | None) -> None:
    """Print the calibration report for PAIRS, a CSV of columns a, b, same and perhaps group; or for this site."""
    import cv2

    from media_pipeline.curve import draw

    if site == (pairs is not None):
        _refuse("name a CSV file of pairs, or give --site")
    found = _of_pairs(pairs) if pairs is not None else _of_site(account)
    click.echo(json.dumps(found.report, indent=2, ensure_ascii=False))
    if curve is not None:
        encoded = cv2.imencode(".png", draw(found.curves, found.report["threshold"]))[1]
        curve.write_bytes(encoded.tobytes())


def _of_pairs(pairs: Path) -> Any:
    from media_pipeline.engine import Engine
    from media_pipeline.evaluate import PairsError
    from media_pipeline.evaluate import evaluate as evaluate_pairs
    from media_pipeline.verdict import EngineDown

    try:
        return evaluate_pairs(pairs, engine=Engine(_settings().models))
    except (PairsError, EngineDown) as error:
        _refuse(str(error))


def _of_site(account: str | None) -> Any:
    from xueji.identity import services as identity
    from xueji.proctoring import services

    account = account or click.prompt("Account of the administrator who answers for it")
    password = click.prompt("Her password", hide_input=True)
    with _installation() as context, _said_plainly():
        actor = identity.administrator_at_the_machine(context, account=account, password=password)
        return services.calibrate(context, actor=actor)


@main.command()
def sequencer() -> None:
    """Order, sign and publish the traceability log; `xueji up` runs it."""
    from xueji.kernel import logs
    from xueji.trace.process import run_sequencer

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with _installation() as context:
        logs.configure(context.settings, "sequencer")
        run_sequencer(context, stop)


@main.command()
@click.option("--queue", default="short,long", show_default=True, help="Which queues to work on.")
def worker(queue: str) -> None:
    """Work on tasks in the foreground, on a machine that serves no pages; `xueji up` runs its own workers."""
    settings = _settings()
    from xueji.supervisor.programs import WORKER_MEMORY, worker_command

    command = worker_command(queue, settings.worker_processes)
    os.execve(sys.executable, command, {**WORKER_MEMORY, **os.environ})


@main.group()
def admin() -> None:
    """The platform's administrators, from the machine itself."""


@contextmanager
def _said_plainly() -> Iterator[None]:
    """A refusal of a service becomes a sentence and exit status 1."""
    from xueji.kernel.errors import Problem

    try:
        yield
    except Problem as problem:
        _refuse(f"{problem.title}：{problem.detail}")


def _show_code(account: str, code: str, address: str) -> None:
    click.echo(f"address          {address}/sign-in")
    click.echo(f"account          {account}")
    click.echo(f"activation code  {code}")
    click.echo("The code is shown this once. At the first sign-in it is replaced by a password and a second factor.")


@admin.command("create")
@click.option("--name", prompt=True, help="Her real name.")
@click.option("--id-number", prompt="Identity number", help="Her identity number.")
@click.option("--account", prompt=True, help="What she signs in with: a telephone number or a name.")
@click.option("--operator", prompt="Organisation that runs the platform", help="Its name, registered if there is none.")
@click.option("--region", prompt="Its region (six digits, GB/T 2260)", help="Its division code, six digits.")
def create_admin(name: str, id_number: str, account: str, operator: str, region: str) -> None:
    """Make the first administrator, who registers everybody else."""
    from xueji.identity import services

    code = services.first_code()
    with _installation() as context, _said_plainly():
        hashed = services.hash_code(context.keyring, code)
        with context.database.writing() as session:
            services.create_administrator(
                session,
                context.keyring,
                name=name,
                id_number=id_number,
                account=account,
                code=hashed,
                operator=operator,
                region=region,
            )
        _show_code(account, code, context.settings.public_url)


@admin.command("recover")
@click.option("--account", prompt=True, help="The administrator's account.")
def recover_admin(account: str) -> None:
    """Let an administrator begin anew who has lost her password or second factor."""
    from xueji.identity import services

    code = services.first_code()
    with _installation() as context, _said_plainly():
        hashed = services.hash_code(context.keyring, code)
        with context.database.writing() as session:
            services.recover_administrator(session, context.keyring, context.events, account=account, code=hashed)
        _show_code(account, code, context.settings.public_url)


@main.group()
def log() -> None:
    """The traceability log."""


@log.command("new-origin")
@click.confirmation_option(prompt="Only after a real loss: the old log ends, a new one begins. Go on?")
def new_origin() -> None:
    """Begin a new log after a loss; its first leaf holds the old one's last checkpoint."""
    from xueji.trace.fork_guard import CannotSign
    from xueji.trace.process import AnotherSequencer, sequencer_lock
    from xueji.trace.sequencer import Sequencer

    with _installation() as context:
        try:
            with sequencer_lock(context):
                Sequencer(context.database, context.settings).open_new_origin()
        except AnotherSequencer:
            _refuse("the sequencer is running: stop `xueji up` first")
        except CannotSign as error:
            _refuse(str(error))
        click.echo(f"the log goes on as {context.settings.log_origin}")


@log.command()
def audit() -> None:
    """Read the whole log again, recompute every hash and signature, and hold each enrolment to its first leaf."""
    from sqlalchemy.exc import DatabaseError

    from xueji.enrolment.chain_binding import audit_binding
    from xueji.trace.audit import audit as audit_log

    with _installation() as context, context.database.reading() as session:
        try:
            problems = [*audit_log(session), *audit_binding(session)]
        except DatabaseError as error:
            _refuse(f"the database cannot be read: {error.orig}; `xueji doctor` names the damaged pages")
    for problem in problems:
        click.echo(problem)
    if problems:
        raise SystemExit(1)
    click.echo("every leaf, tile, checkpoint and enrolment fits")


@log.command()
@click.option("--clear", metavar="NUMBER", type=int, help="Say that this one has been dealt with.")
def alarms(clear: int | None) -> None:
    """What the log refused or could not do, and nobody has dealt with yet."""
    from xueji.trace import alarms as trace_alarms

    with _installation() as context:
        if clear is not None:
            with context.database.writing() as session:
                if not trace_alarms.clear_one(session, clear):
                    _refuse(f"no alarm {clear} stands")
        with context.database.reading() as session:
            for alarm in trace_alarms.standing(session):
                click.echo(f"{alarm.id} {alarm.raised_at:%Y-%m-%d %H:%M:%S}Z {alarm.kind}: {alarm.detail}")


@log.group()
def checkpoint() -> None:
    """Checkpoints kept by somebody outside, where no authority or witness can be reached."""


@checkpoint.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file instead.")
def export_checkpoint(out: Path | None) -> None:
    """Print the newest signed checkpoint: a few lines to be kept, sent or printed on paper."""
    from xueji.trace import checkpoint_holders

    with _installation() as context, context.database.reading() as session:
        try:
            written = checkpoint_holders.export(session)
        except checkpoint_holders.NotHeld as error:
            _refuse(str(error))
    if out is None:
        click.echo(written, nl=False)
    else:
        out.write_text(written, "utf-8")
        click.echo(f"{out} written: give it to somebody outside, then run `xueji log checkpoint acknowledge`")


@checkpoint.command("acknowledge")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--holder", prompt="Who holds it", help="Who holds it: a person and an organisation.")
def acknowledge_checkpoint(file: Any, holder: str) -> None:
    """Record that somebody outside holds the checkpoint in FILE (- reads what is pasted); it must fit the log."""
    from xueji.trace import checkpoint_holders

    with _installation() as context:
        try:
            with context.database.writing() as session:
                held = checkpoint_holders.acknowledge(session, file.read(), holder=holder)
        except checkpoint_holders.NotHeld as error:
            _refuse(str(error))
    click.echo(f"recorded: a checkpoint of {held.size} leaves is held outside")


@log.command("clock-reset")
@click.confirmation_option(prompt="Is this machine's clock right now?")
def clock_reset() -> None:
    """Once the clock is right again: let chains go on that say a later time, and the log after a standstill."""
    from xueji.trace.services import reset_clocks

    with _installation() as context:
        with context.database.writing() as session:
            count = reset_clocks(session)
        click.echo(f"{count} chains go on from the present time; it stands in the log")


@log.command("rotate-key")
@click.option("--retire", is_flag=True, help="Forget the old keys instead, once every auditor has the new one.")
def rotate_key(retire: bool) -> None:
    """Add a new signing key; the running sequencer signs with old and new from then on."""
    from xueji.trace.signing import KeyFile

    with _installation() as context:
        origin, file = context.settings.log_origin, KeyFile(context.settings.keys)
        for key in file.retire(origin) if retire else file.add(origin):
            click.echo(f"{key.purpose} {key.public}")


if __name__ == "__main__":
    main()
