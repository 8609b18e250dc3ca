"""Codes to scan inside pages."""

from __future__ import annotations

import segno
from flask import current_app, request


def qr_code(text: str) -> str:
    """A QR code as an SVG data address, dark on white whatever the theme: cameras want it so."""
    return str(
        segno.make(text, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff", encode_minimal=True)
    )


def record_address() -> str:
    """Where the page lives that is being printed; behind it stands the sign-in."""
    address: str = current_app.extensions["xueji"].settings.public_url
    return address.rstrip("/") + request.path


def record_code() -> str:
    """That address as a code to scan."""
    return qr_code(record_address())
