"""docs/architecture.md draws the house as it is: the import contract's parts in its order, and files that exist."""

from __future__ import annotations

import re
import tomllib

from architecture.house import HOUSE, files, name

PAGE = (HOUSE / "docs" / "architecture.md").read_text("utf-8")
_SUFFIXES = (".py", ".ts", ".toml", ".md", ".scss", ".html", ".json")
SHAPES = {"rules.py", "models.py", "services.py", "queries.py", "access.py", "views.py", "api.py", "forms.py"} | {
    "schemas.py", "events.py", "tasks.py", "errors.py", "wording.py",
}  # fmt: skip
"""File names that stand for one in each part."""


def section(heading: str) -> str:
    text = PAGE.split(f"\n## {heading}\n", 1)[1]
    return text.split("\n## ", 1)[0]


def test_the_parts_are_those_of_the_import_contract_in_its_order() -> None:
    written = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))
    (layers,) = (each for each in written["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    parts = [part for layer in layers["layers"] for part in layer.split(" | ")]
    table = section("Parts, from the top to the bottom").split("\n### ", 1)[0]
    assert re.findall(r"^\| `([a-z0-9_.]+)` \|", table, re.MULTILINE) == parts


def storeys() -> dict[str, list[list[str]]]:
    """Of the import contract: each storey's name and its lines, the upper ones first."""
    text = (HOUSE / "pyproject.toml").read_text("utf-8").split("\nlayers = [\n", 1)[1].split("\n]\n", 1)[0]
    found: dict[str, list[list[str]]] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#"):
            found[line.removeprefix("# ")] = []
        else:
            last = next(reversed(found.values()))
            last.append([part.removeprefix("xueji.") for part in line.strip('",').split(" | ")])
    return found


def drawing() -> str:
    """The storeys as the page draws them: an arrow leads to what something stands on."""
    lines = ["flowchart TB"]
    for number, (title, layers) in enumerate(storeys().items(), 1):
        boxes = " --> ".join(map(" & ".join, layers)) if len(layers) > 1 else " ~~~ ".join(layers[0])
        lines += [f'  subgraph storey{number}["{title}"]', "    direction LR", f"    {boxes}", "  end"]
    return "\n".join([*lines, "  " + " --> ".join(f"storey{number}" for number in range(1, len(storeys()) + 1))])


def test_the_drawing_shows_the_storeys_of_the_import_contract() -> None:
    assert drawing() in PAGE


def test_the_folders_are_those_of_the_repository() -> None:
    named = {folder.split("/")[0] for folder in re.findall(r"^\| `([a-z_/]+)/` \|", section("Folders"), re.MULTILINE)}
    there = {name(path).split("/")[0] for path in files() if "/" in name(path)}
    assert named == {folder for folder in there if not folder.startswith(".")}


def test_every_file_that_is_named_exists() -> None:
    """By its path, or by the end of it: `progress/beat_recording.py`."""
    known = {f"/{name(path)}" for path in files()}
    named = {word for word in re.findall(r"`([\w./-]+)`", PAGE) if word.endswith(_SUFFIXES) and word not in SHAPES}
    named = {word for word in named if not word.startswith("/")}
    missing = {word for word in named if not any(path.endswith(f"/{word}") for path in known)}
    assert missing == set()
