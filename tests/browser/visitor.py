"""Somebody before a browser: signs in, goes to pages, and hears everything that the console complains of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

from browser.campus import Campus
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PATIENCE_MS = 90_000
"""For anything that a busy machine may delay; nothing is waited for longer than until it is there."""

# What a browser says of an answer that is no success; whether it should have been one is what the tests ask.
_UNSUCCESSFUL = "Failed to load resource"


@contextmanager
def chromium(path: str, webcam: Path) -> Iterator[Browser]:
    """A browser whose one camera is the file; whether a page may use it is each context's own permission."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={webcam}",
                "--mute-audio",
                # A container's small shared memory would end a page in the middle of a film.
                "--disable-dev-shm-usage",
            ],
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    campus: Campus
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ()

    @classmethod
    def come(
        cls,
        browser: Browser,
        campus: Campus,
        *,
        size: dict[str, int] = DESK,
        camera: bool = False,
        language: Literal["zh-CN", "en"] = "zh-CN",
        forgiven: tuple[str, ...] = (),
        scale: float = 1,
    ) -> Self:
        """``forgiven``: words of the console that belong to what the test does."""
        context = browser.new_context(
            base_url=campus.url,
            viewport={"width": size["width"], "height": size["height"]},
            device_scale_factor=scale,
            locale=language,
            timezone_id="Asia/Shanghai",
            permissions=["camera"] if camera else [],
            accept_downloads=True,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(PATIENCE_MS)
        visitor = cls(campus, context, context.new_page(), forgiven=forgiven)
        context.on("console", visitor._heard)
        context.on("weberror", lambda error: visitor.faults.append(str(error.error)))
        return visitor

    def sign_in(self, account: str) -> None:
        self.give_password(account)
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def give_password(self, account: str) -> None:
        """The first step of signing in; whether another follows is the account's matter."""
        self.page.goto("/sign-in")
        self.page.locator("input[name=account]").fill(account)
        self.page.locator("input[name=password]").fill(self.campus.password(account))
        self.page.locator("form:has(input[name=password]) button").click()

    def go(self, path: str) -> Response:
        response = self.page.goto(path)
        assert response is not None
        return response

    def another_tab(self) -> Self:
        """A second page in the same browser."""
        return replace(self, page=self.context.new_page())

    def leave(self) -> list[str]:
        """Close the browser; what its console complained of."""
        self.context.close()
        return [f"{self.page.url}: {fault}" for fault in self.faults]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type != "error" or message.text.startswith(_UNSUCCESSFUL):
            return
        if not any(words in message.text for words in self.forgiven):
            self.faults.append(message.text)
