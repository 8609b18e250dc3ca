"""Whom a reader of the log has to trust, as one JSON object: the log's own keys, witnesses, authorities, allowed lag.

An auditor should hold a copy that did not come with the bundle she checks.
"""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.kernel.settings import Settings
from xueji.trace import rules
from xueji.trace.models import Log, VerifierKeyRow
from xueji.trace.signing import LOG


def policy(session: Session, settings: Settings) -> dict[str, Any]:
    """``logs`` newest last, each with its ``keys`` and ``clocks``; ``witnesses``; ``authorities``; ``lag_ms``."""
    logs = []
    for log in session.scalars(select(Log).order_by(Log.id)):
        keys = session.execute(
            select(VerifierKeyRow.key, VerifierKeyRow.purpose)
            .where(VerifierKeyRow.log == log.id)
            .order_by(VerifierKeyRow.from_size, VerifierKeyRow.key)
        ).all()
        logs.append(
            {
                "origin": log.origin,
                "keys": [key for key, purpose in keys if purpose == LOG],
                "clocks": [key for key, purpose in keys if purpose != LOG],
            }
        )
    return {
        "logs": logs,
        "witnesses": [key for key, _ in witnesses(settings)],
        "authorities": [base64.b64encode(certificate).decode() for certificate in trusted_authorities(settings.keys)],
        "lag_ms": rules.LONGEST_LAG_MS,
    }


def witnesses(settings: Settings) -> list[tuple[str, str]]:
    """(verifier key, address) of each witness that is asked to cosign."""
    asked = []
    for given in settings.witness_urls.split():
        key, found, rest = given.partition("=http")
        if not found:
            raise ValueError(f"witness_urls: {given!r} is not name+hash+key=http…")
        asked.append((key, "http" + rest))
    return asked


def trusted_authorities(keys: Path) -> list[bytes]:
    """The certificates (DER) that time-stamps must lead to: the file ``timestamp.pem`` beside the keys."""
    file = keys / "timestamp.pem"
    if not file.exists():
        return []
    marker = "-----END CERTIFICATE-----"
    parts = file.read_text("ascii").split(marker)[:-1]
    return [ssl.PEM_cert_to_DER_cert(part[part.index("-----BEGIN") :] + marker) for part in parts]
