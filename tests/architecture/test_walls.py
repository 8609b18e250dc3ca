"""The house stands as it was drawn: where packages are, who knows whom, how large a file may grow."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path
from pkgutil import iter_modules

import pytest
from architecture.house import HOUSE, PACKAGES, files, name, sources
from importlinter.cli import lint_imports

from xueji.evidence.program import VERIFIER_FILES
from xueji.parts import PARTS
from xueji.tables import modules

LONGEST_SOURCE, LONGEST_TEST = 600, 900
XUEJI = HOUSE / "platform" / "xueji"
VERIFIER = sorted({path for pattern in VERIFIER_FILES for path in XUEJI.glob(pattern)})
MUST_BE_IN_IT = (
    "rulebook",
    "hours/rules",
    "trace/merkle",
    "trace/note",
    "trace/canonical",
    "trace/ed25519",
    "evidence/verify",
)


def test_platform_is_a_folder_and_never_a_package() -> None:
    """A package of that name would hide the standard library's module from everything that is installed."""
    assert not (HOUSE / "platform" / "__init__.py").exists()
    assert Path(sys.modules["platform"].__file__ or "").parent != HOUSE / "platform"


def test_every_contract_between_the_parts_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HOUSE)
    assert lint_imports(no_cache=True) == 0


def test_every_part_stands_in_the_layers() -> None:
    written = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))
    (layers,) = (each for each in written["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    listed = set(chain.from_iterable(layer.split(" | ") for layer in layers["layers"]))
    modules = {f"xueji.{file.stem}" for file in XUEJI.glob("*.py") if file.stem != "__init__"}
    packages = {f"xueji.{part.name}" for part in iter_modules([str(XUEJI)]) if part.ispkg}
    assert listed == packages | modules | {"courses", "media_pipeline"}


def test_every_blueprint_is_part_of_the_application() -> None:
    """Pages that a manifest forgot would be silent: their addresses answer as if they did not exist."""
    made = {module.blueprint for kind in ("views", "api") for module in modules(kind) if hasattr(module, "blueprint")}
    brought = {blueprint for part in PARTS for blueprint in part.blueprints()}
    assert {blueprint.name for blueprint in made - brought} == set()


def test_the_verifier_holds_everything_the_hours_and_the_log_are_judged_by() -> None:
    for part in MUST_BE_IN_IT:
        ours = {*XUEJI.glob(f"{part}.py"), *(XUEJI / part).rglob("*.py")}
        assert ours and ours <= set(VERIFIER), part


@pytest.mark.parametrize("path", [path for path in VERIFIER if path.suffix == ".py"], ids=name)
def test_the_verifier_is_made_of_the_standard_library_alone(path: Path) -> None:
    """Its files are copied into each bundle, so each may know the standard library and the others of them."""
    ours = {_module(file) for file in VERIFIER}
    packages = {module.rpartition(".")[0] for module in ours}
    for module in _imported(path):
        assert module.partition(".")[0] in sys.stdlib_module_names or module in ours | packages, module


def _module(path: Path) -> str:
    return ".".join(path.relative_to(XUEJI.parent).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            found.append(node.module or "")
    return found


def test_no_file_has_grown_a_second_subject() -> None:
    """Migrations are long lists that nobody reads for pleasure; a file of tests may be a long list too."""
    long: dict[str, int] = {}
    for path in files(".py", ".ts", ".scss", ".html"):
        most = LONGEST_TEST if name(path).startswith(("tests/", "frontend/test/")) else LONGEST_SOURCE
        lines = path.read_text("utf-8").count("\n")
        if lines > most and not name(path).startswith("migrations/versions/"):
            long[name(path)] = lines
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(path) for path in sources(".py") if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None]
    assert silent == []


def test_nothing_is_left_to_be_done() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    unfinished = [name(path) for path in files(".py", ".ts", ".scss", ".html") if word.search(path.read_text("utf-8"))]
    assert unfinished == [name(Path(__file__))]


def test_no_file_names_the_machine_it_was_written_on() -> None:
    machine = re.compile(r"/(?:root|home/\w+|opt/\w+|usr/local|Users/\w+|wo" + r"rk)/|file:///|localhost\.localdomain")
    telling = [
        f"{name(path)}: {found.group()}"
        for path in files()
        if path != Path(__file__) and (found := machine.search(path.read_text("utf-8")))
    ]
    assert telling == []


def test_no_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert [name(path) for path in sources(".py") if path.stem in drawers or path.parent.name in drawers] == []


def test_packages_hold_no_models_fonts_or_pictures_of_people() -> None:
    binary = {".onnx", ".dat", ".pt", ".ttf", ".otf", ".woff", ".woff2", ".jpg", ".jpeg", ".mp4", ".so"}
    found = [path for package in PACKAGES for path in package.rglob("*") if path.suffix in binary]
    assert [name(path) for path in found if "built" not in path.parts and "node_modules" not in path.parts] == []
