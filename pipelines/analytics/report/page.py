"""Figures -> one HTML file that asks nobody for anything: charts, styles and script are in it."""

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

from pipelines.analytics.report.charts import chart_specs
from pipelines.analytics.report.figures import Figures, columns_of
from pipelines.analytics.report.sections import SECTIONS

_HERE = Path(__file__).parent
_FOR_THE_SCRIPT = ("key", "columns", "names", "scope", "chart", "answers")


def page(figures: Figures, about: Mapping[str, Any]) -> str:
    """The page.

    Args:
        figures: What it shows.
        about: `period`, `team`, `source`, `made_at`, `silent_days`: what its heading says, as text.
    """
    charts = chart_specs()
    sections = [
        {
            **asdict(section),
            "reads": section.reads.format(**about) if "{" in section.reads else section.reads,
            "names": columns_of(section),
            "chart": charts.get(section.key),
            "answers": {choice: asdict(answer) for choice, answer in figures.answers[section.key].items()},
        }
        for section in SECTIONS
    ]
    # What a browser runs is named by its hash, so that nothing from a call could ever run.
    scripts = [
        script.replace("</script", "<\\/script")
        for script in (
            vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
            (_HERE / "page.js").read_text(encoding="utf-8"),
        )
    ]
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html").render(
        about=about,
        missing=figures.missing,
        gone=figures.gone,
        teams=[team.label for team in figures.teams],
        periods=[period.label for period in figures.periods],
        sections=sections,
        data={"sections": [{key: s[key] for key in _FOR_THE_SCRIPT} for s in sections]},
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        hashes=[_hash(script) for script in scripts],
    )


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
