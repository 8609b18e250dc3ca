"""Where a page may lead on to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.web.redirects import local_path


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nLocation: https://evil.example",
        "/\t/evil.example",
        " //evil.example",
        "/a b",
        "/a\x7f",
        "account",
    ],
)
def test_a_way_on_that_leads_elsewhere_is_none(target: str | None) -> None:
    assert local_path(target) is None


@pytest.mark.parametrize("target", ["/", "/lessons/7?at=12", "/a/b#c", "/a!", "/人\x80"])
def test_a_way_on_within_the_site_is_kept(target: str) -> None:
    assert local_path(target) == target


@given(st.text(max_size=30))
def test_no_text_at_all_leads_to_another_host(target: str) -> None:
    local = local_path(target)
    assert local is None or (local[0] == "/" and local[1:2] not in ("/", "\\"))
