"""A page is given every name it asks for."""

from __future__ import annotations

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError


@pytest.mark.parametrize("template", ["{{ nobody_gave_it }}", "{% if nobody_gave_it %}{% endif %}"])
def test_a_name_that_nobody_gives_is_an_error_and_no_empty_place(app: Flask, template: str) -> None:
    with app.test_request_context(), pytest.raises(UndefinedError):
        render_template_string(template)
