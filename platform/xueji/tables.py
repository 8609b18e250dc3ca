"""Every table of the product in one import, for migrations and for making a database whole."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import courses
import xueji

PARTS = (*(f"xueji.{part.name}" for part in iter_modules(xueji.__path__) if part.ispkg), courses.__name__)


def modules(name: str) -> Iterator[ModuleType]:
    """Every part's module of this name. A part that has none is not imported: it may be large."""
    for part in PARTS:
        spec = find_spec(part)
        folders = spec.submodule_search_locations if spec is not None else None
        if any(module.name == name for module in iter_modules(folders)):
            yield import_module(f"{part}.{name}")


MODELS = tuple(modules("models"))
