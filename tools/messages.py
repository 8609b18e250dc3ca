"""The sentences of each part; `make messages` adds new ones to its English catalogue, for translating."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

HOUSE = Path(__file__).parents[1]
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "lazy_gettext")),
    "ngettext": (1, 2),
    **dict.fromkeys(("pgettext", "lazy_pgettext"), ((1, "c"), 2)),
}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
CATALOGUE = Path("translations", "en", "LC_MESSAGES", "messages.po")

Said = tuple[str | None, str]
"""The context that tells apart what Chinese says alike and English does not, if any, and the sentence."""


def parts() -> Iterator[Path]:
    xueji = HOUSE / "platform" / "xueji"
    yield from (folder for folder in sorted(xueji.iterdir()) if (folder / "__init__.py").exists())
    yield HOUSE / "courses"


def parts_with_words() -> list[Path]:
    return [part for part in parts() if extracted(part)]


@cache
def extracted(part: Path) -> frozenset[Said]:
    """Every sentence a part says. What `xueji` itself says, the frame (`web`) says for it."""
    found = [
        (context, message) for _file, _line, message, _, context in extract_from_dir(part, METHODS, keywords=KEYWORDS)
    ]
    for path in sorted(part.parent.glob("*.py")) if part.name == "web" else ():
        in_file = extract_from_file("python", path, keywords=KEYWORDS)
        found += [(context, message) for _line, message, _, context in in_file]
    return frozenset((context, message if isinstance(message, str) else message[0]) for context, message in found)


def said(message: Message) -> Said:
    """What a catalogue's entry translates."""
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def main() -> None:
    catalogues = {part / CATALOGUE: _catalogue(part / CATALOGUE) for part in parts_with_words()}
    # The catalogues are laid over each other, so a sentence that one part has translated is known to all.
    known = {said(message) for catalogue in catalogues.values() for message in catalogue if message.id}
    for path, catalogue in catalogues.items():
        new = extracted(path.parents[3]) - known
        if not new:
            continue
        for context, words in sorted(new, key=str):
            catalogue.add(words, context=context)
            print(f"{path.parents[3].name}: {words}")
        known |= new
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=120, sort_output=True)


def _catalogue(path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale="en")
    with path.open("rb") as file:
        return read_po(file, locale="en")


if __name__ == "__main__":
    main()
