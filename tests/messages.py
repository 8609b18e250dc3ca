"""The sentences of each part; ``python -m messages`` adds new ones to its English catalogue, for translating."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from architecture.house import PACKAGES
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
CATALOGUE = Path("translations", "en", "LC_MESSAGES", "messages.po")


def parts() -> Iterator[Path]:
    xueji, courses, _media = PACKAGES
    yield from (folder for folder in sorted(xueji.iterdir()) if (folder / "__init__.py").exists())
    yield courses


def parts_with_words() -> list[Path]:
    return [part for part in parts() if extracted(part)]


@cache
def extracted(part: Path) -> dict[str, tuple[str, ...]]:
    """Every sentence a part says, with where it says it."""
    found: dict[str, tuple[str, ...]] = {}
    for file, _line, message, _comments, _context in extract_from_dir(part, METHODS, keywords=KEYWORDS):
        words = message if isinstance(message, str) else message[0]
        found[words] = (*found.get(words, ()), file)
    return found


def main() -> None:
    elsewhere: set[str] = set()
    for part in parts_with_words():
        path = part / CATALOGUE
        catalogue = Catalog(locale="en")
        if path.exists():
            with path.open("rb") as file:
                catalogue = read_po(file, locale="en")
        for words in extracted(part):
            if words not in catalogue and words not in elsewhere:
                catalogue.add(words)
                print(f"{part.name}: {words}")
        elsewhere |= set(extracted(part))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=120, sort_output=True, omit_header=False)


if __name__ == "__main__":
    main()
