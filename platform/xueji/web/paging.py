"""Which page of a long list is asked for, and what its pager needs."""

from __future__ import annotations

from flask import request

LAST_PAGE = 10_000
"""Far beyond any list, and small enough for every database to skip to."""


def pages_of(total: int, per_page: int) -> int:
    """How many pages a list of ``total`` lines fills."""
    return -(-total // per_page)


def page_asked(name: str = "page") -> int:
    """From 1; what is no number is the first. ``name``: of a page with two lists, the one that is meant."""
    return min(max(1, request.values.get(name, 1, type=int)), LAST_PAGE)


def paging(page: int, total: int, per_page: int) -> dict[str, int]:
    """For a template: ``page`` of ``pages``, and ``total`` lines in all."""
    return {"page": page, "pages": pages_of(total, per_page), "total": total}
