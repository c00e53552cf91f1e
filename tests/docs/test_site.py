"""The documentation site builds without network: pages, Markdown versions, llms.txt, and its search in Chromium."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.pages.browser import PHONE, WIDE, new_page
from tests.support.paths import REPOSITORY

MKDOCS = REPOSITORY / ".docs" / "bin" / "mkdocs"
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_WITHOUT_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site in a new folder; every request to the network would be refused."""
    if not MKDOCS.exists():
        pytest.skip("mkdocs is not installed: run `make docs`")
    folder = tmp_path_factory.mktemp("site")
    command = [str(MKDOCS), "build", "--site-dir", str(folder)]
    environment = {"PATH": os.environ["PATH"], "NO_MKDOCS_2_WARNING": "1", **_WITHOUT_NETWORK}
    built = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_has_a_markdown_version_that_llms_txt_lists(site: Path) -> None:
    """Agents can read the whole documentation as Markdown."""
    pages = {_markdown_path(site, page) for page in site.rglob("index.html")}
    assert len(pages) > 10
    listed = re.findall(r"\]\(([^)]+\.md)\): .", (site / "llms.txt").read_text("utf-8"))
    assert set(listed) == {str(page.relative_to(site)) for page in pages}
    assert len(listed) == len(set(listed))
    assert [page for page in pages if not page.read_text("utf-8").startswith("# ")] == []


def test_links_of_markdown_versions_have_targets(site: Path) -> None:
    """A reader of the Markdown version can follow its links."""
    for page in (_markdown_path(site, page) for page in site.rglob("index.html")):
        for link in re.findall(r"\]\(([^)#\s]+)", _CODE.sub("", page.read_text("utf-8"))):
            assert ":" in link or (page.parent / link).exists(), f"{page.relative_to(site)} links to {link}"


def _markdown_path(site: Path, page: Path) -> Path:
    """Return the file of a page's Markdown version: the page `a/` has `a.md`."""
    return site / "index.md" if page.parent == site else page.parent.with_suffix(".md")


def test_every_page_leads_to_its_source_and_to_the_issues(site: Path) -> None:
    """A reader who finds a mistake can correct or report it; a generated page leads to its generator."""
    sources: dict[str, str] = {}
    for page in site.rglob("index.html"):
        text, name = page.read_text("utf-8"), str(_markdown_path(site, page).relative_to(site))
        (source,) = re.findall(r"/edit/main/([^\"]+)\">edit<", text)
        assert (REPOSITORY / source).is_file(), f"{name} leads to {source}"
        assert f"/issues/new?title=Documentation%2C%20{name}" in text
        sources[name] = source
    assert sources["start/analyst.md"] == "docs/start/analyst.md"
    assert sources["contributing.md"] == "CONTRIBUTING.md"
    assert sources["reference/exit-codes.md"] == "docs/generate/exit_codes_page.py"
    assert len(set(sources.values())) == len(sources)


def test_every_page_states_its_version_and_describes_itself(site: Path) -> None:
    """A reader knows which version a page is about, and search engines show what the page has."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    descriptions = []
    for page in site.rglob("index.html"):
        text = page.read_text("utf-8")
        assert f"These pages describe gong-elt {version}." in text
        descriptions += re.findall(r'<meta name="?description"? content="([^"]+)"', text)
    assert len(set(descriptions)) == len(list(site.rglob("index.html")))


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    """Reading the documentation is not reported to any third party, and works without internet access."""
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?([^\s\"'>]+)", page.read_text("utf-8"))
        loaded += re.findall(r"<link rel=[\"']?(?:stylesheet|icon|preconnect)[^>]*", page.read_text("utf-8"))
        assert [target for target in loaded if "//" in target] == [], page.relative_to(site)


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve the site on loopback and return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing per request."""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_search_of_the_site_works_without_other_hosts(address: str, size: tuple[int, int]) -> None:
    """A reader finds a page by a word, at both widths, and the browser contacts the site only."""
    with new_page(size=size) as page:
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(address)
        # Not while the search opens, whose animation is wider than the window.
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if size == PHONE:
            page.locator(".md-header__button[for=__search]").click()
        page.get_by_placeholder("Search").press_sequentially("bookmark")
        expect(page.locator(".md-search-result__link").first).to_be_visible()
    assert hosts == {urlsplit(address).netloc}


@pytest.mark.parametrize(
    ("words", "found"),
    [("--deadline", "gong-elt sync"), ("secrets.toml", "Settings"), ("transcript_retry_period", "sources.gong")],
)
def test_the_search_finds_options_files_and_settings(address: str, words: str, found: str) -> None:
    """A reader searches for what a command or a message contains, as it is written there."""
    with new_page() as page:
        page.goto(address)
        page.get_by_placeholder("Search").press_sequentially(words)
        results = page.locator(".md-search-result__link")
        expect(results.filter(has_text=found).first).to_be_attached()


def test_a_phone_shows_the_contents_of_a_long_page(address: str) -> None:
    """A reader on a phone reaches a section without scrolling; a wide window has the contents beside the page."""
    for size, is_shown in ((PHONE, True), ((1440, 900), False)):
        with new_page(size=size) as page:
            page.goto(f"{address}/reference/tables/")
            contents = page.locator(".page-contents summary")
            assert contents.is_visible() == is_shown
            if is_shown:
                contents.click()
                page.locator(".page-contents a", has_text="call_parties").first.click()
                expect(page.locator("#call_parties")).to_be_in_viewport()


def test_a_phone_names_the_previous_and_the_next_page(address: str) -> None:
    """A reader on a phone knows where both arrows below a page lead."""
    with new_page(size=PHONE) as page:
        page.goto(f"{address}/how-to/postgres/")
        titles = page.locator(".md-footer__link .md-ellipsis")
        assert [title.is_visible() for title in titles.all()] == [True, True]


@pytest.mark.parametrize("path", ["reference/settings/", "reference/tables/", "explanation/comparison/", "marts/"])
def test_tables_fit_on_a_phone(address: str, path: str) -> None:
    """A reader on a phone sees all columns of a table without scrolling sideways, each cell with its title."""
    with new_page(size=PHONE) as page:
        page.goto(f"{address}/{path}")
        cells = page.locator("article table td:visible")
        assert cells.count() > 50
        widest, labels = cells.evaluate_all(
            "cells => [Math.max(...cells.map(cell => cell.getBoundingClientRect().right)),"
            " cells.map(cell => getComputedStyle(cell, '::before').content)]"
        )
        assert widest <= PHONE[0]
        assert sum(": " in label for label in labels) > 20
