"""Hooks of the documentation site: pages from outside of docs/, links of each page, Markdown versions and llms.txt."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
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

WRITERS_BY_PAGE = {"benchmarks.md": "tests/benchmarks/run.py"}
"""Programs that write a page; those of the reference are found by the page's name."""

_DOCUMENTS_BY_PAGE = {page: document for document, page in PAGES_BY_DOCUMENT.items()}
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", re.DOTALL | re.MULTILINE)

_markdown_by_page: dict[str, str] = {}


def on_config(config: Any) -> Any:
    """Name the version that the pages describe, and label the cells of tables."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    config.extra["urls"] = project["urls"]
    config.copyright = f"These pages describe gong-elt {project['version']}."
    config.markdown_extensions.append(CellLabels())
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the documents outside of docs/ to the files of the site."""
    for document, page in PAGES_BY_DOCUMENT.items():
        files.append(File.generated(config, page, content=(REPOSITORY / document).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Let links between documents lead to their pages, keep the Markdown version, and add links and a description."""
    name = page.file.src_uri
    rewritten = rewrite_links(markdown, name)
    _markdown_by_page[name] = rewritten
    # The theme inserts it without escaping.
    page.meta.setdefault("description", escape(summarize(rewritten)))
    urls = config.extra["urls"]
    page.edit_url = f"{urls['Homepage']}/edit/main/{find_source(name)}"
    page.meta["issue_url"] = f"{urls['Issues']}/new?title={quote(f'Documentation, {name}: ')}"
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


def find_source(page: str) -> str:
    """Return the path in the repository of the document, or of the program, that a page is written in or by."""
    generator = f"docs/generate/{Path(page).stem.replace('-', '_')}_page.py"
    if page in WRITERS_BY_PAGE:
        return WRITERS_BY_PAGE[page]
    return generator if (REPOSITORY / generator).exists() else _DOCUMENTS_BY_PAGE.get(page, f"docs/{page}")


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


class CellLabels(Extension):  # type: ignore[misc]  # Markdown is not installed where types are checked
    """Give each cell of a table the title of its column, which phones show instead of a row of titles."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the name is Markdown's
        """Register the processor behind the one that renders inline code."""
        md.treeprocessors.register(_CellLabelProcessor(md), "cell_labels", 5)


class _CellLabelProcessor(Treeprocessor):  # type: ignore[misc]
    def run(self, root: Element) -> None:
        """Set `data-label` on the cells of all tables."""
        for table in root.iter("table"):
            titles = ["".join(title.itertext()).strip() for title in table.iter("th")]
            for row in table.iterfind("tbody/tr"):
                for title, cell in zip(titles, row, strict=True):
                    cell.set("data-label", title)
