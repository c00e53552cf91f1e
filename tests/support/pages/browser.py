"""Chromium for tests of HTML pages: what a page shows, which URLs it requests, which errors it raises."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

# Without the last three, Chromium itself sends requests, for example to look for updates.
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
WIDE, PHONE = (1280, 900), (390, 844)
"""Window sizes in pixels."""


@dataclass(slots=True)
class ObservedPage:
    """A page in the browser, with its requests and errors.

    Attributes:
        requests: URLs that the page requested, its own included.
        errors: Errors and warnings of its scripts, and violations of its content security policy.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def new_page(*, size: tuple[int, int] = WIDE, dark: bool = False) -> Iterator[Page]:
    """Open an empty page; skip the test if Chromium is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        try:
            yield browser.new_page(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
            )
        finally:
            browser.close()


@contextmanager
def open_file(file: Path, *, size: tuple[int, int] = WIDE, dark: bool = False) -> Iterator[ObservedPage]:
    """Open a local file and record its requests and errors; skip the test if Chromium is not installed."""
    with new_page(size=size, dark=dark) as page:
        observed = ObservedPage(page)
        page.on("request", lambda request: observed.requests.append(request.url))
        page.on("pageerror", lambda error: observed.errors.append(str(error)))
        page.on("console", lambda message: _record_message(observed, message))
        page.goto(file.as_uri())
        yield observed


def _record_message(observed: ObservedPage, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        observed.errors.append(message.text)
