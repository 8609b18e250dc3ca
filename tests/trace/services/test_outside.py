"""Others vouch for the log: authorities stamp its checkpoints, witnesses cosign only what continues what they saw."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from support.authority import Authority, Root, serving, serving_time
from support.growing_log import GrowingLog, growing_log

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.trace import merkle, queries, witness
from xueji.trace.after_signing import collect_outside_proof
from xueji.trace.models import Cosignature, TimeStamp, WitnessedLog
from xueji.trace.note import Checkpoint, Note
from xueji.trace.policy import policy, trusted_authorities
from xueji.trace.signing import CLOCK, LOG, KeyFile, SigningKey
from xueji.trace.timestamps import NoStamp, ask, stamp_newest
from xueji.trace.tokens import TimestampToken, TokenError
from xueji.trace.tree import Tree, current_log
from xueji.trace.witness import WitnessAnswer, ask_witnesses, cosign

RSA, ELLIPTIC = Authority.new(), Authority.new(elliptic=True)


def der(authority: Authority) -> bytes:
    return authority.root.public_bytes(Encoding.DER)


def alarms_of(context: Context) -> list[tuple[str, str]]:
    with context.database.reading() as session:
        return [(alarm.kind, alarm.detail) for alarm in queries.state(session).alarms]


# -- time-stamps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authority", [RSA, ELLIPTIC])
def test_a_token_says_when_a_trusted_authority_saw_the_bytes(authority: Authority) -> None:
    with serving_time(authority) as address:
        token, time = ask(address, b"checkpoint", [der(authority)])
    assert TimestampToken.parse(token).verify(b"checkpoint", [der(authority)]) == time
    with pytest.raises(TokenError, match="something else"):
        TimestampToken.parse(token).verify(b"another", [der(authority)])
    with pytest.raises(TokenError, match="nobody the policy trusts"):
        TimestampToken.parse(token).verify(b"checkpoint", [der(ELLIPTIC if authority is RSA else RSA)])


def test_a_certificate_that_is_not_for_time_gives_none() -> None:
    authority = Authority.new(elliptic=True, for_time=False)
    with pytest.raises(TokenError, match="may not give times"):
        TimestampToken.parse(authority.stamp(b"checkpoint")).verify(b"checkpoint", [der(authority)])


def _time_of(authority: Authority) -> int:
    return TimestampToken.parse(authority.stamp(b"checkpoint")).verify(b"checkpoint", [der(authority)])


def test_a_chain_of_issuers_that_may_issue_leads_to_the_root() -> None:
    root = Root.new()
    between = root.issuer(authority=True, path_length=0)
    assert _time_of(root.authority()) and _time_of(root.authority([between]))


@pytest.mark.parametrize("authority", [False, None])
def test_an_issuer_that_is_no_authority_leads_nowhere(authority: bool | None) -> None:
    root = Root.new()
    with pytest.raises(TokenError, match="nobody the policy trusts"):
        _time_of(root.authority([root.issuer(authority=authority)]))


def test_a_root_that_is_no_authority_leads_nowhere() -> None:
    with pytest.raises(TokenError, match="nobody the policy trusts"):
        _time_of(Root.new(authority=False).authority())


def test_no_more_issuers_may_stand_below_one_than_it_allows() -> None:
    root = Root.new(path_length=0)
    assert _time_of(root.authority())
    with pytest.raises(TokenError, match="nobody the policy trusts"):
        _time_of(root.authority([root.issuer(authority=True)]))


@pytest.mark.parametrize("whose", ["signer", "issuer", "root"])
def test_a_certificate_out_of_date_gives_no_time(whose: str) -> None:
    past = timedelta(days=-1)
    root = Root.new(**({"ends": past} if whose == "root" else {}))
    between = root.issuer(authority=True, **({"ends": past} if whose == "issuer" else {}))
    authority = root.authority([between], **({"ends": past} if whose == "signer" else {}))
    with pytest.raises(TokenError, match=r"not in force|nobody the policy trusts"):
        _time_of(authority)
    # What it stamped while all were in force still holds: a record is kept longer than a certificate lasts.
    authority.now = lambda: datetime.now(UTC) - timedelta(days=30)
    assert _time_of(authority)


@pytest.mark.parametrize(
    "changes",
    [
        {"critical": False},
        {"usages": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)},
        {"usages": (ExtendedKeyUsageOID.SERVER_AUTH,)},
    ],
)
def test_a_signer_s_certificate_is_for_time_and_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenError, match="may not give times"):
        _time_of(Root.new().authority(**changes))


def test_a_certificate_with_the_root_s_name_and_another_key_leads_nowhere() -> None:
    impostor = replace(Authority.new(elliptic=True), root=ELLIPTIC.root)
    with pytest.raises(TokenError, match="nobody the policy trusts"):
        TimestampToken.parse(impostor.stamp(b"checkpoint")).verify(b"checkpoint", [der(ELLIPTIC)])


@pytest.mark.parametrize("authority", [RSA, ELLIPTIC])
def test_no_changed_byte_of_what_is_signed_passes(authority: Authority) -> None:
    token = authority.stamp(b"checkpoint")
    info = TimestampToken.parse(token).info
    start = token.index(info)
    for place in range(start, start + len(info)):
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        with pytest.raises(TokenError):
            TimestampToken.parse(changed).verify(b"checkpoint", [der(authority)])


@given(st.binary(max_size=300))
def test_what_is_no_token_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(TokenError):
        TimestampToken.parse(data)


@given(st.integers(0, 700), st.binary(min_size=1, max_size=3))
def test_a_garbled_token_is_refused_or_says_the_same_time(place: int, other: bytes) -> None:
    """Some bytes around the signed ones say nothing; none of them can change what is said."""
    token = GARBLED[:place] + other + GARBLED[place + len(other) :]
    try:
        assert TimestampToken.parse(token).verify(b"checkpoint", [der(ELLIPTIC)]) == TimestampToken.parse(GARBLED).time
    except TokenError:
        assert token != GARBLED


GARBLED = ELLIPTIC.stamp(b"checkpoint")


def trusting(context: Context, *authorities: Authority, **changes: Any) -> Context:
    pem = b"".join(authority.pem for authority in authorities)
    (context.settings.keys / "timestamp.pem").write_bytes(pem)
    return replace(context, settings=replace(context.settings, **changes))


def test_checkpoints_are_stamped_now_and_then_by_each_authority(context: Context) -> None:
    with growing_log(context) as log, serving_time(RSA) as one, serving_time(ELLIPTIC) as two:
        asking = trusting(context, RSA, ELLIPTIC, timestamp_urls=f"{one} {two}")
        assert trusted_authorities(context.settings.keys) == [der(RSA), der(ELLIPTIC)]
        log.record("a")
        newest = log.settle()
        collect_outside_proof(asking)
        collect_outside_proof(asking)
        with context.database.reading() as session:
            stamps = session.scalars(select(TimeStamp)).all()
            assert {(stamp.size, stamp.authority) for stamp in stamps} == {(newest.size, one), (newest.size, two)}
            for stamp in stamps:
                note = log.notes()[-1].encode()
                assert TimestampToken.parse(stamp.token).verify(note, [der(RSA), der(ELLIPTIC)]) == stamp.time
        log.time.instant = clock.from_ms(stamps[0].time * 1000) + timedelta(minutes=11)
        log.record("a")
        log.settle()
        collect_outside_proof(asking)
        with context.database.reading() as session:
            assert len(session.scalars(select(TimeStamp)).all()) == 4


def test_an_authority_that_fails_is_seen_and_asked_again(context: Context) -> None:
    authority = Authority.new(elliptic=True)
    with growing_log(context) as log, serving_time(authority) as address:
        asking = trusting(context, authority, timestamp_urls=address)
        log.record("a")
        log.settle()
        authority.down = True
        stamp_newest(asking)
        stamp_newest(asking)
        ((kind, detail),) = alarms_of(context)
        assert kind == "timestamp"
        assert "503" in detail
        authority.down = False
        stamp_newest(asking)
        assert alarms_of(context) == []
        with context.database.reading() as session:
            assert len(session.scalars(select(TimeStamp)).all()) == 1


def test_a_stamp_of_a_stranger_is_not_kept(context: Context) -> None:
    with growing_log(context) as log, serving_time(Authority.new(elliptic=True)) as address:
        log.settle()
        stamp_newest(trusting(context, ELLIPTIC, timestamp_urls=address))
        assert [kind for kind, _ in alarms_of(context)] == ["timestamp"]
        with context.database.reading() as session:
            assert session.scalars(select(TimeStamp)).all() == []


def test_no_trusted_certificate_is_said_not_passed_over() -> None:
    with pytest.raises(NoStamp, match=r"timestamp\.pem"):
        ask("http://127.0.0.1:1", b"checkpoint", [])


def test_an_authority_that_cannot_be_reached_is_no_stamp() -> None:
    with pytest.raises(NoStamp):
        ask("http://127.0.0.1:1", b"checkpoint", [der(ELLIPTIC)])


# -- the witness ------------------------------------------------------------------------------------------------------

WITNESS = SigningKey.new(CLOCK, "regulator.example/witness")


class Asking:
    """Requests to a witness that has never seen the log, made by hand."""

    def __init__(self, context: Context, log: GrowingLog) -> None:
        self.context, self.log = context, log
        self.key = next(key for key in KeyFile(context.settings.keys).load("tests.example/log") if key.purpose == LOG)
        for count in (3, 40, 300):
            log.record("a", count)
            log.settle()
        self.notes = {Checkpoint.parse(Note.parse(note).text).size: note for note in log.notes()}

    def proof(self, old: int, new: int) -> list[bytes]:
        with self.context.database.reading() as session:
            current = current_log(session)
            assert current is not None
            return merkle.consistency_proof(old, new, Tree(session, current, new).node)

    def body(self, old: int, new: int, proof: list[bytes] | None = None, note: str | None = None) -> str:
        hashes = self.proof(old, new) if proof is None else proof
        lines = "".join(base64.b64encode(each).decode() + "\n" for each in hashes)
        return f"old {old}\n{lines}\n{note or self.notes[new]}"

    def ask(self, body: str) -> WitnessAnswer:
        with self.context.database.writing() as session:
            return cosign(session, body, [self.key.public], WITNESS)


@pytest.fixture
def asking(context: Context) -> Iterator[Asking]:
    with growing_log(context) as log:
        yield Asking(context, log)


def test_a_witness_cosigns_what_continues_what_it_saw(asking: Asking) -> None:
    for old, new in ((0, 4), (4, 44), (44, 44), (44, 344)):
        answer = asking.ask(asking.body(old, new))
        assert answer.status == 200, answer
        signed = Note.parse(asking.notes[new]).with_lines([answer.body]).verify([WITNESS.public])
        assert [each.time for each in signed] == [clock.to_ms(clock.now()) // 1000]
    with asking.context.database.reading() as session:
        assert session.get_one(WitnessedLog, "tests.example/log").size == 344


def test_a_witness_names_the_size_it_saw_and_never_goes_back(asking: Asking) -> None:
    asking.ask(asking.body(0, 44))
    for body in (asking.body(0, 344), asking.body(4, 44), asking.body(0, 4)):
        answer = asking.ask(body)
        assert (answer.status, answer.body, answer.content_type) == (409, "44\n", "text/x.tlog.size")


def forged(asking: Asking, size: int) -> str:
    """A checkpoint of other leaves, signed with the log's own key: what a fork looks like."""
    text = Checkpoint("tests.example/log", size, bytes(32)).text
    return str(Note(text, ()).with_lines([asking.key.sign(text, 0)]))


def test_a_witness_does_not_cosign_a_fork(asking: Asking) -> None:
    asking.ask(asking.body(0, 44))
    assert asking.ask(asking.body(44, 344, note=forged(asking, 344))).status == 422
    assert asking.ask(asking.body(44, 44, [], forged(asking, 44))).status == 409
    wrong = asking.proof(44, 344)
    wrong[0] = bytes(32)
    assert asking.ask(asking.body(44, 344, wrong)).status == 422
    with asking.context.database.reading() as session:
        assert session.get_one(WitnessedLog, "tests.example/log").size == 44


def test_a_witness_knows_only_its_logs_and_their_keys(asking: Asking) -> None:
    stranger = SigningKey.new(LOG, "tests.example/log")
    text = Note.parse(asking.notes[44]).text
    other = str(Note(text, ()).with_lines([stranger.sign(text, 0)]))
    assert asking.ask(asking.body(0, 44, note=other)).status == 403
    assert (
        asking.ask(asking.body(0, 44, note=asking.notes[44].replace("tests.example/log\n", "no.example\n"))).status
        == 404
    )
    damaged = asking.notes[44].replace("\n44\n", "\n45\n")
    assert asking.ask(asking.body(0, 44, note=damaged)).status == 403


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 1\n",
        "old -1\n\nx",
        "old 01\n\nx",
        "new 1\n\nx",
        "old 0\n!!!\n\nx",
        "old 0\nAAAA\n\nx",
        "old 0\n\nno note",
    ],
)
def test_a_witness_refuses_what_it_cannot_read(asking: Asking, body: str) -> None:
    assert asking.ask(body).status == 400


def test_a_witness_refuses_an_old_size_beyond_the_new(asking: Asking) -> None:
    assert asking.ask(asking.body(344, 44, [])).status == 400


def test_a_witness_cosigns_one_branch_however_many_ask_at_once(asking: Asking) -> None:
    asking.ask(asking.body(0, 4))
    bodies = [asking.body(4, 44), asking.body(4, 344), asking.body(4, 44, note=forged(asking, 44))] * 4
    answers: list[WitnessAnswer] = []
    threads = [threading.Thread(target=lambda body=body: answers.append(asking.ask(body))) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers if answer.status not in (409, 422)) == [200]


def served_witness(asking: Asking, key: SigningKey = WITNESS) -> AbstractContextManager[str]:
    def answer(path: str, body: bytes) -> tuple[int, str, bytes]:
        assert path == "/witness/add-checkpoint"
        with asking.context.database.writing() as session:
            answered = cosign(session, body.decode(), [asking.key.public], key)
        return answered.status, answered.content_type, answered.body.encode()

    return serving(answer)


def with_witness(context: Context, address: str, key: SigningKey = WITNESS) -> Context:
    return replace(context, settings=replace(context.settings, witness_urls=f"{key.public}={address}/witness/"))


def test_the_log_collects_cosignatures_and_remembers_what_the_witness_saw(asking: Asking) -> None:
    context = asking.context
    with served_witness(asking) as address:
        asked = with_witness(context, address)
        ask_witnesses(asked)
        asking.log.record("a", 5)
        asking.log.settle()
        ask_witnesses(asked)
        ask_witnesses(asked)
    assert alarms_of(context) == []
    with context.database.reading() as session:
        assert [each.size for each in session.scalars(select(Cosignature).order_by(Cosignature.size))] == [344, 349]
        signed = queries.signed_log(session)
        assert signed is not None
        assert len(Note.parse(signed.note).verify([WITNESS.public])) == 1
        assert policy(session, asked.settings)["witnesses"] == [str(WITNESS.public)]


def test_the_log_catches_up_with_a_witness_that_saw_more_than_it_remembers(asking: Asking) -> None:
    asking.ask(asking.body(0, 44))
    with served_witness(asking) as address:
        ask_witnesses(with_witness(asking.context, address))
    assert alarms_of(asking.context) == []
    with asking.context.database.reading() as session:
        assert session.get_one(WitnessedLog, "tests.example/log").size == 344


def test_a_witness_that_saw_a_larger_log_raises_an_alarm(asking: Asking) -> None:
    with asking.context.database.writing() as session:
        session.add(WitnessedLog(origin="tests.example/log", size=9999, root=bytes(32), note=""))
    with served_witness(asking) as address:
        ask_witnesses(with_witness(asking.context, address))
    ((kind, detail),) = alarms_of(asking.context)
    assert kind == "witness"
    assert "has cosigned 9999 leaves, and this log has signed only 344" in detail


def test_a_witness_that_signs_with_another_key_raises_an_alarm(asking: Asking) -> None:
    with served_witness(asking, SigningKey.new(CLOCK, "regulator.example/witness")) as address:
        ask_witnesses(with_witness(asking.context, address))
    assert "did not sign with the key it is known by" in alarms_of(asking.context)[0][1]


def test_a_witness_that_cannot_be_reached_raises_an_alarm_that_goes_away(asking: Asking) -> None:
    ask_witnesses(with_witness(asking.context, "http://127.0.0.1:1"))
    assert [kind for kind, _ in alarms_of(asking.context)] == ["witness"]
    with served_witness(asking) as address:
        ask_witnesses(with_witness(asking.context, address))
    assert alarms_of(asking.context) == []


def test_a_witness_keeps_its_own_key(context: Context) -> None:
    key = witness.witness_key(context.settings)
    assert key.public == witness.witness_key(context.settings).public
    assert key.name == "tests.example/log/witness"
    assert (Path(context.settings.keys) / "witness.key").stat().st_mode & 0o077 == 0
