"""Run `gong-elt` with PostgreSQL as any SQL destination of dlt, without the module of its kind: a program for tests.

python -m tests.support.process.any_sql_destination sync --json
"""

from __future__ import annotations

import sys
from typing import Any

from destinations import registry
from pipelines.cli.app import main

if __name__ == "__main__":
    kinds: Any = registry._KINDS
    del kinds["postgres"]
    sys.argv[0] = "gong-elt"
    main()
