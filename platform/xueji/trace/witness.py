"""Witnessing (C2SP tlog-witness): a second pair of eyes that cosigns only what continues what it saw before.

`cosign` is the witness, run by a regulator on an installation of her own; `ask_witnesses` is the log asking for it.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.crypto import write_secret
from xueji.kernel.settings import Settings
from xueji.trace import alarms, merkle, queries
from xueji.trace.models import CheckpointRow as CheckpointRow
from xueji.trace.models import Cosignature, Log, WitnessedLog
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError, VerifierKey
from xueji.trace.policy import witnesses
from xueji.trace.signing import CLOCK, SigningKey
from xueji.trace.tree import Tree, current_log

MOST_PROOF_LINES = 63
LARGEST_REQUEST = 64 * 1024
SECONDS_TO_ANSWER = 15
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class WitnessAnswer:
    """Status, content type and body, as the specification wants them."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


class BadRequest(ValueError):
    """A request body is not of the form old size, proof, empty line, checkpoint."""


# -- the witness ------------------------------------------------------------------------------------------------------


def witness_key(settings: Settings) -> SigningKey:
    """The key this installation witnesses with, made at first use; its name is the log's with ``/witness``."""
    path: Path = settings.keys / "witness.key"
    if not path.exists():
        # Somebody else may be making it at this moment; theirs is as good.
        with suppress(FileExistsError):
            write_secret(path, SigningKey.new(CLOCK, f"{settings.log_origin}/witness").line.encode())
    return SigningKey.parse(path.read_text("utf-8").rstrip("\n"))


def witnessed_logs(settings: Settings) -> list[VerifierKey]:
    """The logs this installation witnesses; none means that it is no witness."""
    return [VerifierKey.parse(key) for key in settings.witness_logs.split()]


def cosign(session: Session, body: str, logs: list[VerifierKey], key: SigningKey) -> WitnessAnswer:
    """Answer one add-checkpoint request.

    What was seen last is compared and replaced under a lock, in a transaction that is committed before the answer
    leaves, so two requests can never be cosigned on two branches.
    """
    try:
        old, proof, note = parse_request(body)
        checkpoint = Checkpoint.parse(note.text)
    except (BadRequest, NoteError) as error:
        return WitnessAnswer(400, f"{error}\n")
    trusted = [each for each in logs if each.name == checkpoint.origin]
    if not trusted:
        return WitnessAnswer(404, "unknown origin\n")
    try:
        signed = note.verify(trusted)
    except SignatureError as error:
        return WitnessAnswer(403, f"{error}\n")
    if not signed:
        return WitnessAnswer(403, "no signature of a known key\n")
    if old > checkpoint.size:
        return WitnessAnswer(400, "the old size is larger than the checkpoint's\n")
    seen = _seen(session, checkpoint.origin)
    if old != seen.size:
        return WitnessAnswer(409, f"{seen.size}\n", SIZE_TYPE)
    if old == checkpoint.size and seen.root != checkpoint.root:
        return WitnessAnswer(409, f"{seen.size}\n", SIZE_TYPE)
    try:
        merkle.verify_consistency(old, seen.root, checkpoint.size, checkpoint.root, proof)
    except merkle.ProofError as error:
        return WitnessAnswer(422, f"{error}\n")
    seen.size, seen.root, seen.note = checkpoint.size, checkpoint.root, str(note)
    session.flush()
    return WitnessAnswer(200, key.sign(note.text, clock.to_ms(clock.now()) // 1000))


def parse_request(body: str) -> tuple[int, list[bytes], Note]:
    """Old size, consistency proof and checkpoint. Raises BadRequest, NoteError."""
    head, blank, checkpoint = body.partition("\n\n")
    lines = head.split("\n")
    match = re.fullmatch(r"old (0|[1-9][0-9]{0,15})", lines[0])
    if not blank or match is None or len(lines) - 1 > MOST_PROOF_LINES:
        raise BadRequest("the request is not old size, proof, empty line, checkpoint")
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except binascii.Error:
        raise BadRequest("a proof line is not base64") from None
    if any(len(sibling) != 32 for sibling in proof):
        raise BadRequest("a proof line is not 32 bytes")
    return int(match[1]), proof, Note.parse(checkpoint)


def _seen(session: Session, origin: str) -> WitnessedLog:
    """What was last cosigned of a log, held against everybody else until the transaction ends."""
    flavour = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        flavour.insert(WitnessedLog)
        .values(origin=origin, size=0, root=merkle.EMPTY_ROOT, note="")
        .on_conflict_do_nothing()
    )
    return session.scalars(select(WitnessedLog).where(WitnessedLog.origin == origin).with_for_update()).one()


# -- the log, asking --------------------------------------------------------------------------------------------------


def ask_witnesses(context: Context) -> None:
    """Have the newest checkpoint cosigned by every witness that has not done so; a refusal raises an alarm."""
    for written, address in witnesses(context.settings):
        key = VerifierKey.parse(written)
        with context.database.reading() as session:
            due = _due(session, key)
            if due is None:
                continue
            log, newest, old = due
            failure, line = _ask(session, log, newest, old, key, address)
        with context.database.writing() as session:
            if failure is not None:
                alarms.sound(session, alarms.WITNESS, f"{key.name}: {failure}", chain=key.name)
            else:
                session.execute(
                    insert(Cosignature).values(log=log.id, size=newest.size, witness=_short(key), line=line)
                )
                alarms.clear(session, alarms.WITNESS, chain=key.name)


def _short(key: VerifierKey) -> str:
    return f"{key.name}+{key.id.hex()}"


def _due(session: Session, key: VerifierKey) -> tuple[Log, CheckpointRow, int] | None:
    """The newest checkpoint and the size the witness is believed to have seen last; None when it has seen it."""
    log = current_log(session)
    if log is None:
        return None
    newest = queries.newest_checkpoint(session, log)
    last = session.scalar(
        select(Cosignature.size)
        .where(Cosignature.log == log.id, Cosignature.witness == _short(key))
        .order_by(Cosignature.size.desc())
        .limit(1)
    )
    return None if newest is None or last == newest.size else (log, newest, last or 0)


def _ask(
    session: Session, log: Log, newest: CheckpointRow, old: int, key: VerifierKey, address: str
) -> tuple[str | None, str]:
    """Why it failed, or None and the witness's signature line."""
    tree = Tree(session, log, newest.size)
    for _ in range(2):
        proof = merkle.consistency_proof(old, newest.size, tree.node)
        lines = "".join(base64.b64encode(sibling).decode() + "\n" for sibling in proof)
        body = f"old {old}\n{lines}\n{newest.note}".encode()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"{address.rstrip('/')}/add-checkpoint", data=body, method="POST"),
                timeout=SECONDS_TO_ANSWER,
            ) as answer:
                return _cosignature(answer.read(LARGEST_REQUEST).decode(), newest.note, key)
        except HTTPError as error:
            with error:
                said = error.read(LARGEST_REQUEST).decode("utf-8", "replace").strip()
            if error.code != 409 or error.headers.get_content_type() != SIZE_TYPE or not said.isdigit():
                return f"answered {error.code}: {said[:200]}", ""
            if int(said) == old:
                return f"has cosigned another tree of {old} leaves under this name", ""
            if int(said) > newest.size:
                return f"has cosigned {said} leaves, and this log has signed only {newest.size}", ""
            old = int(said)
        except (URLError, OSError, ValueError) as error:
            return str(error), ""
    return "keeps asking for another old size", ""


def _cosignature(lines: str, note: str, key: VerifierKey) -> tuple[str | None, str]:
    try:
        answered = Note(Note.parse(note).text, ()).with_lines([lines])
        if not answered.verify([key]):
            return "did not sign with the key it is known by", ""
    except (NoteError, SignatureError) as error:
        return str(error), ""
    mine = next(each for each in answered.signatures if (each.name, each.key_id) == (key.name, key.id))
    return None, mine.line
