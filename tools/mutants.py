"""Mutation testing of the pure rules: `make mutants` changes them in small ways and asks whether a test notices.

A mutant that no test kills is either a missing test or makes no difference; the latter stand in `tests/mutants.toml`,
each with the reason. The run fails when fewer than 95 of 100 mutants are killed, when a survivor is not in the list,
or when one in the list is killed by now.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

HOUSE = Path(__file__).parents[1]
WORKSHOP = HOUSE / "build" / "mutants"
PARTS = ("progress", "hours", "snapshots", "enrolment", "rulebook", "identity")
LEAST_KILLED = 0.95
SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
pythonpath = ["tests"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {mutated}
also_copy = ["courses", "media_pipeline", "docs", "README.md", "README.zh.md"]
pytest_add_cli_args_test_selection = ["tests/rules"]
"""


def main(wanted: list[str]) -> int:
    """Run the mutants whose names match (all without arguments) and report; the exit code of the process."""
    lay_out()
    mutmut = [sys.executable, "-m", "mutmut"]
    with (WORKSHOP / "run.log").open("w") as log:
        run = subprocess.run([*mutmut, "run", *wanted], cwd=WORKSHOP, stdout=log, stderr=log)
    if run.returncode:
        print((WORKSHOP / "run.log").read_text()[-3000:])
        return run.returncode
    shown = subprocess.run(
        [*mutmut, "results", "--all", "true"], cwd=WORKSHOP, capture_output=True, text=True, check=True
    )
    return report(dict(_verdicts(shown.stdout)), whole=not wanted)


def lay_out() -> None:
    """A copy of the house with the package under `src`, which is where the tool looks for it."""
    shutil.rmtree(WORKSHOP, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    shutil.copytree(HOUSE / "platform", WORKSHOP / "src", ignore=ignore)
    for name in ("courses", "media_pipeline", "docs", "tests"):
        shutil.copytree(HOUSE / name, WORKSHOP / name, ignore=ignore)
    for name in ("README.md", "README.zh.md"):
        shutil.copy(HOUSE / name, WORKSHOP)
    mutated = [f"src/xueji/{part}/{pattern}" for part in PARTS for pattern in ("rules.py", "rules/*.py")]
    mutated += ["src/xueji/rulebook/*.py"]
    (WORKSHOP / "pyproject.toml").write_text(SETTINGS.format(mutated=str(mutated).replace("'", '"')))


def _verdicts(shown: str) -> list[tuple[str, str]]:
    """Name and verdict of each mutant, from the tool's list of results."""
    lines = [line.strip().partition(": ") for line in shown.splitlines() if ": " in line]
    return [(name, verdict) for name, _, verdict in lines if verdict != "not checked"]


def report(verdicts: dict[str, str], *, whole: bool) -> int:
    """Print what lives, by module, and hold it against the list of mutants that make no difference."""
    listed = tomllib.loads((HOUSE / "tests" / "mutants.toml").read_text("utf-8"))["equivalent"]
    killed = {name for name, verdict in verdicts.items() if verdict in ("killed", "timeout", "suspicious")}
    living = verdicts.keys() - killed
    for module, count in sorted(Counter(name.rpartition(".")[0] for name in living - listed.keys()).items()):
        print(f"{module}: {count} live")
    for name in sorted(living - listed.keys()):
        print(f"  {name}: {verdicts[name]}")
    gone = sorted(listed.keys() & killed) + (sorted(listed.keys() - verdicts.keys()) if whole else [])
    for name in gone:
        print(f"  {name} is in tests/mutants.toml, and is killed or gone")
    share = len(killed) / max(len(verdicts), 1)
    print(f"{len(verdicts)} mutants, {len(killed)} killed ({share:.1%})")
    return int(share < LEAST_KILLED or bool(living - listed.keys()) or bool(gone))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
