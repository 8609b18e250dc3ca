"""docs/log-events.md, read as tables: what the page says of each event, and what of a leaf it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from architecture.house import HOUSE

from xueji.evidence.claims.committed import COMMITTED

PAGE = HOUSE / "docs" / "log-events.md"
_COLUMNS = 8
_COMMITMENT = re.compile(r"[0-9a-f]{64}")
_TICKED = re.compile(r"`([^`]+)`")


class Row(NamedTuple):
    """What the page says of one event."""

    event: str
    chains: tuple[str, ...]
    act_of: str
    modules: tuple[str, ...]
    fields: frozenset[str]
    commitments: frozenset[str]
    readers: frozenset[str]


@cache
def rows() -> tuple[Row, ...]:
    """One for each line of the tables of events, in their order."""
    found = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == _COLUMNS and cells[0].startswith("`"):
            name, _what, chains, act_of, modules, fields, commitments, readers = cells
            found.append(
                Row(
                    name.strip("`"),
                    tuple(chains.split(", ")),
                    act_of,
                    tuple(_TICKED.findall(modules)),
                    frozenset(_TICKED.findall(fields)),
                    frozenset(_TICKED.findall(commitments)),
                    frozenset(_TICKED.findall(readers)),
                )
            )
    return tuple(found)


@cache
def described_fields() -> tuple[str, ...]:
    """The names in the table of fields, in its order."""
    return tuple(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text("utf-8").split("\n## Fields\n", 1)[1], re.MULTILINE))


@cache
def described_units() -> Mapping[str, str]:
    """What the table of fields says each is measured in."""
    section = PAGE.read_text("utf-8").split("\n## Fields\n", 1)[1]
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section, re.MULTILINE))


def paths(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a leaf's values with its path: ``frames.sha256`` is a field of each object in ``frames``."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            path = f"{at}.{name}" if at else name
            yield path, inner
            yield from paths(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, at)


def faults(event: str, values: Mapping[str, Any]) -> set[str]:
    """What a leaf says that the page does not: fields it does not name, commitments it takes for something else."""
    row = next((row for row in rows() if row.event == event), None)
    if row is None:
        return {event}
    found = set()
    for path, value in paths(values):
        below_star = f"{path.split('.')[0]}.*" in row.fields
        if path not in row.fields | row.commitments and not (below_star and "." in path):
            found.add(f"{event}: {path}")
        committed = path.rpartition(".")[2] in COMMITTED and isinstance(value, str) and bool(_COMMITMENT.match(value))
        if committed and path not in row.commitments:
            found.add(f"{event}: {path} is a commitment")
        if path in row.commitments and not _committed(value):
            found.add(f"{event}: {path} is no commitment")
    return found


def _committed(value: Any) -> bool:
    if isinstance(value, list):
        return all(_committed(inner) for inner in value)
    return value is None or (isinstance(value, str) and bool(_COMMITMENT.fullmatch(value)))
