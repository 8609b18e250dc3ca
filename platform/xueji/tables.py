"""Every table of the product in one import, for migrations and for making a database whole."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

from xueji.parts import PARTS

PACKAGES = ("xueji.kernel", *(part.package for part in PARTS))


def modules(name: str) -> Iterator[ModuleType]:
    """The kernel's and every part's module of this name. A package that has none is not imported: it may be large."""
    for package in PACKAGES:
        spec = find_spec(package)
        folders = spec.submodule_search_locations if spec is not None else None
        if any(module.name == name for module in iter_modules(folders)):
            yield import_module(f"{package}.{name}")


MODELS = tuple(modules("models"))
