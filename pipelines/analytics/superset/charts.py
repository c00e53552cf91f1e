"""Charts of the dashboard and their settings, with Superset's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .datasets import DATASETS

_MARK_COLOUR = "#D9534F"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the dashboard.

    Attributes:
        title: Heading.
        dataset: Name of the dataset.
        kind: Superset's `viz_type`.
        settings: Superset's `params` except dataset, kind and filters.
        width: Width in columns, of 12.
        height: Height in Superset's units of 8 pixels.
        where: SQL condition on the rows; None for all.
        description: What the reader has to know.
    """

    title: str
    dataset: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    width: int = 6
    height: int = 50
    where: str | None = None
    description: str | None = None


def build_figure(title: str, metric: str, dataset: str = "calls_enriched", *, description: str | None = None) -> Chart:
    """Return a chart with one figure, without filters of its own."""
    number_format = DATASETS[dataset].metrics[metric].number_format
    settings = {"metric": metric, "y_axis_format": number_format, "header_font_size": 0.5}
    return Chart(title, dataset, "big_number_total", settings, width=3, height=18, description=description)


def chart_by_week(metric: str, dataset: str, **settings: Any) -> dict[str, Any]:
    """Return the settings of a chart with a point per week."""
    return {
        "x_axis": DATASETS[dataset].time_column,
        "time_grain_sqla": "P1W",
        "x_axis_time_format": "%d %b",
        "metrics": [metric],
        "y_axis_format": DATASETS[dataset].metrics[metric].number_format,
        "rich_tooltip": True,
        "show_legend": True,
        "row_limit": 10_000,
        **settings,
    }


def group_rows(groupby: list[str], metrics: list[str], sort: str | None = None, **settings: Any) -> dict[str, Any]:
    """Return the settings of a table of figures by columns, sorted by a metric, by default the first one."""
    return {
        "query_mode": "aggregate",
        "groupby": groupby,
        "metrics": metrics,
        "timeseries_limit_metric": sort or metrics[0],
        "order_desc": True,
        "row_limit": 1_000,
        "page_length": 20,
        "show_cell_bars": False,
        **settings,
    }


def list_rows(columns: list[str], *order: tuple[str, bool], **settings: Any) -> dict[str, Any]:
    """Return the settings of a table of rows, sorted by columns, each ascending or not."""
    return {
        "query_mode": "raw",
        "all_columns": columns,
        "order_by_cols": [f'["{column}", {str(is_ascending).lower()}]' for column, is_ascending in order],
        "row_limit": 1_000,
        "page_length": 10,
        "show_cell_bars": False,
        "include_search": True,
        **settings,
    }


def mark_values(column: str, operator: str, limit: float) -> dict[str, Any]:
    """Return the setting that colours values outside the range that Gong recommends."""
    return {"column": column, "operator": operator, "targetValue": limit, "colorScheme": _MARK_COLOUR}


def draw_line(name: str, value: float) -> dict[str, Any]:
    """Return a horizontal line of a chart over time."""
    return {
        "name": name,
        "annotationType": "FORMULA",
        "sourceType": "",
        "value": str(value),
        "show": True,
        "showLabel": True,
        "showMarkers": False,
        "hideLine": False,
        "style": "dashed",
        "width": 1,
        "color": _MARK_COLOUR,
    }
