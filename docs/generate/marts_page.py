"""Writes docs/marts.md, the marts with their columns and how they join: `python -m docs.generate.marts_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipelines.analytics.dbt_build import PROJECT

PAGE = Path(__file__).parents[1] / "marts.md"

_HEAD = """\
# The marts

Made by `make docs` of the dbt project in `pipelines/models`, which `gong-elt models` builds; a test holds it against
it. Formulas and limits of the figures: [pipelines/models](../pipelines/models/README.md).

## Connecting a BI tool

The marts are plain tables of dataset `gong_analytics`, in UTC, with ids as text. Relations between them are drawn
below; take `calls_enriched` for the middle and join the others by `call_id`.

* **PostgreSQL** is what tools that run on a server read by themselves (Metabase, Superset, Looker, Power BI, Tableau,
  Grafana): load with `--destination postgres`, build with `gong-elt models --destination postgres`, and give the tool
  a user that may only read:

  ```sql
  CREATE ROLE bi LOGIN PASSWORD '...';
  GRANT USAGE ON SCHEMA gong_analytics TO bi;
  GRANT SELECT ON ALL TABLES IN SCHEMA gong_analytics TO bi;
  ALTER DEFAULT PRIVILEGES IN SCHEMA gong_analytics GRANT SELECT ON TABLES TO bi;
  ```

  The last line has to be run by the user that builds the models: dbt makes tables anew.
* **DuckDB** is one file, `warehouse.duckdb`, for tools on the same machine that have a driver for it. One process at
  a time may write it: let the tool open a copy, or open it for reading only, and close it while a sync runs.

Ratios of periods are means of single calls: average `talk_ratio` over calls or take `rep_week` and `rep_month`; do
not sum seconds first. Counts of calls come from `calls_enriched`; `tracker_mentions` and `topic_time` have several
rows a call.

**Apache Superset** gets a dashboard ready made: `gong-elt superset` writes database, datasets with their descriptions
and metrics, thirteen charts and filters by period and team as a file that it imports; imported again, it takes the
place of the earlier one. The address in it is that of the warehouse as it is reached here, without a password (`--uri`
for another); for DuckDB Superset needs the package `duckdb-engine`, and opens the file for reading only.

```sh
gong-elt superset --to gong-superset.zip
superset import-dashboards --path gong-superset.zip --username admin
```

![The dashboard in Superset](pictures/superset.png)

`make superset` does so with a real Superset 6.1 over a simulated company, opens the dashboard in Chromium and takes
that picture. A notebook for analysts, over the marts in DuckDB, with `pip install 'gong-elt[notebook]'`:

```sh
export MARIMO_SKIP_UPDATE_CHECK=1   # or marimo asks the package registry for a newer one
GONG_WAREHOUSE=warehouse.duckdb marimo edit pipelines/analytics/notebook.py
```

No other BI tool has been tried with these tables; the tests read them with DuckDB and with PostgreSQL's
driver for Python.
"""


def page() -> str:
    """The page as it has to be."""
    models = yaml.safe_load((PROJECT / "marts" / "marts.yml").read_text(encoding="utf-8"))["models"]
    lines = [*_HEAD.splitlines(), "", "## How they join", "", "```mermaid", "erDiagram"]
    for model in models:
        lines += (f"    {model['name']} }}o--o| {other} : {column}" for column, other in _relations(model))
    for model in models:
        key = _key(model)
        lines += [f"    {model['name']} {{", *(f"        column {column} PK" for column in key), "    }"]
    lines.append("```")
    for model in models:
        lines += ["", f"## {model['name']}", "", model["description"], ""]
        lines += [f"Key: {', '.join(f'`{column}`' for column in _key(model))}.", "", "| column | holds |", "|---|---|"]
        lines += (f"| `{column['name']}` | {column['description'].replace('|', '/')} |" for column in model["columns"])
    return "\n".join(lines) + "\n"


def _key(model: dict[str, Any]) -> list[str]:
    together = [test[name]["arguments"]["columns"] for test in model.get("data_tests", ()) for name in test]
    alone = [column["name"] for column in model["columns"] if "unique" in column.get("data_tests", ())]
    return next(iter(together), alone)


def _relations(model: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for column in model["columns"]:
        for test in column.get("data_tests", ()):
            if isinstance(test, dict) and "relationships" in test:
                yield column["name"], test["relationships"]["arguments"]["to"].split("'")[1]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
