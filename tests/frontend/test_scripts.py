"""The scripts' types and their own tests, run with the Node that builds them."""

from __future__ import annotations

import subprocess

from support.frontend import Scripts, scripts

__all__ = ["scripts"]


def test_every_script_has_the_types_it_says(scripts: Scripts) -> None:
    run = scripts.node("node_modules/typescript/bin/tsc", "--noEmit")
    assert run.returncode == 0, run.stdout


def test_the_tests_of_the_scripts_pass(scripts: Scripts) -> None:
    files = sorted(str(file.relative_to(scripts.folder)) for file in (scripts.folder / "test").glob("*.test.ts"))
    run: subprocess.CompletedProcess[str] = scripts.node("--test", *files)
    assert run.returncode == 0, run.stdout
