"""Nobody outside `identity` compares people by the id of a file: somebody may have two files, and be one person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from architecture.house import HOUSE

PARTS = ("enrolment", "progress", "proctoring", "hours", "evidence", "oversight", "desks")
SOURCES = sorted(path for part in PARTS for path in (HOUSE / "platform" / "xueji" / part).rglob("*.py"))
BY_FILE = re.compile(
    r"(\bperson_id [!=]= actor(\(\))?\.person_id|actor(\(\))?\.person_id [!=]= \w+\.person_id"
    r"|\b(Enrolment|Sitting|Check|CheckIn|Picture)\.person_id [!=]= )"
)
"""What `identity.queries.is_herself`, `same_person` and `files_of` are for."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(HOUSE / "platform").as_posix())
def test_people_are_compared_over_all_their_files(path: Path) -> None:
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    found = [line for line in lines if BY_FILE.search(line) and ".join(" not in line]
    assert not found, f"{path.name}: ask identity.queries.is_herself or same_person: {found}"
