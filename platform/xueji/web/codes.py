"""Codes to scan inside pages."""

from __future__ import annotations

import segno


def qr_code(text: str) -> str:
    """A QR code as an SVG data address, dark on white whatever the theme: cameras want it so."""
    return str(
        segno.make(text, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff", encode_minimal=True)
    )
