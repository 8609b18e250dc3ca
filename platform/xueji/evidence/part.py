"""What evidence bundles bring to the application."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint

from xueji.web.manifest import Manifest


def _blueprints() -> Iterable[Blueprint]:
    from xueji.evidence import api, views

    return views.blueprint, api.blueprint


MANIFEST = Manifest("xueji.evidence", blueprints=_blueprints)
