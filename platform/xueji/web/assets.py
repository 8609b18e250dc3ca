"""The built front end: `asset('lesson.ts')` is the address of that entry's built file, `asset_styles(…)` its sheets."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, url_for

from xueji.web.qr_codes import record_address, record_code

BUILT = Path(__file__).parent / "static" / "built"


class NotBuilt(RuntimeError):
    """The front end was not built; `make assets` does it."""


@cache
def manifest(stamp: float) -> dict[str, Any]:
    return json.loads((BUILT / ".vite" / "manifest.json").read_text("utf-8"))  # type: ignore[no-any-return]


def entry(name: str) -> dict[str, Any]:
    """The manifest's record of an entry under ``frontend/src``. Raises NotBuilt, KeyError."""
    file = BUILT / ".vite" / "manifest.json"
    if not file.exists():
        raise NotBuilt("the front end is not built: run `make assets`")
    return manifest(file.stat().st_mtime)[f"src/{name}"]  # type: ignore[no-any-return]


def asset(name: str) -> str:
    return url_for("static", filename="built/" + entry(name)["file"])


def asset_styles(name: str) -> list[str]:
    return [url_for("static", filename="built/" + sheet) for sheet in entry(name).get("css", ())]


def init_assets(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, asset_styles=asset_styles)
    app.jinja_env.globals.update(record_address=record_address, record_code=record_code)
