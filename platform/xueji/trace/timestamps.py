"""Outside time: RFC 3161 authorities are asked to stamp checkpoints, so that nothing can be dated back unseen."""

from __future__ import annotations

import urllib.request
from urllib.error import URLError

import structlog
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.trace import alarms, queries
from xueji.trace.models import CheckpointRow, TimeStamp
from xueji.trace.policy import trusted_authorities
from xueji.trace.tokens import TimestampToken, TokenError
from xueji.trace.tree import current_log

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_STAMPS = 600
SECONDS_TO_ANSWER = 15
LARGEST_ANSWER = 256 * 1024
MOST_AUTHORITIES = 2


class NoStamp(Exception):
    """An authority gave none, or one that does not hold; the message says why."""


def stamp_newest(context: Context) -> None:
    """Have the newest checkpoint stamped by each authority that has not stamped one for a while.

    A failure raises an alarm, is tried again with the next call, and goes away with the next success.
    """
    for authority in context.settings.timestamp_urls.split()[:MOST_AUTHORITIES]:
        with context.database.reading() as session:
            due = _due(session, authority)
        if due is None:
            continue
        try:
            token, time = ask(authority, due.note.encode(), trusted_authorities(context.settings.keys))
        except NoStamp as failure:
            with context.database.writing() as session:
                alarms.sound(session, alarms.TIMESTAMP, f"{authority}: {failure}", chain=authority)
            continue
        with context.database.writing() as session:
            session.execute(
                insert(TimeStamp).values(log=due.log, size=due.size, authority=authority, time=time, token=token)
            )
            alarms.clear(session, alarms.TIMESTAMP, chain=authority)


def _due(session: Session, authority: str) -> CheckpointRow | None:
    current = current_log(session)
    if current is None:
        return None
    newest = queries.newest_checkpoint(session, current)
    if newest is None:
        return None
    last = session.execute(
        select(TimeStamp.size, TimeStamp.time)
        .where(TimeStamp.log == current.id, TimeStamp.authority == authority)
        .order_by(TimeStamp.size.desc())
    ).first()
    now = clock.to_ms(clock.now()) // 1000
    if last is not None and (last.size == newest.size or now < last.time + SECONDS_BETWEEN_STAMPS):
        return None
    return newest


def ask(authority: str, data: bytes, trusted: list[bytes]) -> tuple[bytes, int]:
    """One authority's token (DER) over ``data`` and the time it says (epoch seconds). Raises NoStamp.

    Checked twice: as the library reads it, and as the offline verifier will.
    """
    if not trusted:
        raise NoStamp("no authority's certificate is trusted; put it into keys/timestamp.pem")
    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    question = urllib.request.Request(
        authority, data=request.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(question, timeout=SECONDS_TO_ANSWER) as answer:
            response = decode_timestamp_response(answer.read(LARGEST_ANSWER))
        verifier = VerifierBuilder.from_request(request)
        for certificate in trusted:
            verifier = verifier.add_root_certificate(x509.load_der_x509_certificate(certificate))
        verifier.build().verify_message(response, data)
        token = response.time_stamp_token()
        return token, TimestampToken.parse(token).verify(data, trusted)
    except (URLError, OSError, ValueError, VerificationError, TokenError) as error:
        raise NoStamp(str(error)) from error
