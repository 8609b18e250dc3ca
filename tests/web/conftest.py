"""What most tests of the interface begin with."""

from __future__ import annotations

import pytest
from flask import Flask
from lesson_page import Page, opened_page
from scenario import Scenario


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    return opened_page(app, scenario)
