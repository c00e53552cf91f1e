"""Import what commands import, before tests fork their processes: imports take a third of a short run.

Commands import parts of it only where they use them. `tests/packaging` runs the installed command without this.
"""

from __future__ import annotations

import gc
from importlib import import_module

_MODULES = (
    "pipelines.cli",
    "pipelines.load.check",
    "pipelines.load.plan",
    "pipelines.load.reconcile",
    "pipelines.load.status",
    "pipelines.load.sync",
    "pipelines.analytics.dbt_build",
    "pipelines.analytics.report.build",
    "pipelines.analytics.search.search",
    "pipelines.analytics.search.index",
    "pipelines.analytics.search.meaning.index",
    "pipelines.analytics.search.meaning.static",
    "pipelines.runtime.configuration.command_defaults",
    # Libraries whose first use imports them.
    "altair",
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "babel.dates",
    "dbt.adapters.duckdb",
    "dbt.adapters.postgres",
    "dbt.cli.main",
    "dbt.parser.sql",
    "dbt.task.build",
    "dbt_common.clients.agate_helper",
    "dlt._workspace.cli._plugins",
    "dlt.common.libs.pyarrow",
    "dlt.common.libs.sql_alchemy_compat",
    "dlt.destinations.impl.duckdb.duck",
    "dlt.destinations.impl.postgres.postgres",
    "dlt.sources.helpers.requests",
    "httpcore",
    "pendulum.locales.en.locale",
    "pyarrow.dataset",
    "tantivy",
    "tokenizers",
    "typer._adapters",
)

for _module in _MODULES:
    import_module(_module)

# Otherwise each collection in a forked process visits, and thereby copies, everything that was imported here.
gc.collect()
gc.freeze()
