"""The lesson page as somebody sees and uses it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from browser.campus import Campus, Trainee
from browser.visitor import PATIENCE_MS, Visitor
from playwright.sync_api import Locator, Page, expect


@dataclass
class Classroom:
    visitor: Visitor
    trainee: Trainee

    @classmethod
    def enter(cls, visitor: Visitor, trainee: Trainee, lesson: int = 0) -> Self:
        assert visitor.go(visitor.campus.lesson_path(trainee, lesson)).status == 200
        return cls(visitor, trainee)

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def campus(self) -> Campus:
        return self.visitor.campus

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog.check")

    @property
    def overlay(self) -> Locator:
        """What covers the film and says why."""
        return self.page.locator("[data-part=overlay]")

    @property
    def saving(self) -> Locator:
        """The line that says whether study is being saved."""
        return self.page.locator("[data-part=saving]")

    @property
    def remark(self) -> Locator:
        """What the player says about what it will not do."""
        return self.page.locator("[data-part=remark]")

    def start(self) -> None:
        """Play, and wait until some of it is on the server's record; a page that stands still has its say saved too."""
        button = self.overlay.get_by_role("button")
        expect(button).to_be_visible()
        recorded = self.page.locator("[data-part=credited-bar]")
        before = recorded.get_attribute("aria-valuenow") or ""
        button.click()
        expect(recorded).not_to_have_attribute("aria-valuenow", before)
        expect(self.saving).to_have_class(re.compile("is-saved"))

    def outcome(self, words: str) -> Locator:
        return self.dialog.get_by_text(words, exact=False).first

    def film(self, script: str) -> Any:
        """Do something with the film's element ``video`` by a script of the visitor's own."""
        return self.page.evaluate(f"(() => {{ const video = document.querySelector('video'); {script} }})()")

    def wait_until_confirmed(self) -> int:
        """Until some of her time is; how much."""
        return self._wait(lambda: self.campus.statement(self.trainee).online.counted_ms)

    def wait_until_credited(self, ms: int) -> int:
        """Until at least that much stands in her account, in whatever state; how much it is then."""

        def credited() -> int:
            have = self.campus.credited(self.trainee)
            return have if have >= ms else 0

        return self._wait(credited)

    def _wait(self, figure: Callable[[], int]) -> int:
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (found := figure()):
            assert time.monotonic() < deadline, self.campus.statement(self.trainee)
            # Lets the page's own events be heard, as a plain sleep would not.
            self.page.wait_for_timeout(200)
        return found
