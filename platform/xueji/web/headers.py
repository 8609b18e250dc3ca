"""What every answer says to the browser about what it may load, frame, leak and use."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

NOTHING_LOADED = "default-src 'none'; frame-ancestors 'none'"
"""For what is no page: opened as one all the same, it loads, runs and frames nothing."""


def init_headers(app: Flask) -> None:
    secure = app.extensions["xueji"].settings.secure_cookies

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        # A script of ours may be run as a worker, which goes by the policy of its own answer.
        page = response.mimetype == "text/html" or request.endpoint == "static"
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY if page else NOTHING_LOADED)
        if response.mimetype == "text/html":
            # The lesson needs the camera; nothing else of the device is ever asked for.
            headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), display-capture=()")
            headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if "Cache-Control" not in headers and request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        return response
