"""Which page of a long list is asked for, and what its pager needs."""

from __future__ import annotations

from flask import request

LAST_PAGE = 10_000
"""Far beyond any list, and small enough for every database to skip to."""


def page_asked() -> int:
    """From 1; what is no number is the first."""
    return min(max(1, request.values.get("page", 1, type=int)), LAST_PAGE)


def paging(page: int, total: int, per_page: int) -> dict[str, int]:
    """For a template: ``page`` of ``pages``, and ``total`` lines in all."""
    return {"page": page, "pages": -(-total // per_page), "total": total}
