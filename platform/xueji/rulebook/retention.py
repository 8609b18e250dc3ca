"""How long a training file is kept (003 art. 23): whole years after the training's last day, by who was trained."""

from __future__ import annotations

from datetime import date

from xueji.rulebook.figures import Situation
from xueji.rulebook.rules import InForce, Ruling

SHORTEST_YEARS = 1
"""No figure of any rulebook is shorter: before that many years nothing has to be looked at."""


def years_kept(in_force: InForce, situation: Situation) -> Ruling:
    """How many whole years a training file is kept: at least six for special operators, three for others.

    Raises NoSuchRule where no figure is known.
    """
    return in_force.ruling("file_years", situation)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; after 29 February the 1st of March, and never later than a date can be."""
    year = day.year + years
    if year > date.max.year:
        return date.max
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
