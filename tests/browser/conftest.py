"""A real installation with every process, a real Chromium, and a file as webcam."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser.campus import Campus, prepared, running
from browser.visitor import CHROMIUM_NAMES, Visitor, chromium
from browser.webcam import Webcam
from playwright.sync_api import Browser

from media_pipeline.engine import Engine


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pictures are made when they are asked for by name (`make pictures`): they change files of the repository."""
    if "pictures" in config.option.markexpr:
        return
    unwanted = [item for item in items if item.get_closest_marker("pictures")]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip(f"NO BROWSER: none of {', '.join(CHROMIUM_NAMES)} is installed, so nothing was tested in one")


@pytest.fixture(scope="session")
def campus(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campus]:
    """The demonstration, up and running; asks for the browser first, for nobody starts servers for a skipped test."""
    with prepared(tmp_path_factory.mktemp("installation")) as campus, running(campus):
        yield campus


@pytest.fixture(scope="session")
def webcam(campus: Campus, tmp_path_factory: pytest.TempPathFactory) -> Webcam:
    webcam = Webcam(tmp_path_factory.mktemp("webcam"), Engine(campus.context.settings.models))
    webcam.show_nobody()
    return webcam


@pytest.fixture(scope="session")
def browser(chromium_path: str, webcam: Webcam) -> Iterator[Browser]:
    with chromium(chromium_path, webcam.file) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, campus: Campus) -> Iterator[Callable[..., Visitor]]:
    """``visit("regulator")`` gives somebody's own browser, signed in; at the end each must have had a quiet console."""
    visitors: list[Visitor] = []

    def visit(account: str | None = None, **options: Any) -> Visitor:
        visitor = Visitor.come(browser, campus, **options)
        visitors.append(visitor)
        if account is not None:
            visitor.sign_in(account)
        return visitor

    yield visit
    faults = [fault for visitor in visitors for fault in visitor.leave()]
    assert faults == []
