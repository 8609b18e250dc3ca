"""What the guided tour of a demonstration brings to the application."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint

from xueji.web.manifest import Manifest


def _blueprints() -> Iterable[Blueprint]:
    from xueji.guide import views

    return (views.blueprint,)


MANIFEST = Manifest("xueji.guide", blueprints=_blueprints)
