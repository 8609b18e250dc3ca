"""What follows from an industry and a subject: whether the industry is high-risk, and for whom a subject is.

None of it is anybody's to tick: the lists are figures of law, and what is unknown counts as the strictest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from xueji.python38 import dataclass
from xueji.rulebook.figures import Confidence, Figure, Situation
from xueji.rulebook.rules import InForce, Ruling

UNKNOWN: Final = "unknown"
"""Of an industry that nobody has named: it counts as high-risk."""
_INDUSTRY: Final = "industry."


@dataclass(frozen=True, slots=True)
class Risk:
    """Whether an industry is high-risk, and the figure that says so; None where none does."""

    high: bool
    figure: Figure | None


def industries(in_force: InForce) -> tuple[str, ...]:
    """The codes of all industries there are to name: the high-risk ones first, else in the rulebook's order."""
    codes = [figure.key[len(_INDUSTRY) :] for figure in in_force.figures if figure.key.startswith(_INDUSTRY)]
    return tuple(dict.fromkeys(sorted(codes, key=lambda code: not risk(in_force, code).high)))


def risk(in_force: InForce, industry: str) -> Risk:
    """Whether any list in force calls the industry high-risk (order 3 art. 9; 003 art. 45), the nearest list first.

    The lists name industries in their own words; `industry.<code>` says under which of them one falls. An industry
    that the rulebook does not know is high-risk.
    """
    named = in_force.find(_INDUSTRY + industry)
    if named is None:
        return Risk(True, None)
    lists = [figure for figure in in_force.figures if figure.key == "high_risk_industries"]
    for figure in sorted(lists, key=_nearest):
        if set(members(figure)) & set(members(named.figure)):
            return Risk(True, figure)
    return Risk(False, None)


def _nearest(figure: Figure) -> tuple[int, int, str]:
    """The nearest region's first, of these the best known."""
    return -len(figure.jurisdiction), tuple(Confidence).index(figure.confidence), figure.id


def situation(in_force: InForce, category: str, industry: str, training: str, subject: str | None) -> Situation:
    """What is trained, with what follows from the industry."""
    return Situation(category, risk(in_force, industry).high, training, subject)


def members(figure: Figure) -> Collection[int | str]:
    """The words of a figure that is a list; of any other, none."""
    return figure.value if isinstance(figure.value, tuple) else ()


def subject_categories(in_force: InForce, subject: str) -> Ruling | None:
    """For whom a subject is, or None where no figure says."""
    return in_force.find("subject_category", _of_subject(subject))


def subject_industries(in_force: InForce, subject: str) -> Ruling | None:
    """In which industries a subject is taught, or None where it belongs to none in particular."""
    return in_force.find("subject_industry", _of_subject(subject))


def _of_subject(subject: str) -> Situation:
    return Situation("", False, "", subject)


def named_industry(in_force: InForce, industry: str, subject: str | None) -> str:
    """The industry, or the one that the subject implies where none is named."""
    if industry != UNKNOWN or subject is None:
        return industry
    taught_in = subject_industries(in_force, subject)
    implied = () if taught_in is None else members(taught_in.figure)
    return str(next(iter(implied))) if len(implied) == 1 else UNKNOWN


def table_subjects(in_force: InForce, category: str, industry: str) -> Mapping[str, Figure]:
    """The subjects for which the region prescribes hours of their own, that somebody of the category may need.

    A subject of another industry is left out; while the industry is unknown, none is.
    """
    found: dict[str, Figure] = {}
    for figure in in_force.figures:
        if figure.key != "training_hours" or category not in figure.conditions.category:
            continue
        for subject in figure.conditions.subject:
            taught_in = subject_industries(in_force, subject)
            if taught_in is None or industry == UNKNOWN or industry in members(taught_in.figure):
                found.setdefault(subject, figure)
    return found
