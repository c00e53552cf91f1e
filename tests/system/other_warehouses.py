"""Parses the dbt project with dbt's adapters for warehouses that are not at hand here: `make parse`.

Parsing resolves every macro, reference, test and setting; it does not run SQL.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pipelines.analytics.dbt_build import PROJECT
from tests.support.paths import REPOSITORY

_DBT = REPOSITORY / ".parse" / "bin" / "dbt"
# Nobody connects: any words will do.
_OUTPUTS = {
    "bigquery": {"type": "bigquery", "method": "oauth", "project": "p", "dataset": "gong_analytics"},
    "databricks": {"type": "databricks", "host": "h", "http_path": "/p", "token": "t", "schema": "gong_analytics"},
    "redshift": {
        **{"type": "redshift", "host": "h", "user": "u", "password": "p", "port": 5439, "dbname": "d"},
        "schema": "gong_analytics",
    },
    "snowflake": {
        **{"type": "snowflake", "account": "a", "user": "u", "password": "p", "database": "d", "warehouse": "w"},
        "schema": "gong_analytics",
    },
}


def main() -> int:
    """The exit code."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="gong-elt-parse-") as folder:
        profile = {"gong_elt": {"target": "snowflake", "outputs": _OUTPUTS}}
        Path(folder, "profiles.yml").write_text(json.dumps(profile))
        for name in _OUTPUTS:
            kept = Path(folder, name)
            done = subprocess.run(
                [
                    *(str(_DBT), "parse", "--project-dir", str(PROJECT), "--profiles-dir", folder, "--target", name),
                    *("--target-path", str(kept), "--log-path", str(kept), "--no-send-anonymous-usage-stats"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                failed += 1
                print(f"{name}: failed\n{done.stdout[-2_000:]}")
                continue
            nodes = json.loads((kept / "manifest.json").read_text())["nodes"].values()
            kinds = [node["resource_type"] for node in nodes]
            print(f"{name}: {kinds.count('model')} models and {kinds.count('test')} tests parsed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
