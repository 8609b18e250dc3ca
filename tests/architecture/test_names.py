"""Names: what a class is called stands for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict

from architecture.house import name, sources


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sources(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name(path))
    assert {called: found for called, found in places.items() if len(found) > 1} == {}
