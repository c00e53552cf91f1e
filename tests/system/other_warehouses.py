"""Parse the dbt project with the adapters of warehouses that tests cannot run: `make parse`.

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
# dbt does not connect for parsing, so the values are arbitrary.
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
    """Parse the project per warehouse, print the result, and return the exit code."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="gong-elt-parse-") as folder:
        profile = {"gong_elt": {"target": "snowflake", "outputs": _OUTPUTS}}
        Path(folder, "profiles.yml").write_text(json.dumps(profile))
        for name in _OUTPUTS:
            target = Path(folder, name)
            process = subprocess.run(
                [
                    *(str(_DBT), "parse", "--project-dir", str(PROJECT), "--profiles-dir", folder, "--target", name),
                    *("--target-path", str(target), "--log-path", str(target), "--no-send-anonymous-usage-stats"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if process.returncode:
                failed += 1
                print(f"{name}: failed\n{process.stdout[-2_000:]}")
                continue
            nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
            kinds = [node["resource_type"] for node in nodes]
            print(f"{name}: {kinds.count('model')} models and {kinds.count('test')} tests parsed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
