"""Position of the charts in tabs and rows, and the filters, in Superset's format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .charts import Chart
from .dashboard import FILTERS, PERIOD, TABS, TITLE, Filter

Json = dict[str, Any]

_TABS = "TABS-gong"


def place_charts(uuid_of: Callable[[Chart], str], id_of: Callable[[Chart], int]) -> Json:
    """Return the positions of all charts.

    Args:
        uuid_of: Returns the UUID of a chart.
        id_of: Returns the number of a chart in the bundle; Superset replaces it on import.
    """
    tabs = [f"TAB-{slug(name)}" for name in TABS]
    positions: Json = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": [_TABS]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": TITLE}},
        _TABS: {"type": "TABS", "id": _TABS, "children": tabs, "parents": ["ROOT_ID"], "meta": {}},
    }
    for tab, (name, rows) in zip(tabs, TABS.items(), strict=True):
        row_ids = [f"ROW-{slug(name)}-{number}" for number in range(len(rows))]
        parents = ["ROOT_ID", _TABS]
        positions[tab] = {"type": "TAB", "id": tab, "children": row_ids, "parents": parents, "meta": {"text": name}}
        for row_id, charts in zip(row_ids, rows, strict=True):
            positions |= _place_row(row_id, charts, [*parents, tab], uuid_of, id_of)
    return positions


def _place_row(
    row_id: str,
    charts: Sequence[Chart],
    parents: list[str],
    uuid_of: Callable[[Chart], str],
    id_of: Callable[[Chart], int],
) -> Json:
    positions: Json = {
        row_id: {
            "type": "ROW",
            "id": row_id,
            "children": [f"CHART-{slug(chart.title)}" for chart in charts],
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    }
    for chart in charts:
        positions[f"CHART-{slug(chart.title)}"] = {
            "type": "CHART",
            "id": f"CHART-{slug(chart.title)}",
            "children": [],
            "parents": [*parents, row_id],
            "meta": {
                "uuid": uuid_of(chart),
                "chartId": id_of(chart),
                "sliceName": chart.title,
                "width": chart.width,
                "height": chart.height,
            },
        }
    return positions


def list_filters(
    options_dataset: str, filterable: Callable[[str], Iterable[int]], timed: Iterable[int], charts: Iterable[int]
) -> list[Json]:
    """Return the filters of the dashboard, the period first.

    Args:
        options_dataset: UUID of the dataset whose values can be selected.
        filterable: Returns the numbers of the charts whose dataset has a column.
        timed: Numbers of the charts to which the period applies.
        charts: Numbers of all charts.
    """
    numbers = list(charts)
    filters = [_filter("Period", "filter_time", [{}], _excluded(numbers, timed), {}, {"time_range": PERIOD}, PERIOD)]
    for each in FILTERS:
        targets = [{"datasetUuid": options_dataset, "column": {"name": each.column}}]
        excluded = _excluded(numbers, filterable(each.column))
        filters.append(_select(each, targets, excluded))
    return filters


def _excluded(charts: Iterable[int], included: Iterable[int]) -> list[int]:
    kept = set(included)
    return [number for number in charts if number not in kept]


def _select(each: Filter, targets: list[Json], excluded: list[int]) -> Json:
    controls = {"multiSelect": True, "searchAllOptions": each.default is None, "sortAscending": True}
    if each.default is None:
        return _filter(each.name, "filter_select", targets, excluded, controls)
    values = [each.default]
    query = {"filters": [{"col": each.column, "op": "IN", "val": values}]}
    return _filter(each.name, "filter_select", targets, excluded, controls, query, values)


def _filter(
    name: str,
    kind: str,
    targets: Sequence[Json],
    excluded: list[int],
    controls: Json,
    query: Json | None = None,
    value: Any = None,
) -> Json:
    state = {} if value is None else {"value": value}
    if isinstance(value, list):
        state["label"] = ", ".join(value)
    return {
        "id": f"NATIVE_FILTER-{slug(name)}",
        "name": name,
        "filterType": kind,
        "type": "NATIVE_FILTER",
        "targets": targets,
        "controlValues": {"enableEmptyFilter": False, **controls},
        "defaultDataMask": {"extraFormData": query or {}, "filterState": state, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
        "description": "",
    }


def slug(title: str) -> str:
    """Return a title in lower case with hyphens between its words."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in title).lower().split())
