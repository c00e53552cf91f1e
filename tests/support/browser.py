"""Debian's Chromium, driven for tests of pages: what it shows, what it asks for, what goes wrong in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

# No network of its own making: it would look for updates otherwise.
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
WIDE, PHONE = (1280, 900), (390, 844)


@dataclass(slots=True)
class Opened:
    """A page in the browser.

    Attributes:
        requests: Addresses that it asked for, itself among them.
        errors: What went wrong in its scripts, and what its own security policy refused.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def browser_page(*, size: tuple[int, int] = WIDE, dark: bool = False) -> Iterator[Page]:
    """An empty page; skips the test on a machine without Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        try:
            yield browser.new_page(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
            )
        finally:
            browser.close()


@contextmanager
def opened(file: Path, *, size: tuple[int, int] = WIDE, dark: bool = False) -> Iterator[Opened]:
    """Opens a file as its reader would; skips the test on a machine without Chromium."""
    with browser_page(size=size, dark=dark) as page:
        seen = Opened(page)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
        page.goto(file.as_uri())
        yield seen
