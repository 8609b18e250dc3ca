"""Making an evidence bundle: everything an outsider needs to check one enrolment's hours without trusting us."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.enrolment.access import access_enrolment
from xueji.enrolment.chain_binding import misplaced
from xueji.enrolment.models import Enrolment
from xueji.enrolment.queries import enrolment_facts
from xueji.enrolment.services.subject import subject_of
from xueji.evidence import bundle as parts
from xueji.evidence import proofs
from xueji.evidence.claims.committed import commitments
from xueji.evidence.errors import NoSuchCheckpoint, NotYetSigned
from xueji.evidence.leaves import EvidenceExported, HoursStated
from xueji.evidence.program import program
from xueji.evidence.readme import PLAYED, README
from xueji.evidence.rules import PICTURE, Asker, opened_fields
from xueji.hours.errors import AccountOfAnother, AccountUnreadable
from xueji.hours.queries import worked_out
from xueji.hours.rules import MalformedTrace, Statement
from xueji.identity import vault
from xueji.identity.errors import Erased
from xueji.identity.queries import is_herself
from xueji.identity.services import FacePicture, RecordedLook, open_seen, record_look
from xueji.identity.services.acting import record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Unreadable
from xueji.kernel.errors import NotFound
from xueji.proctoring.models import Picture
from xueji.rulebook.rules import NoSuchRulebook, Rulebook, load
from xueji.trace import canonical, merkle, queries, sealing
from xueji.trace import policy as trust
from xueji.trace.leaf import InOffice
from xueji.trace.models import CheckpointRow, LeafRow, Log, SealedOpening
from xueji.trace.rules import ABOUT, DEMONSTRATION, Event, Recorded

log = structlog.get_logger(__name__)

SECONDS_TO_SIGN = 10.0
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass
class BundleFile:
    """A finished bundle: a file that is gone once it is closed, and the name to give it."""

    file: IO[bytes]
    name: str


@dataclass(frozen=True)
class _Closing:
    """What was recorded to close the chain for this bundle."""

    enrolment: Enrolment
    asker: Asker
    chain: str
    closing_n: int
    statement: Statement
    rulebook: Rulebook
    seen: Mapping[str, RecordedLook]
    """The pictures taken along, by where they lie: each look is recorded."""


def build_bundle(
    context: Context,
    *,
    enrolment_id: UUID,
    actor: Actor,
    with_pictures: bool,
    held_size: int | None = None,
    seconds_to_sign: float | None = None,
) -> BundleFile:
    """An enrolment's evidence as a zip, with pictures for those who may see faces (each look recorded).

    ``held_size``: the size of the checkpoint the asker holds, to have the log's growth since then proven. The chain is
    closed by two leaves, the statement and the export itself, in a transaction of its own, and the sequencer is waited
    for until it has signed for them; so this is not to be called inside a write transaction.
    Raises NotFound, AccountUnreadable, AccountOfAnother, NotYetSigned, NoSuchCheckpoint.
    """
    closing = _close_chain(context, enrolment_id=enrolment_id, actor=actor, with_pictures=with_pictures)
    _wait_until_signed(context, closing, SECONDS_TO_SIGN if seconds_to_sign is None else seconds_to_sign)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller, who closes it
    try:
        with context.database.reading() as session, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _write(session, context, archive, closing, with_pictures=with_pictures, held_size=held_size)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return BundleFile(file, f"xueji-evidence-{closing.chain}-{closing.closing_n}.zip")


# -- closing the chain ------------------------------------------------------------------------------------------------


def _close_chain(context: Context, *, enrolment_id: UUID, actor: Actor, with_pictures: bool) -> _Closing:
    with context.database.reading() as session:
        enrolment = access_enrolment(session, actor, enrolment_id)
        chain = enrolment.chain
        if misplaced(session, [enrolment_id]):
            raise AccountOfAnother
        # Worked out before anything is locked; the statement names how many leaves it was made from.
        try:
            statement = worked_out(session, enrolment_id, clock.to_ms(clock.now())).statement
            rulebook = load(statement.rulebook)
        except (MalformedTrace, NoSuchRulebook) as error:
            raise AccountUnreadable from error
        asker = _asker(session, actor, enrolment)
    with context.database.writing() as session:
        faces = PICTURE in opened_fields(asker, with_pictures=with_pictures)
        seen = _record_looks(session, context, actor, enrolment, asker) if faces else {}
        issued = _record(session, context, actor, enrolment, _stated(statement, rulebook))
        closing = EvidenceExported(head=issued.hex, size=issued.n + 1)
        closed = _record(session, context, actor, enrolment, closing)
    return _Closing(enrolment, asker, chain, closed.n, statement, rulebook, seen)


def _record(session: Session, context: Context, actor: Actor, enrolment: Enrolment, leaf: InOffice) -> Recorded:
    return record_in_enrolment(
        session, context.keyring, leaf, actor=actor, enrolment_id=enrolment.id, person_id=enrolment.person_id
    )


def _asker(session: Session, actor: Actor, enrolment: Enrolment) -> Asker:
    if is_herself(session, actor.person_id, enrolment.person_id):
        return Asker.TRAINEE
    if actor.is_(Role.REGULATOR):
        return Asker.REGULATOR
    return Asker.INSTITUTION if actor.is_(Role.INSTITUTION) else Asker.ENTERPRISE


def _stated(statement: Statement, rulebook: Rulebook) -> HoursStated:
    """The sums themselves, and digests of all the rest: a leaf stays small however long the account is."""
    figures = statement.to_dict()
    return HoursStated(
        as_of_ms=statement.as_of_ms,
        leaves=statement.leaves,
        rulebook=rulebook.reference,
        rulebook_sha256=rulebook.digest,
        statement_sha256=hashlib.sha256(canonical.encode(figures)).hexdigest(),
        online=figures["online"],
        in_person=figures["in_person"],
        totals=figures["totals"],
    )


def _record_looks(
    session: Session, context: Context, actor: Actor, enrolment: Enrolment, asker: Asker
) -> dict[str, RecordedLook]:
    """Taking pictures away is looking at them."""
    kept = select(SealedOpening.commitment).where(
        SealedOpening.chain == enrolment.chain, SealedOpening.field == PICTURE
    )
    pictures = session.scalars(select(Picture).where(Picture.commitment.in_(kept)).order_by(Picture.id))
    purpose = "own" if asker is Asker.TRAINEE else "audit"
    return {
        picture.path: record_look(
            session,
            context.keyring,
            viewer=actor,
            picture=FacePicture(picture.id, picture.person_id, picture.path, picture.path),
            purpose=purpose,
            chain=enrolment.chain,
        )
        for picture in pictures
    }


def _wait_until_signed(context: Context, closing: _Closing, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with context.database.reading() as session:
            signed = session.scalar(
                select(CheckpointRow.size)
                .join(Log, Log.id == CheckpointRow.log)
                .join(LeafRow, LeafRow.log == Log.id)
                .where(LeafRow.chain == closing.chain, LeafRow.n == closing.closing_n)
                .where(CheckpointRow.size > LeafRow.position - Log.first_position)
                .limit(1)
            )
        if signed is not None:
            return
        if time.monotonic() >= deadline:
            raise NotYetSigned
        time.sleep(SECONDS_BETWEEN_LOOKS)


# -- writing the bundle -----------------------------------------------------------------------------------------------


def _write(
    session: Session,
    context: Context,
    archive: zipfile.ZipFile,
    closing: _Closing,
    *,
    with_pictures: bool,
    held_size: int | None,
) -> None:
    proven = proofs.parts(session, closing.chain, closing.closing_n)
    said = _write_leaves(session, archive, closing, proven)
    _write_proofs(session, archive, proven, said.spans, held_size)
    over = partial(_write_pictures, session, context, archive, closing.seen)
    _write_openings(session, archive, closing, said, with_pictures=with_pictures, over=over)
    if said.about:
        _put(archive, parts.SUBJECT, _json(_subject(session, context, closing)))
    _put(archive, parts.POLICY, _json(trust.policy(session, context.settings)))
    _put(archive, parts.STATEMENT, _json(closing.statement.to_dict()))
    _put(archive, parts.RULEBOOK, closing.rulebook.to_json())
    played = context.settings.log_origin.startswith(DEMONSTRATION)
    _put(archive, parts.README, README + PLAYED if played else README)
    for name, content in program().items():
        _put(archive, name, content)
    _write_manifest(archive)


@dataclass
class _Said:
    """What was noticed in the leaves while they were written."""

    spans: list[list[tuple[int, int]]]
    """For each log, indices of the first and last leaf of each stretch of study."""
    commitments: set[str]
    erased: dict[str, str]
    about: bool = False
    """Whether a leaf says whom it is about; those of the first release do not before they are identified."""


def _write_leaves(
    session: Session, archive: zipfile.ZipFile, closing: _Closing, proven: Sequence[proofs.LogPart]
) -> _Said:
    said = _Said([], set(), {})
    with archive.open(_entry(parts.EVENTS), "w") as events:
        for part in proven:
            spans: list[tuple[int, int]] = []
            places = iter(part.places)
            for leaf in proofs.leaf_bytes(session, closing.chain, part):
                place = next(places)
                events.write(leaf + b"\n")
                values = json.loads(leaf)
                if values["event"] == Event.SITTING_OPEN or not spans:
                    spans.append((place.index, place.index))
                spans[-1] = spans[-1][0], place.index
                said.commitments.update(commitments(values["event"], values["values"]))
                said.about = said.about or ABOUT in values["values"]
                if values["event"] == Event.ERASE:
                    said.erased.update(dict.fromkeys(values["values"]["commitments"], values["at"]))
            said.spans.append(spans)
    return said


def _write_proofs(
    session: Session,
    archive: zipfile.ZipFile,
    proven: Sequence[proofs.LogPart],
    spans: Sequence[Sequence[tuple[int, int]]],
    held_size: int | None,
) -> None:
    trees = [proofs.inclusion(session, part) for part in proven]
    _put(archive, parts.INCLUSION, _json({"trees": trees}))
    _put(archive, parts.CHECKPOINT, trees[-1]["checkpoint"])
    listed: list[dict[str, Any]] = []
    for number, part in enumerate(proven):
        for anchor, tokens in proofs.anchors(session, part, spans[number], number):
            listed.append(anchor)
            for which, token in enumerate(tokens):
                _put(archive, f"{parts.TIMESTAMPS}{number}-{anchor['size']}-{which}.tst", token)
    _put(archive, parts.ANCHORS, _json(listed))
    if held_size is not None:
        try:
            _put(archive, parts.CONSISTENCY, _json(proofs.consistency(session, proven[-1], held_size)))
        except merkle.ProofError as error:
            raise NoSuchCheckpoint from error


def _write_openings(
    session: Session,
    archive: zipfile.ZipFile,
    closing: _Closing,
    said: _Said,
    *,
    with_pictures: bool,
    over: Callable[[Iterable[SealedOpening]], Collection[str]],
) -> None:
    """Writes what may be opened, names what is withheld or erased. ``over`` is given the openings of pictures, writes
    those, and returns which of them are not to be given after all."""
    allowed = opened_fields(closing.asker, with_pictures=with_pictures)
    kept = queries.openings(session, closing.chain)
    opened = {
        commitment: kept[commitment]
        for commitment in sorted(said.commitments & kept.keys())
        if kept[commitment].field in allowed
    }
    unsealed = _unsealed(session, opened)
    for gone in over(opened[each] for each in list(unsealed) if opened[each].field == PICTURE):
        del unsealed[gone]
    erased = {each: day for each, day in said.erased.items() if each in said.commitments and each not in kept}
    withheld = sorted(said.commitments - unsealed.keys() - erased.keys())
    written = {
        commitment: {"field": opened[commitment].field, "key": one.key.hex(), **_value(one.value)}
        for commitment, one in unsealed.items()
    }
    _put(archive, parts.OPENINGS, _json({"opened": written, "withheld": withheld, "erased": erased}))


def _unsealed(session: Session, openings: Mapping[str, SealedOpening]) -> dict[str, sealing.CommitmentOpening]:
    """What cannot be unsealed any more is left out, and is then withheld."""
    found = {}
    for commitment, opening in openings.items():
        try:
            found[commitment] = sealing.unseal(session, opening)
        except Unreadable:
            log.warning("opening.unreadable", commitment=commitment, chain=opening.chain)
    return found


def _subject(session: Session, context: Context, closing: _Closing) -> dict[str, str]:
    """Whom and what it is about as the database has it now, as far as the asker may know."""
    facts = enrolment_facts(session, closing.enrolment.id)
    assert facts is not None
    told = opened_fields(closing.asker, with_pictures=False)
    return {name: value for name, value in subject_of(session, context.keyring, facts).items() if name in told}


def _value(value: bytes) -> dict[str, str]:
    try:
        return {"value": value.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _write_pictures(
    session: Session,
    context: Context,
    archive: zipfile.ZipFile,
    seen: Mapping[str, RecordedLook],
    openings: Iterable[SealedOpening],
) -> set[str]:
    """One picture at a time. One that is gone without having been erased is left out, and the verifier says so.

    Returns those that were deleted while this bundle was made, as the law asks: the leaf that says so comes after its
    closing one.
    """
    missing = set()
    for opening in openings:
        looked_at = seen.get(opening.reference or "")
        if looked_at is None:
            continue
        try:
            picture = open_seen(session, context, looked_at)
        except (NotFound, Erased):
            missing.add(opening.commitment)
            continue
        kind = vault.picture_type(picture).removeprefix("image/").replace("jpeg", "jpg")
        name = f"{parts.PICTURES}{opening.commitment}.{kind}"
        _put(archive, name, picture, compressed=False)
    if not missing:
        return missing
    with context.database.reading() as now:
        return missing - set(now.scalars(select(SealedOpening.commitment).where(SealedOpening.commitment.in_(missing))))


def _write_manifest(archive: zipfile.ZipFile) -> None:
    """Last of all, what was written: read back one part at a time."""
    digests = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    _put(archive, parts.MANIFEST, _json(digests))


def _json(values: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _entry(name: str, *, compressed: bool = True) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, clock.now().astimezone(clock.SHANGHAI).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    return entry


def _put(archive: zipfile.ZipFile, name: str, content: str | bytes, *, compressed: bool = True) -> None:
    archive.writestr(_entry(name, compressed=compressed), content)
