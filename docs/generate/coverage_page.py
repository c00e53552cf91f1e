"""Writes docs/coverage.md, every operation of Gong's API beside ours: `python -m docs.generate.coverage_page`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from docs.generate.api_coverage import LEFT_OUT, READ, WRITES, Read
from sources.gong.resources.list_resources import OPT_IN_RESOURCES

PAGE = Path(__file__).parents[1] / "coverage.md"


def page() -> str:
    """The page as it has to be."""
    documented = len(READ) + sum(operation.documented for operation in LEFT_OUT)
    sent = [write for write in WRITES if write.commands]
    return "\n".join(
        (
            "# Gong's API and what becomes of it here",
            "",
            "Made by `make docs` of `docs/generate/api_coverage.py` and `sources/gong/api/endpoint.py`. Tests hold it",
            f"against Gong's OpenAPI document of July 2026: its {documented + len(WRITES)} operations are all here,"
            " with the scopes it states. What is",
            "here and not there says so.",
            "",
            f"## The {documented} operations that read",
            "",
            f"{len(READ)} are read. *Synced* is read by every `gong-elt sync`, *opt-in* only when its resource is named"
            " (`--select`),",
            "*on demand* by the command. A key needs only the scopes of what it is to read.",
            "",
            *_table(("operation", "gives", "here", "scope", "why, and what to know"), map(_read, READ)),
            "",
            "Not read:",
            "",
            *_table(
                ("operation", "would give", "here", "scope", "why"),
                (
                    (
                        f"`{one.operation}`" + ("" if one.documented else " (undocumented)"),
                        one.gives,
                        "left out",
                        _scope(one.scope),
                        one.why,
                    )
                    for one in LEFT_OUT
                ),
            ),
            "",
            f"## The {len(WRITES)} operations that write",
            "",
            f"{len(sent)} are sent, by commands that do nothing else. The others are never sent; above all, nothing is"
            " ever erased in Gong.",
            "",
            *_table(
                ("operation", "does", "here", "scope"),
                (
                    (f"`{one.operation}`", one.does, _commands(one.commands) or "never sent", _scope(one.scope))
                    for one in WRITES
                ),
            ),
            "",
        )
    )


def _read(one: Read) -> tuple[str, ...]:
    endpoint = one.endpoint
    here = []
    if endpoint.tables:
        opt_in = endpoint.resource in OPT_IN_RESOURCES
        tables = ", ".join(f"`{table.name}`" for table in endpoint.tables)
        here.append(f"{'opt-in' if opt_in else 'synced'}: `{endpoint.resource}` into {tables}")
    if one.commands:
        here.append(f"on demand: {_commands(one.commands)}")
    return f"`{endpoint}`", one.gives, "; ".join(here), _scope(endpoint.scope, one.further_scope), one.remark


def _commands(commands: Iterable[str]) -> str:
    return ", ".join(f"`{command}`" for command in commands)


def _scope(*scopes: str) -> str:
    return ", ".join(f"`{scope}`" for scope in scopes if scope) or "none stated"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    PAGE.write_text(page())
