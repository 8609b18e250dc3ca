"""What travels with a bundle is read by Python 3.8 and every later one, and says the same under each of them."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from architecture.house import HOUSE
from support.bundles import Parts, edited, flip, laid_out, sealed, unpacked

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle
from xueji.evidence.program import ROOT, VERIFIER_FILES, program
from xueji.evidence.verify import verify
from xueji.hours.rules import assess, evidence
from xueji.python38 import day, moment
from xueji.rulebook.rules import load

KEPT = HOUSE / "tests" / "kept"
SOURCES = {name: data.decode() for name, data in program().items() if name.endswith(".py")}
SINCE = {
    **dict.fromkeys(("removeprefix", "removesuffix", "is_relative_to", "with_stem", "readlink", "randbytes"), "3.9"),
    **dict.fromkeys(("bit_count", "hardlink_to", "total"), "3.10"),
    **dict.fromkeys(("add_note", "fromisoformat"), "3.11"),
}
"""Methods that 3.8 has not, or that read less there; `xueji.python38` alone may call the last."""
GENERIC = ("list", "dict", "tuple", "set", "frozenset", "type")
OTHERS = ("3.8", "3.9", "3.10", "3.12", "3.13", "3.14")
DRIVER = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from pathlib import Path
from xueji.evidence.bundle import Bundle, BundleError
from xueji.evidence.verify import verify
found = {}
for place in sys.argv[2:]:
    try:
        found[place] = verify(Bundle(Path(place)))
    except BundleError as error:
        found[place] = str(error)
json.dump(found, sys.stdout)
"""
HOURS = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from xueji.hours.rules import assess, evidence
from xueji.rulebook.rules import load
kept = json.load(sys.stdin)
json.dump(assess(load(kept["rulebook"]), evidence(kept["leaves"]), kept["as_of_ms"]).to_dict(), sys.stdout)
"""


@cache
def python(version: str) -> str | None:
    """Another Python of this machine that runs: on the path, or one that pyenv keeps."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = sorted(str(path) for path in versions.glob(f"{version}.*/bin/python{version}"))
    for candidate in (shutil.which(f"python{version}"), *kept):
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return candidate
    return None


def under(version: str, program: str, *arguments: str, given: str = "") -> Any:
    """What a program says under another Python, isolated and without site packages."""
    executable = python(version)
    if executable is None:
        pytest.skip(f"no Python {version} here")
    command = [executable, "-I", "-S", "-c", program, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, input=given, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", SOURCES)
def test_what_travels_is_written_in_the_language_of_3_8(name: str) -> None:
    tree = ast.parse(SOURCES[name], feature_version=(3, 8))
    annotated = any(list(_annotations(node)) for node in ast.walk(tree))
    assert not annotated or "from __future__ import annotations" in SOURCES[name]
    assert list(_newer(tree, name.endswith("/python38.py"))) == []


def _newer(tree: ast.AST, is_the_bridge: bool) -> Iterator[str]:
    """What 3.8 can read and not do, outside of annotations, which nobody evaluates."""
    annotations = {id(inner) for node in ast.walk(tree) for inner in _annotations(node)}
    old = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("collections", "collections.abc")
    )
    generic = {*GENERIC, *(alias.name for node in old for alias in node.names)}
    for node in ast.walk(tree):
        if id(node) in annotations:
            continue
        if isinstance(node, ast.Attribute) and node.attr in SINCE and not is_the_bridge:
            yield f"line {node.lineno}: .{node.attr} is of {SINCE[node.attr]}"
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in generic:
            yield f"line {node.lineno}: {node.value.id}[…] is of 3.9"
        if isinstance(node, ast.Call) and any(keyword.arg == "strict" for keyword in node.keywords):
            yield f"line {node.lineno}: strict= is of 3.10"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            yield from (f"line {node.lineno}: a | b is of 3.10" for one in node.args[1:] if isinstance(one, ast.BinOp))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and isinstance(node.left, ast.Dict):
            yield f"line {node.lineno}: a union of dicts is of 3.9"


def _annotations(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        annotation = getattr(node, name, None)
        if annotation is not None:
            yield from ast.walk(annotation)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
        yield from ast.walk(node)


def test_imports_of_newer_names_go_over_the_one_bridge() -> None:
    bridged = {"UTC", "StrEnum", "cache", "pairwise", "Self", "dataclass"}
    for name, source in SOURCES.items():
        if name.endswith("/python38.py"):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module != "xueji.python38":
                assert not bridged & {alias.name for alias in node.names}, name


def test_the_linter_knows_what_travels() -> None:
    written = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))
    targets = written["tool"]["ruff"]["per-file-target-version"]
    assert set(targets.values()) == {"py38"}
    ours = {path.relative_to(HOUSE).as_posix() for pattern in VERIFIER_FILES for path in ROOT.glob(pattern)}
    covered = {path for path in ours if path.endswith(".py") and any(_matches(path, each) for each in targets)}
    assert covered == {path for path in ours if path.endswith(".py")}


def _matches(path: str, pattern: str) -> bool:
    before, brace, rest = pattern.partition("{")
    if not brace:
        return fnmatch(path, pattern)
    choices, _, after = rest.partition("}")
    return any(fnmatch(path, f"{before}{choice}{after}") for choice in choices.split(","))


def tampered(honest: Parts) -> Iterator[Parts]:
    """A bundle changed in each of its parts: cut, flipped, emptied, gone, or written otherwise."""
    for name in honest:
        if not name.startswith((parts.VERIFIER, parts.LAUNCHER, parts.README)):
            for data in (flip(honest[name], len(honest[name]) // 3), honest[name][:-7], b"[]"):
                yield sealed({**honest, name: data})
            yield {other: data for other, data in honest.items() if other != name}
    for name in (parts.STATEMENT, parts.RULEBOOK, parts.POLICY, parts.OPENINGS):
        changed = dict(honest)
        edited(changed, name, lambda values: values.update({"of nobody": 1}))
        yield sealed(changed)


@pytest.mark.parametrize("version", OTHERS)
def test_each_python_says_the_same_of_sound_and_of_broken_bundles(version: str, tmp_path: Path) -> None:
    if python(version) is None:
        pytest.skip(f"no Python {version} here")
    places = [str(path) for path in sorted(KEPT.glob("*/*.zip"))]
    honest = unpacked((KEPT / "first-whole" / "regulator-by-camera.zip").read_bytes())
    broken = tampered(honest) if version == OTHERS[0] else [sealed({**honest, parts.STATEMENT: b"{}"})]
    places += [str(laid_out(tmp_path / str(n), content)) for n, content in enumerate(broken)]
    ours = {place: [list(one) for one in verify(Bundle(Path(place)))] for place in places}
    assert any(verdict == "FAIL" for verdict, _, _ in ours[places[-1]])
    theirs = under(version, DRIVER, str(ROOT.parent), *places)
    assert theirs == ours


@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("release", sorted(path.name for path in KEPT.iterdir() if path.is_dir()))
def test_each_python_works_out_the_same_hours(version: str, release: str) -> None:
    kept = (KEPT / release / "chain.json").read_text("utf-8")
    read = json.loads(kept)
    ours = assess(load(read["rulebook"]), evidence(read["leaves"]), read["as_of_ms"]).to_dict()
    assert under(version, HOURS, str(ROOT.parent), given=kept) == ours


def test_times_and_days_have_one_spelling_under_every_python() -> None:
    for written in (
        *("2026-11-21T08:00Z", "2026-11-21T08:00:00+08:00", "2026-11-21T08:00:00.123Z", "2026-11-21T08:00:00.123456"),
    ):
        assert moment(written).isoformat()[:16] == "2026-11-21T08:00"
    for written in (
        "20261121T080000Z",
        "2026-W47-6T08:00",
        "2026-11-21 08:00",
        "2026-11-21",
        "２０２６-11-21T08:00Z",
        "x",
    ):
        with pytest.raises(ValueError, match="no time"):
            moment(written)
    assert day("2026-11-21").isoformat() == "2026-11-21"
    for written in ("20261121", "2026-W47-6", "2026-11-21T00:00", ""):
        with pytest.raises(ValueError, match="no date"):
            day(written)
