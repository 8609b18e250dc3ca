"""Every table of the product in one import, for migrations and for making a database whole."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import courses
import xueji

PARTS = (*(f"xueji.{part.name}" for part in iter_modules(xueji.__path__) if part.ispkg), courses.__name__)

for _part in PARTS:
    if any(module.name == "models" for module in iter_modules(import_module(_part).__path__)):
        import_module(f"{_part}.models")
