"""Render the report as one self-contained HTML file with its data, charts, styles and scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...runtime.display.text import make_printable
from .charts.specs import chart_specs
from .figures import Figures
from .section import Section
from .sections.all_sections import SECTIONS
from .selections import describe_selections

_FOLDER = Path(__file__).parent / "page_files"
_SCRIPTS = ("formats.js", "lists.js", "dialog.js", "page.js")
_SECTION_KEYS = (
    "key",
    "title",
    "columns",
    "names",
    "scope",
    "layout",
    "behind",
    "summary",
    "charted",
    "sql",
    "chart",
    "first_rows",
)


def render_page(figures: Figures, about: Mapping[str, Any]) -> str:
    """Return the HTML of the report.

    Args:
        figures: The results to show.
        about: Texts of the heading: `period`, `team`, `written_at`, `silent_days`.
    """
    charts = chart_specs()
    sections = [_describe_section(section, about, charts.get(section.key)) for section in SECTIONS]
    selections = _make_printable(describe_selections(figures.selections))
    data = {
        "selections": selections,
        "constants": figures.constants,
        "conditions": _make_printable(figures.conditions),
        "sections": [{key: section[key] for key in _SECTION_KEYS} for section in sections],
        "figures": _make_printable({key: asdict(result) for key, result in figures.sections.items()}),
        "lists": _make_printable(figures.lists),
    }
    # The security policy lists scripts by their hash, so that a browser runs nothing that comes from a call.
    scripts = [
        script.replace("</script", "<\\/script")
        for script in (
            vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
            *((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        )
    ]
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment.get_template("page.html").render(
        about=_make_printable(about),
        missing_calls=figures.missing_calls,
        removed_calls=figures.removed_calls,
        selections=selections,
        sections=sections,
        data=data,
        style=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        hashes=[_hash_script(script) for script in scripts],
    )


def _describe_section(section: Section, about: Mapping[str, Any], chart: Any) -> dict[str, Any]:
    described = asdict(section)
    return {
        **described,
        "description": section.description.replace("{silent_days}", str(about["silent_days"])),
        "names": section.column_names(),
        "sql": section.sql.strip(),
        "chart": chart,
    }


def _make_printable(value: Any) -> Any:
    """Return the value without control characters in its texts: bidirectional ones would reorder the page."""
    if isinstance(value, str):
        return make_printable(value)
    if isinstance(value, Mapping):
        return {key: _make_printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_make_printable(item) for item in value]
    return value


def _hash_script(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
