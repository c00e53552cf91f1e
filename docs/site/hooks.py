"""Hooks of the documentation site: pages from outside of docs/, a Markdown version of every page, and llms.txt."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

REPOSITORY = Path(__file__).parents[2]

PAGES_BY_DOCUMENT = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "pipelines/models/README.md": "reference/models.md",
    "sources/gong/README.md": "how-to/dlt-project.md",
}
"""Documents of the repository outside of docs/ that are pages of the site."""

_DOCUMENTS_BY_PAGE = {page: document for document, page in PAGES_BY_DOCUMENT.items()}
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", re.DOTALL | re.MULTILINE)

_markdown_by_page: dict[str, str] = {}


def on_files(files: Any, config: Any) -> Any:
    """Add the documents outside of docs/ to the files of the site."""
    for document, page in PAGES_BY_DOCUMENT.items():
        files.append(File.generated(config, page, content=(REPOSITORY / document).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links between documents lead to their pages, and keep the text for the Markdown version."""
    rewritten = rewrite_links(markdown, page.file.src_uri)
    _markdown_by_page[page.file.src_uri] = rewritten
    return rewritten


def on_post_build(config: Any) -> None:
    """Write the Markdown version of every page, their list in llms.txt, and all of them in llms-full.txt."""
    site = Path(config.site_dir)
    for page, markdown in _markdown_by_page.items():
        target = site / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(markdown, encoding="utf-8")
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", ""]
    lines += ["Every page has a Markdown version, listed here; llms-full.txt has all of them in one file."]
    lines += list_pages(config.nav, "Pages")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (site / "llms-full.txt").write_text("\n\n".join(_markdown_by_page.values()), encoding="utf-8")


def rewrite_links(markdown: str, page: str) -> str:
    """Return the Markdown of a page with links that hold in the site, outside of code."""
    parts = _CODE.split(markdown)
    parts[::2] = [_LINK.sub(lambda link: _rewrite_link(link[0], page), part) for part in parts[::2]]
    return "".join(parts)


def _rewrite_link(link: str, page: str) -> str:
    path, anchor, heading = link.partition("#")
    if not path or ":" in path:
        return link
    document = _DOCUMENTS_BY_PAGE.get(page, f"docs/{page}")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    target_page = PAGES_BY_DOCUMENT.get(target, target.removeprefix("docs/"))
    return posixpath.relpath(target_page, posixpath.dirname(page) or ".") + anchor + heading


def list_pages(navigation: Iterable[Any], section: str) -> Iterator[str]:
    """Yield the lines of llms.txt for a level of the navigation: pages first, then sections."""
    entries = [next(iter(entry.items())) for entry in navigation]
    if pages := [(title, page) for title, page in entries if isinstance(page, str)]:
        yield from ("", f"## {section}", "")
        yield from (f"- [{title}]({page}): {summarize(_markdown_by_page[page])}" for title, page in pages)
    for title, level in entries:
        if not isinstance(level, str):
            yield from list_pages(level, title)


def summarize(markdown: str) -> str:
    """Return the first sentence of a page as plain text."""
    text = re.sub(r"\A(#.*\n+)+", "", markdown)
    sentence = text.lstrip("\n").partition("\n")[0]
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", lambda found: found[1] or "", sentence)
