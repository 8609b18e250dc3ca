"""Each part brings its manifest, and what puts a process together names no part."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import fields
from itertools import chain
from pathlib import Path

import pytest
from architecture.house import HOUSE, files, name
from flask import Flask

from xueji import navigation
from xueji.kernel.settings import Settings
from xueji.parts import PACKAGES, PARTS
from xueji.web.access import rule_of
from xueji.web.manifest import Listener
from xueji.wiring import in_order

XUEJI = HOUSE / "platform" / "xueji"
ASSEMBLING = ("app", "wiring", "navigation", "tables", "probes", "openapi", "worker", "parts")
"""The modules that read the manifests."""
SOURCES = {part.package: part.folder for part in PARTS}


def imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


@pytest.mark.parametrize("module", ASSEMBLING)
def test_what_puts_a_process_together_imports_nothing_of_a_part(module: str) -> None:
    for package in PACKAGES:
        assert not {one for one in imported(XUEJI / f"{module}.py") if f"{one}.".startswith(f"{package}.")}


@pytest.mark.parametrize("module", [module for module in ASSEMBLING if module != "parts"])
def test_it_does_not_name_an_endpoint_of_a_part_either(module: str) -> None:
    names = {package.rpartition(".")[2] for package in PACKAGES}
    text = (XUEJI / f"{module}.py").read_text("utf-8")
    assert not set(re.findall(r"\"(\w+)\.\w+\"", text)) & (names | {f"{one}_api" for one in names})


def test_every_manifest_is_listed() -> None:
    written = {path.parent for path in files("part.py", below=XUEJI)} | {HOUSE / "courses"}
    there = {path.parent for path in XUEJI.glob("*/part.py")} | {HOUSE / "courses"}
    assert there >= written and there == set(SOURCES.values())


def test_parts_are_listed_from_the_lowest_to_the_highest() -> None:
    """Listeners of one event are called in this order, so it is the order of the import contract."""
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    storey = {part: height for height, layer in enumerate(reversed(layers)) for part in layer.split(" | ")}
    heights = [storey[package] for package in PACKAGES]
    assert heights == sorted(heights)


def test_reading_the_manifests_loads_no_pages_services_or_tables() -> None:
    """Every process reads all of them: the recorder and the workers would carry what they never need."""
    program = "import sys, xueji.parts; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = answer.stdout.split()
    packages = "|".join(map(re.escape, PACKAGES))
    light = {*PACKAGES, *(f"{package}.part" for package in PACKAGES)}
    heavy = re.compile(rf"({packages})\b|celery|prometheus_client")
    assert [module for module in loaded if heavy.match(module) and module not in light] == []


def test_menus_and_tabs_lead_to_pages_that_their_readers_may_open(app: Flask) -> None:
    for entry in chain.from_iterable((*part.menu, *part.account_links) for part in PARTS):
        rule = rule_of(app, entry.endpoint)
        assert rule is not None
        assert rule.roles is None or set(entry.roles) <= rule.roles, entry.endpoint
        assert all(any(each.startswith(begin) for each in app.view_functions) for begin in entry.under), entry.endpoint
    for tab in (tab for part in PARTS for tab in part.tabs):
        (address,) = (rule for rule in app.url_map.iter_rules(tab.endpoint) if "GET" in (rule.methods or ()))
        assert address.arguments == {f"{tab.subject}_id"}, tab.endpoint


def test_places_are_taken_once() -> None:
    """Two entries in one place would stand in whatever order the parts happen to be listed."""
    for role in navigation.ROLES:
        for kind in ("menu", "account_links"):
            places = [entry.place for part in PARTS for entry in getattr(part, kind) if role in entry.roles]
            assert [place for place, count in Counter(places).items() if count > 1] == [], (role, kind)
    places = [(tab.subject, tab.place) for part in PARTS for tab in part.tabs]
    assert len(set(places)) == len(places)


def test_a_setting_belongs_to_one_part_and_no_lower_one_reads_it() -> None:
    owners = [(name, part.package) for part in PARTS for name in part.settings]
    assert {name for name, _package in owners} <= {field.name for field in fields(Settings)}
    assert max(Counter(name for name, _package in owners).values()) == 1
    for setting, package in owners:
        for below in PACKAGES[: PACKAGES.index(package)]:
            for path in files(".py", below=SOURCES[below]):
                if path.name != "part.py":
                    assert f"settings.{setting}" not in path.read_text("utf-8"), (name(path), setting)


def low(_event: int) -> None: ...


def middle(_event: int) -> None: ...


def high(_event: int) -> None: ...


def test_a_listener_may_ask_to_be_called_before_one_of_a_lower_part() -> None:
    listeners = [Listener(int, low), Listener(int, middle), Listener(int, high, before=middle)]
    assert [listener.handler for listener in in_order(listeners)] == [low, high, middle]
    with pytest.raises(LookupError):
        in_order([Listener(int, high, before=middle)])


def test_the_desks_read_and_nothing_else() -> None:
    """Pages about one thing by many parts: no table, no rule and no change of their own."""
    desks = SOURCES["xueji.desks"]
    assert not [path for path in files(".py", below=desks) if path.stem in {"models", "rules", "services", "tasks"}]
    for path in files(".py", below=desks):
        services = {module for module in imported(path) if ".services" in module}
        assert services == set(), name(path)
