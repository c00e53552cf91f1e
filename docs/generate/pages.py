"""Write all generated pages, or check that they match the code: `python -m docs.generate.pages [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.generate import (
    commands_page,
    coverage_page,
    destinations_page,
    exit_codes_page,
    marts_page,
    settings_page,
    tables_page,
)

REPOSITORY = Path(__file__).parents[2]

_MODULES = (commands_page, coverage_page, destinations_page, exit_codes_page, marts_page, settings_page, tables_page)
_PAGES = {module.PAGE: module.page for module in _MODULES}


def main(arguments: list[str]) -> int:
    """Write the pages and return 0; with `--check`, write nothing and return 1 if a page is outdated."""
    outdated = [path for path, build_page in _PAGES.items() if path.read_text("utf-8") != build_page()]
    if "--check" not in arguments:
        for path in outdated:
            path.write_text(_PAGES[path](), encoding="utf-8")
        return 0
    for path in outdated:
        print(f"{path.relative_to(REPOSITORY)} is outdated: run `make pages`")
    return bool(outdated)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
