"""No page grows with the installation: what reads many rows has an end, or it is said here why it needs none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANY = ("list[", "Sequence[", "Iterator[")
READS = ("select(", "scalars(", ".execute(")

ENDS = {
    "asked for": {"roster_lines", "turns", "_facts", "_lines"},
    "one person": {"consents", "reference_photos", "memberships", "checks_of_occasion"},
    "one course or cohort, put together by hand": {"chosen_lessons", "cohort_lessons", "places_of"},
    "one institution, put together by hand, to choose from": {"courses_of"},
    "a service lets there be so many": {"unfinished_uploads"},
    "a program writes it out, a portion at a time": {"people_with_photos", "cosignature_lines", "enrolment_ids"},
    "sorted by what is worked out of all, a page of which is drawn": {
        "figures_of",
        "to_confirm",
        "cohorts",
        "institutions",
    },
    "not paged yet: a line for each member of staff who vouched for somebody in a jurisdiction": {"staff_figures"},
    "a line for each kind of thing": {"first_tries", "conditions"},
}
"""By why it has no limit: names of functions that answer with a list."""


def _without_limit() -> Iterator[str]:
    for path in [*ROOT.glob("platform/xueji/**/*.py"), *ROOT.glob("courses/**/*.py")]:
        if not (path.stem.endswith("queries") or path.parent.name == "queries" or _reads_pages(path)):
            continue
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.FunctionDef) or node.returns is None:
                continue
            text, answer = ast.get_source_segment(source, node) or "", ast.unparse(node.returns)
            lists = answer.startswith(MANY) or answer.startswith(tuple(f"tuple[{each}" for each in MANY))
            if lists and any(each in text for each in READS) and ".limit(" not in text:
                yield node.name


def _reads_pages(path: Path) -> bool:
    """Other modules that read for pages alone: no model, no service, no rule in them."""
    return path.name in ("roster.py", "rooms.py", "comparing.py", "inspecting.py", "replay.py")


def test_every_list_has_an_end() -> None:
    found = list(_without_limit())
    named = {name for names in ENDS.values() for name in names}
    assert found, "the reads are where they are looked for"
    assert set(found) <= named, "add .limit( and a page, or say above why it ends"
    assert named <= set(found), "named above, and not found"
