"""Where things are, for the tests that look at the house itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PACKAGES = (HOUSE / "platform" / "xueji", HOUSE / "courses", HOUSE / "media_pipeline")
_NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", "built", "data", "build", "dist", "screenshots"}
_TEXT = {".py", ".ts", ".js", ".scss", ".html", ".md", ".toml", ".json", ".po", ".txt", ".mako", ".svg", ".css", ""}


def files(*suffixes: str, below: Path = HOUSE) -> Iterator[Path]:
    """Every file of ours with one of the suffixes; none named: every text file."""
    for path in sorted(below.iterdir()):
        if path.is_dir():
            if path.name not in _NOT_OURS and not path.name.endswith("_cache") and path.name != ".hypothesis":
                yield from files(*suffixes, below=path)
        elif path.suffix in (suffixes or _TEXT) and path.name not in _NOT_OURS:
            yield path


def sources(*suffixes: str) -> Iterator[Path]:
    """The same in the product's packages."""
    for package in PACKAGES:
        yield from files(*suffixes, below=package)


def name(path: Path) -> str:
    return str(path.relative_to(HOUSE))
