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
from .charts import chart_specs
from .figures import Figures, column_names
from .sections import SECTIONS

_FOLDER = Path(__file__).parent
_SCRIPT_KEYS = ("key", "columns", "names", "scope", "chart", "results")


def render_page(figures: Figures, about: Mapping[str, Any]) -> str:
    """Return the HTML of the report.

    Args:
        figures: The results to show.
        about: Texts of the heading: `period`, `team`, `source`, `written_at`, `silent_days`.
    """
    charts = chart_specs()
    sections = [
        {
            **asdict(section),
            "description": section.description.format(**about) if "{" in section.description else section.description,
            "names": column_names(section),
            "chart": charts.get(section.key),
            "results": _make_printable(
                {selection: asdict(result) for selection, result in figures.results[section.key].items()}
            ),
        }
        for section in SECTIONS
    ]
    # The security policy lists scripts by their hash, so that a browser runs nothing that comes from a call.
    scripts = [
        script.replace("</script", "<\\/script")
        for script in (
            vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
            (_FOLDER / "page.js").read_text(encoding="utf-8"),
        )
    ]
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html").render(
        about=_make_printable(about),
        missing_calls=figures.missing_calls,
        removed_calls=figures.removed_calls,
        teams=_make_printable([team.label for team in figures.teams]),
        call_types=[call_type.label for call_type in figures.call_types],
        periods=[period.label for period in figures.periods],
        sections=sections,
        data={"sections": [{key: section[key] for key in _SCRIPT_KEYS} for section in sections]},
        style=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        hashes=[_hash_script(script) for script in scripts],
    )


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
