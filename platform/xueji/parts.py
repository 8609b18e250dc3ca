"""The parts of the product, the lowest first: a new part is one line here."""

from __future__ import annotations

from importlib import import_module

from xueji.web.manifest import Manifest

PACKAGES = (
    "xueji.trace",
    "xueji.identity",
    "courses",
    "xueji.cohorts",
    "xueji.enrolment",
    "xueji.attendance",
    "xueji.occasions",
    "xueji.progress",
    "xueji.proctoring",
    "xueji.hours",
    "xueji.evidence",
    "xueji.oversight",
    "xueji.desks",
    "xueji.guide",
)
"""A part above another hears an event after it."""


def _manifest(package: str) -> Manifest:
    manifest: Manifest = import_module(f"{package}.part").MANIFEST
    if manifest.package != package:
        raise ValueError(f"{package}.part speaks of {manifest.package}")
    return manifest


PARTS: tuple[Manifest, ...] = tuple(map(_manifest, PACKAGES))
