"""The macros that print figures: exact to the second, never rounded up."""

import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel

TEMPLATES = Path(__file__).parents[3] / "platform/xueji/web/templates"
HOUR = 2_700_000


@pytest.fixture
def page() -> Flask:
    app = Flask(__name__, template_folder=str(TEMPLATES))
    Babel(app, default_locale="zh")
    app.jinja_env.globals.update(asset=lambda name: f"/built/{name}", csrf_token=lambda: "token")
    return app


def printed(page: Flask, call: str, name: str) -> str:
    with page.test_request_context():
        return render_template_string('{% from "web/macros.html" import ' + name + " %}{{ " + call + " }}")


def words(html: str) -> str:
    """The text of a piece of HTML, without its spaces."""
    return re.sub(r"<[^>]*>|\s", "", html)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0学时0分00秒"),
        (999, "0学时0分00秒"),
        (HOUR - 1, "0学时44分59秒"),
        (HOUR, "1学时0分00秒"),
        (3 * HOUR + 12 * 60_000 + 5_999, "3学时12分05秒"),
    ],
)
def test_an_amount_is_cut_to_the_second_and_never_rounded_up(page: Flask, ms: int, text: str) -> None:
    assert words(printed(page, f"hours({ms}, {HOUR})", "hours")) == text


def test_the_exact_milliseconds_stay_readable_by_programs(page: Flask) -> None:
    html = printed(page, f"hours(8725001, {HOUR})", "hours")
    assert 'value="8725001"' in html
    assert "8725.001" in html


def test_another_class_hour_is_the_rulebooks_to_say(page: Flask) -> None:
    assert words(printed(page, "hours(3600000, 3000000)", "hours")) == "1学时10分00秒"


@pytest.mark.parametrize(
    ("online_ms", "share", "within"),
    [(40 * HOUR, "40.00%", True), (40 * HOUR + 1, "40.00%", False), (39 * HOUR + HOUR // 2, "39.50%", True)],
)
def test_exactly_forty_per_cent_is_within_the_limit(page: Flask, online_ms: int, share: str, within: bool) -> None:
    html = printed(page, f"share_bar({online_ms}, {100 * HOUR}, '线上', 40)", "share_bar")
    assert share in html
    assert ("is-confirmed" in html) is within
    assert ("is-refused" in html) is not within


def test_where_no_limit_applies_none_is_drawn(page: Flask) -> None:
    assert "share-mark" not in printed(page, f"share_bar({HOUR}, {HOUR}, '线上', limit_percent=None)", "share_bar")


def test_a_name_keeps_its_first_character_only(page: Flask) -> None:
    assert words(printed(page, "masked_name('欧阳小红')", "masked_name")) == "欧***"
    assert words(printed(page, "masked_name('王')", "masked_name")) == "王*"


def test_text_from_people_is_escaped(page: Flask) -> None:
    html = printed(page, "empty_state('<script>alert(1)</script>')", "empty_state")
    assert "<script>" not in html
