"""Mutation testing of the pure rules: `make mutants` changes them in small ways and asks whether a test notices.

A mutant that no test kills is either a missing test or makes no difference; the latter stand in `tests/mutants.toml`,
each with the reason. The run fails when fewer than 95 of 100 mutants are killed, when a survivor is not in the list,
or when one in the list is killed by now.

mutmut writes the mutants, all of a module into one file; `mutants_run` lets the tests judge them, many times faster
than a run of pytest for each.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[1]
WORKSHOP = HOUSE / "build" / "mutants"
PURE = (
    "courses/rules.py",
    "platform/xueji/*/rules.py",
    "platform/xueji/*/rules/*.py",
    "platform/xueji/rulebook/*.py",
    "platform/xueji/enrolment/column_headings.py",
    "platform/xueji/enrolment/people_table.py",
    "platform/xueji/identity/numbers.py",
    "platform/xueji/identity/spelling.py",
    "platform/xueji/python38.py",
    "platform/xueji/progress/served_media.py",
    "platform/xueji/occasions/open_check.py",
    "platform/xueji/proctoring/judging_order.py",
    "platform/xueji/trace/canonical.py",
    "platform/xueji/trace/ed25519.py",
    "platform/xueji/trace/merkle.py",
    "platform/xueji/trace/note.py",
)
"""All that the import contract keeps to the standard library, and what else needs nothing more."""
COPIED = ("platform", "courses", "media_pipeline", "docs", "tests", "README.md", "README.zh.md")
NOT_JUDGING = ("tests/evidence/rules/test_verifier_desks.py", "tests/evidence/rules/test_verifier_old_pythons.py")
"""Tests of the files as they are written, and of what a program prints: mutants are written otherwise, and a child
prints nothing."""
LEAST_KILLED = 0.95
SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
pythonpath = ["tests"]

[tool.mutmut]
source_paths = ["platform", "courses"]
# The sentences for people; tests/architecture/test_words.py holds them.
do_not_mutate_patterns = ['\\b_\\("']
"""


Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of a function; `name` is mutmut's and changes with the function, the other fields do not."""

    name: str
    function: str
    was: str
    becomes: str

    @property
    def key(self) -> Key:
        return self.function, self.was, self.becomes


def main(arguments: list[str]) -> int:
    """Judge the mutants of the wanted modules (all without arguments) and report; the exit code of the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "names",
        nargs="*",
        help="patterns of modules or functions: 'xueji.hours.rules.*', xueji.hours.rules.worth.spans",
    )
    parser.add_argument("--jobs", default="1", help="how many mutants are judged at once")
    parser.add_argument("--living", action="store_true", help="only those that lived when they were last judged")
    parser.add_argument("--tests", default="tests/*/rules", help="patterns of the tests that judge, parted by blanks")
    parser.add_argument("--examples", default="10", help="how many each property test tries; '' for all")
    given = parser.parse_args(arguments)
    lay_out()
    os.chdir(WORKSHOP)  # where mutmut looks for its settings
    mutants = [mutant for file in _pure() for mutant in _wanted(file, given.names)]
    before = _before()
    asked = [mutant for mutant in mutants if not given.living or before.get(mutant.key) != "killed"]
    listed = _listed()
    Path("mutants.json").write_text(json.dumps({mutant.name: mutant.key in listed for mutant in asked}))
    paths = (str(WORKSHOP / "platform"), os.environ.get("PYTHONPATH", ""), str(HOUSE / "tools"))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "MUTANTS_JOBS": given.jobs,
        "MUTANTS_EXAMPLES": given.examples,
    }
    judging = [str(path) for pattern in given.tests.split() for path in sorted(Path().glob(pattern))]
    passed_over = [f"--ignore={file}" for file in NOT_JUDGING]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "mutants_run", *passed_over, *judging]
    with Path("run.log").open("w") as log:
        run = subprocess.run(command, env=environment, stdout=log, stderr=log)
    if not Path("judged.json").exists():
        print(Path("run.log").read_text()[-3000:])
        return run.returncode or 1
    judged: dict[str, str] = json.loads(Path("judged.json").read_text())
    verdicts = {mutant: judged.get(mutant.name, "killed") for mutant in mutants}
    looked_at = {mutant.function for mutant in mutants}
    kept = [(key, verdict) for key, verdict in before.items() if key[0] not in looked_at]
    kept += [(mutant.key, verdict) for mutant, verdict in verdicts.items()]
    Path("verdicts.json").write_text(json.dumps(kept))
    return report(verdicts, whole=not given.names)


def _before() -> dict[Key, str]:
    """What became of each mutant when it was last judged."""
    file = Path("verdicts.json")
    known: list[tuple[list[str], str]] = json.loads(file.read_text()) if file.exists() else []
    return {(function, was, becomes): verdict for (function, was, becomes), verdict in known}


def _wanted(file: Path, names: Sequence[str]) -> Iterable[Mutant]:
    """The mutants of a file that are asked for by its module's name or a function's; it is changed only if any are."""
    module = _module(file)
    if not names or _any(module, names):
        return mutate(file)
    if not any(fnmatch.fnmatch(module, name.rpartition(".")[0]) or name.startswith(f"{module}.") for name in names):
        return ()
    return [mutant for mutant in mutate(file) if _any(mutant.function, names)]


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _pure() -> list[Path]:
    """The files whose rules are mutated, as they stand in the house."""
    found = {file for pattern in PURE for file in HOUSE.glob(pattern)}
    return sorted(file.relative_to(HOUSE) for file in found)


def _module(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removeprefix("platform.").removesuffix(".__init__")


def lay_out() -> None:
    """A copy of the house in which the mutants are written."""
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in COPIED:
        if (HOUSE / name).is_dir():
            shutil.rmtree(WORKSHOP / name, ignore_errors=True)
            shutil.copytree(HOUSE / name, WORKSHOP / name, ignore=ignore)
        else:
            shutil.copy(HOUSE / name, WORKSHOP)
    (WORKSHOP / "pyproject.toml").write_text(SETTINGS)
    (WORKSHOP / "judged.json").unlink(missing_ok=True)


def mutate(file: Path) -> Iterator[Mutant]:
    """Write all mutants of a file into its copy, which asks at each call which of them is meant."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    mutated = mutate_file_contents(str(file), (HOUSE / file).read_text("utf-8"))
    (WORKSHOP / file).write_text(mutated.code, "utf-8")
    lines, spans = mutated.code.splitlines(), mutated.line_span_by_function_name
    for name in mutated.mutant_names:
        mangled = name.partition("__mutmut_")[0]
        function = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        was, becomes = (
            [line.replace(each, function) for line in lines[spans[each].start - 1 : spans[each].end]]
            for each in (f"{mangled}__mutmut_orig", name)
        )
        changed = [line for line in difflib.ndiff(was, becomes) if line[:1] in "+-"]
        old = " ".join(line[2:].strip() for line in changed if line[0] == "-")
        new = " ".join(line[2:].strip() for line in changed if line[0] == "+")
        yield Mutant(f"{_module(file)}.{name}", f"{_module(file)}.{function}", old, new)


def _listed() -> set[Key]:
    """The mutants that are known to make no difference."""
    entries = tomllib.loads((HOUSE / "tests" / "mutants.toml").read_text("utf-8")).get("equivalent", [])
    return {(entry["function"], entry["was"], entry["becomes"]) for entry in entries}


def report(verdicts: dict[Mutant, str], *, whole: bool) -> int:
    """Print what lives, by module, and hold it against the list of mutants that make no difference.

    ``whole``: every module was looked at, so a listed function that was not is none any more.
    """
    listed = _listed()
    modules = {mutant: mutant.name.rpartition(".")[0] for mutant in verdicts}
    living = [mutant for mutant, verdict in verdicts.items() if verdict != "killed"]
    unknown = [mutant for mutant in living if mutant.key not in listed]
    for mutant in unknown:
        print(f"{verdicts[mutant]}: {mutant.function}\n    - {mutant.was}\n    + {mutant.becomes}")
    looked_at = {mutant.function for mutant in verdicts}
    gone = sorted(key for key in listed - {mutant.key for mutant in living} if whole or key[0] in looked_at)
    for function, was, becomes in gone:
        print(f"in tests/mutants.toml, and killed or gone: {function}\n    - {was}\n    + {becomes}")
    counts, lived = Counter(modules.values()), Counter(modules[mutant] for mutant in living)
    open_ones = Counter(modules[mutant] for mutant in unknown)
    print(f"{'':38}mutants  killed  no difference  open")
    for module, count in [*sorted(counts.items()), ("", len(verdicts))]:
        here = lived[module] if module else len(living)
        still = open_ones[module] if module else len(unknown)
        print(f"{module:38}{count:7} {count - here:7} {here - still:14} {still:5}")
    share = 1 - len(living) / max(len(verdicts), 1)
    print(f"{share:.1%} killed")
    return int(share < LEAST_KILLED or bool(unknown) or bool(gone))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
