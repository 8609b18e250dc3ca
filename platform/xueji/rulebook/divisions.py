"""Administrative divisions of China by code (GB/T 2260): which there are on a day, and which lies in which.

A cohort and an institution lie in a division that exists, because which regulators see them follows from it. The list
is data with a date, `divisions.json`; a division made since is written with the code of the next larger one until the
list is renewed. Placeholders of the standard that are no place (市辖区, 省直辖县级行政单位) are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from xueji.python38 import cache

FILE = Path(__file__).parent / "divisions.json"


@cache
def divisions() -> Mapping[str, str]:
    """Names by six-digit code, of provinces, prefectures and counties."""
    return MappingProxyType(dict(json.loads(FILE.read_text("utf-8"))["codes"]))


def is_division(code: str) -> bool:
    """Whether a code stands in the list of divisions."""
    return code in divisions()


def name_of(code: str) -> str:
    """With the larger ones it lies in, as an address begins: 甘肃省兰州市城关区. The code itself for an unknown one."""
    known = divisions()
    wider = dict.fromkeys((f"{code[:2]}0000", f"{code[:4]}00", code))
    if code not in known:
        return code
    # 110100 stands in the standard between Beijing and its counties, and in no address.
    return "".join(known[each] for each in wider if each in known and (each == code or known[each] != "市辖区"))


def choices(home: str) -> Mapping[str, list[tuple[str, str]]]:
    """Every division as (code, name with the larger ones inside its province), by province; that of ``home`` first.

    A province stands among its own, for what is held in all of it or in a division newer than the list.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for code in sorted(divisions(), key=lambda code: (code[:2] != home[:2], code)):
        if divisions()[code] == "市辖区":
            continue
        province = name_of(f"{code[:2]}0000")
        within = name_of(code)[len(province) :]
        found.setdefault(province, []).append((code, within or province))
    return MappingProxyType(found)


def beginning(code: str) -> str | None:
    """How the codes of all divisions begin that lie in one: 62 of 620000, 6201 of 620100, 620102 of itself.

    None for what is no code: nothing lies in it.
    """
    if len(code) != 6:
        return None
    return code[:2] if code[2:] == "0000" else code[:4] if code[4:] == "00" else code


def lies_in(code: str, other: str) -> bool:
    """Whether a division lies in another or is it: all of 62xxxx in 620000, 6201xx in 620100, 620102 in itself."""
    begins = beginning(other)
    return begins is not None and len(code) == 6 and code.startswith(begins)


def jurisdiction_of(place: str, home: str) -> str:
    """Whose law applies to what is done in ``place`` by somebody whose seat is ``home``: both, the stricter deciding.

    One code where one lies in the other, for the law of the larger reaches into the smaller; else two joined by ``+``,
    as `Rulebook.in_force` takes them.
    """
    if not home or lies_in(place, home):
        return place
    if lies_in(home, place):
        return home
    return f"{place}+{home}"
