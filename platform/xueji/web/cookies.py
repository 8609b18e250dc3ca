"""What cookies are called and how they are kept."""

from __future__ import annotations

from xueji.kernel.settings import Settings


def cookie_name(settings: Settings, name: str) -> str:
    """Over HTTPS a browser takes ``__Host-…`` only from this very host, encrypted, and never from a neighbour of it."""
    return f"__Host-{name}" if settings.secure_cookies else name
