"""Which words a consent is given to: ``templates/identity/consent/<kind>-<version>.<language>.html``."""

from __future__ import annotations

from xueji.identity.rules import ConsentKind

CURRENT = {ConsentKind.FACE: "2026-12", ConsentKind.CALIBRATION: "2026-12"}
"""A new text is a new version and a new file; the old file stays, for those who agreed to it."""


def template(kind: ConsentKind, version: str, language: str) -> str:
    return f"identity/consent/{kind}-{version}.{'en' if language == 'en' else 'zh'}.html"
