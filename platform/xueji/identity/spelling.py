"""The one spelling of what people type, paste and export: decided before anything is compared, hashed or used as a key.

Spreadsheets put apostrophes before numbers, browsers and chat programs invisible characters into them, input methods
full-width digits, and every keyboard has another middle dot. Standard library only.
"""

from __future__ import annotations

import re
import unicodedata

MIDDLE_DOT = "·"
_DOTS = "•‧∙⋅●・.。᛫⸱"
_ALL_DOTS = re.compile(f"[{re.escape(_DOTS)}{MIDDLE_DOT}]")
_HAN = r"[\u2e80-\u2fdf\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
_BLANK_BETWEEN_HAN = re.compile(rf"(?<={_HAN})\s+(?={_HAN})")
_BLANK_AROUND_DOT = re.compile(rf"\s*{MIDDLE_DOT}\s*")
_AS_FORMULA = re.compile(r'=\s*"(.*)"', re.DOTALL)
_QUOTED = re.compile(r"""(["“”'‘’])(.*)(["“”'‘’])""", re.DOTALL)
_APPROXIMATE = re.compile(r"\d(?:\.\d*)?[eE]\+?\d+|\d+\.\d+")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})(?:\.0)?")
_ORNAMENT = re.compile(r"[()（）]")
_FIRST_PRIVATE, _LAST_PRIVATE = 0xE815, 0xE864
_FIRST_CODE = 0xFE50
_STILL_PRIVATE = {
    0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7,
    0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
}  # fmt: skip
"""Characters whose code Python's GB 18030 still gives as private, and what GB 18030-2022 gives."""


def _registered_characters() -> dict[int, int]:
    """Private-use code points of older Chinese systems (GBK rows FE50 to FEA0), and the characters they stand for."""
    found: dict[int, int] = {}
    code = _FIRST_CODE
    for private in range(_FIRST_PRIVATE, _LAST_PRIVATE + 1):
        if code & 0xFF == 0x7F:
            code += 1
        found[private] = ord(code.to_bytes(2).decode("gb18030"))
        code += 1
    return found | _STILL_PRIVATE


_REGISTERED = _registered_characters()


def plain(given: str) -> str:
    """Without what no one meant to write: invisible characters, quotes, a spreadsheet's apostrophe or ``="…"``.

    Full-width letters and digits become ordinary ones, private-use characters of older systems the registered ones,
    runs of blanks one blank.
    """
    text, before = given, None
    while text != before:
        text, before = _unwrapped(text), text
    return text


def _unwrapped(given: str) -> str:
    text = unicodedata.normalize("NFKC", given.translate(_REGISTERED))
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc") or char.isspace())
    text = " ".join(text.split())
    formula = _AS_FORMULA.fullmatch(text)
    text = formula.group(1) if formula else text
    quoted = _QUOTED.fullmatch(text)
    text = quoted.group(2) if quoted else text
    return text.lstrip("'‘’`").strip()


def person_name(given: str) -> str:
    """The one spelling of a name: one middle dot, no blanks between Chinese characters."""
    name = plain(given)
    if re.search(_HAN, name):
        # A full stop in a Latin name is an abbreviation; among Chinese characters it is somebody's middle dot.
        name = _BLANK_AROUND_DOT.sub(MIDDLE_DOT, _ALL_DOTS.sub(MIDDLE_DOT, name)).strip(MIDDLE_DOT)
        name = _BLANK_BETWEEN_HAN.sub("", name)
    return name


def number(given: str) -> str:
    """The one spelling of an identity, permit or certificate number: no blanks, no hyphens, capital letters."""
    return plain(re.sub(r"[\s\-‐-―−]", "", plain(given)).upper())


def telephone(given: str) -> str:
    """The eleven digits of a mobile number of the mainland; empty for what is none.

    Country code, brackets and hyphens go; ``.0`` is what a spreadsheet's number leaves behind.
    """
    found = _MOBILE.fullmatch(_ORNAMENT.sub("", number(given)))
    return found.group(1) if found else ""


def is_approximate(given: str) -> bool:
    """Whether a spreadsheet has made an approximate value of a number (``6.20102E+17``): its last digits are lost."""
    return _APPROXIMATE.fullmatch(number(given)) is not None
